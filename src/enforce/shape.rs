//! A guard as plain frames hold it: which columns of which leaf, by attribute number, and what to do.

use super::plan::{self, Plan};
use crate::pg::catalog::{Generated, Name, Relation};
use crate::pg::columns::{Reader, reader_of};
use crate::report::{About, Report, SqlState};
use crate::store::hooks;
use crate::watch::registry::{self, Guard};
use pgrx::pg_sys::Oid;
use std::ffi::{CStr, CString};
use std::rc::Rc;
use verdict::{FIELDS_CAP, Locking, Policy, Terms};

/// One column as the trigger reads it.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    pub attnum: i16,
    pub reader: Reader,
}

/// What one of a guard's triggers is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// AFTER INSERT OR UPDATE OF the guarded columns; bears the condition.
    Inserts,
    /// AFTER UPDATE of anything.
    Updates,
    /// AFTER DELETE on partitioned tables, and AFTER INSERT where the guard has a condition, which it does not bear.
    Moves,
    /// BEFORE INSERT, for soft actions; bears the condition.
    BeforeInserts,
    /// BEFORE UPDATE of anything, for soft actions.
    BeforeUpdates,
}

impl Duty {
    /// How many triggers every guard has, whatever its table and actions.
    pub const ALWAYS: usize = 2;

    pub const ALL: [Self; 5] = [
        Self::Inserts,
        Self::Updates,
        Self::Moves,
        Self::BeforeInserts,
        Self::BeforeUpdates,
    ];
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
    insert_trigger: [u8; TRIGGER_NAME_CAP],
    /// The column that `flag` sets.
    pub flag: Option<Column>,
    /// Whether a guarded column is generated: unknown before the row is stored.
    pub generated: bool,
    /// The guards of this table are open until then (microseconds since 2000-01-01 UTC).
    pub glass_until: i64,
}

/// `verdict_guard_` and an int4, and the NUL.
const TRIGGER_NAME_CAP: usize = 32;

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

    /// The same guard, content with an approval that has been spent.
    pub fn spending_nothing(self) -> Self {
        Self {
            locking: match self.locking {
                Locking::Consume => Locking::Share,
                other => other,
            },
            ..self
        }
    }

    /// What hook and guard say to a decision.
    pub fn terms(&self) -> Terms {
        Terms {
            failed_continue: self.policy.failed_continue,
            consume: self.locking == Locking::Consume,
        }
    }

    /// The name of the trigger that bears the condition.
    pub fn insert_trigger(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.insert_trigger).unwrap_or_default()
    }
}

/// VD009 for a guard that is registered and cannot work.
pub fn misconfigured(guard: &Guard, table: &Relation, why: &str) -> Report {
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

/// Resolves a guard's columns on one leaf.
///
/// # Errors
///
/// VD009.
pub fn shape(
    guard: Guard,
    hook: &hooks::Hook,
    table: &Relation,
    columns: &Rc<[plan::Column]>,
    root_name: &Name,
    glass_until: i64,
) -> Result<Plan, Report> {
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
    let flag = guard
        .flag
        .as_ref()
        .map(|(name, _)| column(name, None))
        .transpose()?;
    let generated = guarded_names(&guard)
        .filter_map(|name| table.column(name))
        .any(|column| column.generated != Generated::No);
    let triggers = Duty::ALL.map(|duty| {
        let name = registry::trigger_name(guard.id, duty);
        (CString::new(name).unwrap_or_default(), duty)
    });
    let mut insert_trigger = [0; TRIGGER_NAME_CAP];
    for (place, byte) in insert_trigger.iter_mut().zip(triggers[0].0.as_bytes()) {
        *place = *byte;
    }
    Ok(Plan {
        shape: Shape {
            guard_id: guard.id,
            hook_id: hook.id,
            leaf: table.oid,
            partitioned: *root_name != table.name,
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
            insert_trigger,
            flag,
            generated,
            glass_until,
        },
        table: table.name.clone(),
        root: root_name.clone(),
        flag_type: guard
            .flag
            .as_ref()
            .and_then(|(name, _)| table.column(name))
            .map(|column| (column.type_oid, column.typmod)),
        fields: guard.content.keys().cloned().collect(),
        columns: columns.clone(),
        guard,
        triggers,
    })
}

/// Key, content and condition columns by name.
fn guarded_names(guard: &Guard) -> impl Iterator<Item = &str> {
    let key = guard.key.iter().map(|key| key.name.as_str());
    let content = guard.content.values().map(|column| column.name.as_str());
    let condition = guard.condition_columns.iter().map(String::as_str);
    key.chain(content).chain(condition)
}
