//! The guard cache: a backend reads the guards of a table once and uses them for every row.
//!
//! The cache finds a guard by the relation (partition → root → registry), never by the trigger's
//! arguments. If somebody puts our trigger on another table, no guard is found and VD009 is raised.

use super::info::{CachedGuard, GuardInfo};
use super::load::load;
use super::trigger_kind::TriggerKind;
use pg::catalog;
use pg::relcache;
use pg::report::{About, Report, SqlState};
use pgrx::pg_sys::Oid;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::CStr;
use std::rc::Rc;

struct Cache {
    /// The [`relcache`] generation at which the cache was filled.
    generation: u64,
    by_table: HashMap<Oid, Rc<[CachedGuard]>>,
}

thread_local! {
    static CACHE: RefCell<Cache> = RefCell::new(Cache { generation: 0, by_table: HashMap::new() });
}

/// The guard whose trigger `name` fired on `table`, and the kind of that trigger.
///
/// # Errors
///
/// VD009 when the registry has no such guard, or when the guard's columns are gone.
pub fn guard_of_trigger(table: Oid, name: &CStr) -> Result<(GuardInfo, TriggerKind), Report> {
    let guards = guards_on(table)?;
    let found = guards.iter().find_map(|cached| {
        let mut triggers = cached.triggers.iter();
        let (_, kind) = triggers.find(|(trigger, _)| trigger.as_c_str() == name)?;
        Some((cached.info, *kind))
    });
    found.ok_or_else(|| unregistered(table, name))
}

/// The guards on this table: from the cache, or read again when anything has changed.
///
/// # Errors
///
/// As [`guard_of_trigger`].
pub fn guards_on(table: Oid) -> Result<Rc<[CachedGuard]>, Report> {
    let generation = relcache::generation();
    let known = CACHE.with_borrow_mut(|cache| {
        if cache.generation != generation {
            cache.by_table.clear();
            cache.generation = generation;
        }
        cache.by_table.get(&table).cloned()
    });
    if let Some(guards) = known {
        return Ok(guards);
    }
    let guards: Rc<[CachedGuard]> = load(table)?.into();
    CACHE.with_borrow_mut(|cache| cache.by_table.insert(table, guards.clone()));
    Ok(guards)
}

/// As [`guards_on`], but uses the cache even when it may be out of date: one reading of the
/// registry judges the whole row.
fn guards_at_hand(table: Oid) -> Result<Rc<[CachedGuard]>, Report> {
    let known = CACHE.with_borrow(|cache| cache.by_table.get(&table).cloned());
    known.map_or_else(|| guards_on(table), Ok)
}

/// Calls `f` with the cached guard of an `info` from [`guard_of_trigger`] or [`nth_guard_on`].
///
/// # Errors
///
/// Those of `f`; VD009 when the guard is gone.
pub fn with_cached<T>(
    info: &GuardInfo,
    f: impl FnOnce(&CachedGuard) -> Result<T, Report>,
) -> Result<T, Report> {
    let guards = guards_at_hand(info.table)?;
    let same = |cached: &&CachedGuard| cached.info.guard_id == info.guard_id;
    match guards.iter().find(same) {
        Some(cached) => f(cached),
        None => Err(unregistered(info.table, c"")),
    }
}

/// The `i`-th guard on this table.
///
/// # Errors
///
/// As [`guard_of_trigger`].
pub fn nth_guard_on(table: Oid, i: usize) -> Result<Option<GuardInfo>, Report> {
    Ok(guards_at_hand(table)?.get(i).map(|cached| cached.info))
}

fn unregistered(table: Oid, trigger: &CStr) -> Report {
    let name = catalog::relation(table).map(|relation| relation.name).ok();
    let shown = name
        .as_ref()
        .map_or_else(|| table.to_u32().to_string(), ToString::to_string);
    Report::new(
        SqlState::GuardMisconfigured,
        format!(
            "VD009: trigger \"{}\" on table {shown} belongs to no guard that is registered",
            trigger.to_string_lossy()
        ),
    )
    .hint("Was the table renamed or restored without schema verdict? Rename it back, or drop the trigger and call verdict.guard again.")
    .about(About {
        schema: name.as_ref().map(|name| name.schema.clone()),
        table: name.map(|name| name.table),
        constraint: None,
    })
}
