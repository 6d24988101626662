//! What a backend remembers of the guards on a table: looked up once, used for every row.
//!
//! The guard is found from the relation (leaf → root → registry), never from the trigger's arguments: a trigger that
//! somebody hung on another table finds no guard and raises VD009.

use crate::pg::catalog::{self, Name, Relation};
use crate::pg::columns::{Reader, reader_of};
use crate::pg::{relcache, table};
use crate::report::{About, Report, SqlState};
use crate::store::hooks;
use crate::watch::registry::{self, Guard};
use pgrx::pg_sys::Oid;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::rc::Rc;
use verdict::{FIELDS_CAP, Locking, Policy};

/// One column as the trigger reads it.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    pub attnum: i16,
    pub reader: Reader,
}

/// What one of a guard's triggers is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    Inserts,
    Updates,
    Moves,
}

const BOUND_CAP: usize = FIELDS_CAP + 1;

/// A guard on one leaf, `Copy`, so that plain frames can hold it.
#[derive(Clone, Copy)]
pub struct Shape {
    pub guard_id: i32,
    pub hook_id: i32,
    pub leaf: Oid,
    pub partitioned: bool,
    pub policy: Policy,
    pub locking: Locking,
    /// `None`: the subject is the content's digest.
    pub key: Option<Column>,
    content: [Option<Column>; FIELDS_CAP],
    bound: [i16; BOUND_CAP],
    bound_len: usize,
    condition: [i16; crate::pg::condition::COLUMNS_CAP],
    condition_len: usize,
    insert_trigger: *const std::ffi::c_char,
}

impl Shape {
    /// The content columns, in the order of the digest.
    pub fn content(&self) -> impl Iterator<Item = Column> {
        self.content.into_iter().map_while(|column| column)
    }

    /// Attribute numbers of subject and content.
    pub fn bound(&self) -> &[i16] {
        &self.bound[..self.bound_len]
    }

    /// Attribute numbers of the condition's columns.
    pub fn condition(&self) -> &[i16] {
        &self.condition[..self.condition_len]
    }

    /// The name of the trigger that bears the condition.
    pub fn insert_trigger(&self) -> *const std::ffi::c_char {
        self.insert_trigger
    }
}

/// What needs names: for digests and messages, inside steps.
pub struct Plan {
    pub guard: Guard,
    pub table: Name,
    pub fields: Vec<String>,
    pub shape: Shape,
    triggers: [(CString, Duty); 3],
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
    let guards = PLANS.with_borrow(|plans| plans.by_leaf.get(&shape.leaf).cloned());
    let plan = guards
        .iter()
        .flat_map(|guards| guards.iter())
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
    for watched in [
        leaf,
        root,
        catalog::own_relation("guards")?,
        catalog::own_relation("hooks")?,
    ] {
        relcache::watch(watched);
    }
    let mut guards = Vec::new();
    table::for_each("guards", |row| {
        if row.text("relation_schema") == root_facts.name.schema
            && row.text("relation_name") == root_facts.name.table
        {
            guards.push(registry::read(row)?);
        }
        Ok(())
    })?;
    let hooks = hooks::all()?;
    guards
        .into_iter()
        .map(|guard| {
            let hook = hooks.iter().find(|hook| hook.id == guard.hook_id);
            let hook =
                hook.ok_or_else(|| misconfigured(&guard, &facts, "its hook does not exist"))?;
            shape(guard, hook, &facts, root)
        })
        .collect()
}

fn misconfigured(guard: &Guard, table: &Relation, why: &str) -> Report {
    Report::new(
        SqlState::GuardMisconfigured,
        format!(
            "VD009: guard \"{}\" on table {} cannot work: {why}",
            guard.name, table.name
        ),
    )
    .hint("Take it off and put it on again: verdict.unguard, then verdict.guard.")
    .about(About {
        schema: Some(table.name.schema.clone()),
        table: Some(table.name.table.clone()),
        constraint: Some(guard.name.clone()),
    })
}

fn shape(guard: Guard, hook: &hooks::Hook, table: &Relation, root: Oid) -> Result<Plan, Report> {
    let column = |name: &str, form: Option<&str>| {
        let found = table.column(name);
        let found = found.ok_or_else(|| {
            misconfigured(&guard, table, &format!("column \"{name}\" does not exist"))
        })?;
        let reader = reader_of(found.base_type, form).map_err(|_| {
            misconfigured(
                &guard,
                table,
                &format!("column \"{name}\" changed its type"),
            )
        })?;
        Ok(Column {
            attnum: found.attnum,
            reader,
        })
    };
    let key = guard
        .key
        .as_ref()
        .map(|key| column(&key.name, key.form.as_deref()))
        .transpose()?;
    let mut content = [None; FIELDS_CAP];
    let mut bound = [0; BOUND_CAP];
    let mut bound_len = 0;
    let mut bind = |attnum| {
        bound[bound_len] = attnum;
        bound_len += 1;
    };
    key.iter().for_each(|key| bind(key.attnum));
    for (place, (_, mapped)) in content.iter_mut().zip(&guard.content) {
        let found = column(&mapped.name, mapped.form.as_deref())?;
        bind(found.attnum);
        *place = Some(found);
    }
    let mut condition = [0; crate::pg::condition::COLUMNS_CAP];
    for (place, name) in condition.iter_mut().zip(&guard.condition_columns) {
        let found = table.column(name);
        *place = found
            .ok_or_else(|| {
                misconfigured(&guard, table, &format!("column \"{name}\" does not exist"))
            })?
            .attnum;
    }
    let triggers = [
        (
            registry::trigger_name(guard.id, Duty::Inserts),
            Duty::Inserts,
        ),
        (
            registry::trigger_name(guard.id, Duty::Updates),
            Duty::Updates,
        ),
        (registry::trigger_name(guard.id, Duty::Moves), Duty::Moves),
    ]
    .map(|(name, duty)| (CString::new(name).unwrap_or_default(), duty));
    let mut plan = Plan {
        shape: Shape {
            guard_id: guard.id,
            hook_id: hook.id,
            leaf: table.oid,
            partitioned: root != table.oid,
            policy: Policy {
                failed_continue: hook.failed_continue,
                ..guard.policy
            },
            locking: guard.locking,
            key,
            content,
            bound,
            bound_len,
            condition,
            condition_len: guard.condition_columns.len(),
            insert_trigger: std::ptr::null(),
        },
        table: table.name.clone(),
        fields: guard.content.keys().cloned().collect(),
        guard,
        triggers,
    };
    plan.shape.insert_trigger = plan.triggers[0].0.as_ptr();
    Ok(plan)
}
