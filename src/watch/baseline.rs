//! Which guards were seen whole: only those can be weakened. What was never whole (a dump that is
//! being restored) is left alone until it is.

use super::drift;
use crate::guard::registry;
use crate::guard::registry::Guard;
use pg::cached::{self, Cached};
use pg::catalog::{self, Relation};
use pg::report::Report;
use pg::{identity, sql, table};
use pgrx::JsonB;
use pgrx::pg_sys::{Oid, ShareRowExclusiveLock};
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::rc::Rc;

/// A guard that was seen whole on this table. The table by OID: its name is one of the things that
/// a swap changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    pub guard_id: i32,
    pub relation: Oid,
    /// Guarded column → attribute number.
    columns: Map<String, Value>,
    /// It has not been weakened since.
    pub is_whole: bool,
}

thread_local! {
    static BASELINES: RefCell<Cached<Vec<Baseline>>> = const { RefCell::new(Cached::nothing()) };
}

/// All of them, from the backend's memory or read again when anything has changed.
///
/// # Errors
///
/// Undefined object when the extension's SQL is not installed.
pub fn all() -> Result<Rc<Vec<Baseline>>, Report> {
    cached::or_read(&BASELINES, "baselines", || {
        let mut seen = Vec::new();
        table::for_each("baselines", |row| {
            seen.push(Baseline {
                guard_id: row.required("guard_id")?,
                relation: row.required("relation")?,
                columns: match row.required_json("columns")? {
                    Value::Object(columns) => columns,
                    _ => Map::new(),
                },
                is_whole: row.micros("weakened_at").is_none(),
            });
            Ok(())
        })?;
        Ok(seen)
    })
}

/// Notes that the guard stands as installed on this table.
///
/// # Errors
///
/// SPI's own.
pub fn keep(guard: &Guard, root: &Relation) -> Result<(), Report> {
    identity::as_extension_owner(|| {
        sql::run(
            "INSERT INTO verdict.baselines (guard_id, relation, columns, seen_at)
             VALUES ($1, $2, $3, pg_catalog.clock_timestamp())
             ON CONFLICT (guard_id) DO UPDATE SET relation = EXCLUDED.relation, columns = EXCLUDED.columns,
                 seen_at = EXCLUDED.seen_at, weakened_at = NULL",
            &[
                guard.id.into(),
                root.oid.into(),
                JsonB(root.attnums(guard.columns_guarded()).into()).into(),
            ],
        )
    })
}

/// Guarded columns whose names belong to other columns than when the guard was last seen whole, in
/// words. Two columns that change places keep every name that a trigger has; what is stored in them
/// is not what was approved.
///
/// # Errors
///
/// As [`all`].
pub fn changed_places(guard: &Guard, root: &Relation) -> Result<Vec<String>, Report> {
    let now = root.attnums(guard.columns_guarded());
    let seen = all()?;
    let before = seen
        .iter()
        .find(|seen| seen.guard_id == guard.id && seen.relation == root.oid);
    let changed = before.into_iter().flat_map(|seen| &seen.columns);
    Ok(changed
        .filter(|(name, attnum)| now.get(*name).is_some_and(|now| now != *attnum))
        .map(|(name, _)| format!("column {name} is another one than before"))
        .collect())
}

/// An admin has weakened the guard: until it is whole again, it is not watched.
///
/// # Errors
///
/// SPI's own.
pub fn weakened(guard_id: i32) -> Result<(), Report> {
    identity::as_extension_owner(|| {
        sql::run(
            "UPDATE verdict.baselines SET weakened_at = pg_catalog.clock_timestamp()
             WHERE guard_id = $1",
            &[guard_id.into()],
        )
    })
}

/// Forgets it: the guard was taken off, or its table dropped.
///
/// # Errors
///
/// SPI's own.
pub fn remove(guard_id: i32) -> Result<(), Report> {
    if !catalog::has_own("baselines") {
        // The SQL is older than the library.
        return Ok(());
    }
    identity::as_extension_owner(|| {
        sql::run(
            "DELETE FROM verdict.baselines WHERE guard_id = $1",
            &[guard_id.into()],
        )
    })
}

/// Guards that came into the registry by hand of a restore, and were never looked at: those that
/// stand are watched from now on. A parallel restore makes the triggers before the registry is
/// there; mostly it is the other way round, and the event trigger looks.
///
/// # Errors
///
/// SPI's own.
pub fn keep_for_new() -> Result<(), Report> {
    let Ok(registered) = registry::registered() else {
        // A row that cannot be read is told of where a guard needs it; here it must not hinder the
        // restore.
        return Ok(());
    };
    let seen = all()?;
    for watched in registered.iter() {
        if seen.iter().any(|seen| seen.guard_id == watched.guard.id) {
            continue;
        }
        let Some(oid) = catalog::find(&watched.table.schema, &watched.table.table) else {
            continue;
        };
        let root = catalog::relation(oid)?;
        // Whoever makes a trigger at this moment is waited for, and then waits for us, and sees the
        // registry.
        let members = catalog::parts(&root, ShareRowExclusiveLock);
        if drift::differences(watched, &root, &members)?.is_empty() {
            keep(&watched.guard, &root)?;
        }
    }
    Ok(())
}
