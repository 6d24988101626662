//! What a backend remembers of the guards on a table: looked up once, used for every row.
//!
//! The guard is found from the relation (leaf → root → registry), never from the trigger's arguments: a trigger that
//! somebody hung on another table finds no guard and raises VD009.

use super::shape::{self, Duty, Shape, shape};
use crate::pg::catalog::{self, Generated, Name, Relation};
use crate::pg::{defaults, relcache, table};
use crate::report::{About, Report, SqlState};
use crate::store::hooks;
use crate::watch::glass;
use crate::watch::registry::{self, Guard};
use pgrx::pg_sys::Oid;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ffi::{CStr, CString};
use std::rc::Rc;

/// What needs names: for digests and messages, inside steps.
pub struct Plan {
    pub guard: Guard,
    /// The table that the row is in: for a partitioned table the leaf.
    pub table: Name,
    /// The table that the guard is on.
    pub root: Name,
    pub fields: Vec<String>,
    /// The columns of the table that an INSERT could name, in order of their names.
    pub columns: Rc<[Column]>,
    /// Type and modifier of the flag column.
    pub flag_type: Option<(Oid, i32)>,
    pub shape: Shape,
    pub triggers: [(CString, Duty); Duty::ALL.len()],
}

/// A column of a guarded table.
pub struct Column {
    pub name: String,
    pub attnum: i16,
    /// The table gives it another value for each row that does not name it.
    pub changing: bool,
}

struct Plans {
    generation: u64,
    by_leaf: HashMap<Oid, Rc<[Plan]>>,
}

thread_local! {
    static PLANS: RefCell<Plans> = RefCell::new(Plans { generation: 0, by_leaf: HashMap::new() });
}

/// The guard whose trigger `name` fired on `leaf`, and what that trigger is for.
///
/// # Errors
///
/// VD009 when the registry knows no such guard, or its columns are gone.
pub fn of(leaf: Oid, name: &CStr) -> Result<(Shape, Duty), Report> {
    find(&all(leaf)?, name).ok_or_else(|| unregistered(leaf, name))
}

/// The guards of the table that `leaf` belongs to, from the backend's memory or read again when anything has changed.
///
/// # Errors
///
/// As [`of`].
pub fn all(leaf: Oid) -> Result<Rc<[Plan]>, Report> {
    let generation = relcache::generation();
    let known = PLANS.with_borrow_mut(|plans| {
        if plans.generation != generation {
            plans.by_leaf.clear();
            plans.generation = generation;
        }
        plans.by_leaf.get(&leaf).cloned()
    });
    if let Some(guards) = known {
        return Ok(guards);
    }
    let guards: Rc<[Plan]> = load(leaf)?.into();
    PLANS.with_borrow_mut(|plans| plans.by_leaf.insert(leaf, guards.clone()));
    Ok(guards)
}

/// Uses the plan of a guard that [`of`] has returned for this leaf.
///
/// # Errors
///
/// VD009 when it is gone.
pub fn with<T>(shape: &Shape, f: impl FnOnce(&Plan) -> Result<T, Report>) -> Result<T, Report> {
    // What is remembered, though it may be out of date: one row is judged by one reading of the registry.
    let known = PLANS.with_borrow(|plans| plans.by_leaf.get(&shape.leaf).cloned());
    let guards = match known {
        Some(guards) => guards,
        None => all(shape.leaf)?,
    };
    let plan = guards
        .iter()
        .find(|plan| plan.shape.guard_id == shape.guard_id);
    match plan {
        Some(plan) => f(plan),
        None => Err(unregistered(shape.leaf, c"")),
    }
}

/// The `i`-th guard on this table, for [`with`].
///
/// # Errors
///
/// As [`of`].
pub fn nth(leaf: Oid, i: usize) -> Result<Option<Shape>, Report> {
    Ok(all(leaf)?.get(i).map(|plan| plan.shape))
}

fn find(guards: &[Plan], name: &CStr) -> Option<(Shape, Duty)> {
    guards.iter().find_map(|plan| {
        plan.triggers
            .iter()
            .find(|(trigger, _)| trigger.as_c_str() == name)
            .map(|(_, duty)| (plan.shape, *duty))
    })
}

fn unregistered(leaf: Oid, name: &CStr) -> Report {
    let table = catalog::relation(leaf).map(|relation| relation.name).ok();
    let shown = table
        .as_ref()
        .map_or_else(|| leaf.to_u32().to_string(), ToString::to_string);
    Report::new(
        SqlState::GuardMisconfigured,
        format!("VD009: trigger \"{}\" on table {shown} belongs to no guard that is registered", name.to_string_lossy()),
    )
    .hint("Was the table renamed or restored without schema verdict? Rename it back, or drop the trigger and call verdict.guard again.")
    .about(About {
        schema: table.as_ref().map(|name| name.schema.clone()),
        table: table.map(|name| name.table),
        constraint: None,
    })
}

/// Reads the guards of the table that `leaf` belongs to.
///
/// # Errors
///
/// As [`of`].
fn load(leaf: Oid) -> Result<Vec<Plan>, Report> {
    let root = catalog::root(leaf);
    let facts = catalog::relation(leaf)?;
    let root_facts = if root == leaf {
        facts.clone()
    } else {
        catalog::relation(root)?
    };
    let own = [
        catalog::own_relation("guards")?,
        catalog::own_relation("hooks")?,
    ];
    // An older version of the SQL has no glass to break.
    let glass = catalog::find(catalog::SCHEMA, "glass");
    let ancestors = catalog::ancestors(leaf);
    for watched in [leaf]
        .into_iter()
        .chain(ancestors.iter().copied())
        .chain(own)
        .chain(glass)
    {
        relcache::watch(watched);
    }
    let columns: Rc<[Column]> = columns(&facts, &ancestors).into();
    let mut guards = Vec::new();
    table::for_each("guards", |row| {
        if row.relation() == root_facts.name {
            guards.push(registry::read(row)?);
        }
        Ok(())
    })?;
    let hooks = hooks::all()?;
    let glass = glass::of(&root_facts.name)?;
    guards
        .into_iter()
        .map(|guard| {
            let hook = hooks.iter().find(|hook| hook.id == guard.hook_id);
            let hook = hook
                .ok_or_else(|| shape::misconfigured(&guard, &facts, "its hook does not exist"))?;
            shape(guard, hook, &facts, &columns, &root_facts.name, glass)
        })
        .collect()
}

fn columns(leaf: &Relation, ancestors: &[Oid]) -> Vec<Column> {
    // A row gets the defaults of the table that the statement names: PostgreSQL lets a partition have others.
    let tables = [leaf.oid].into_iter().chain(ancestors.iter().copied());
    let changing: HashSet<String> = tables.flat_map(defaults::changing).collect();
    let given = leaf
        .columns
        .iter()
        .filter(|column| column.generated == Generated::No);
    let mut columns: Vec<Column> = given
        .map(|column| Column {
            name: column.name.clone(),
            attnum: column.attnum,
            changing: changing.contains(&column.name),
        })
        .collect();
    columns.sort_by(|one, other| one.name.cmp(&other.name));
    columns
}
