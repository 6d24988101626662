//! A guard in the cache, with the attribute numbers of the table that the row is in.

use super::registry::Guard;
use super::trigger_kind::TriggerKind;
use pg::catalog::Name;
use pg::columns::Reader;
use pg::condition;
use pgrx::pg_sys::Oid;
use std::ffi::{CStr, CString};
use std::rc::Rc;
use verdict::{FIELDS_CAP, Locking, Policy, Terms};

/// The most columns that subject and content can have.
pub const BOUND_CAP: usize = FIELDS_CAP + 1;

/// `verdict_guard_` and an int4, and the NUL.
pub const TRIGGER_NAME_CAP: usize = 32;

/// One column as the trigger reads it.
#[derive(Clone, Copy, Debug)]
pub struct GuardedColumn {
    pub attnum: i16,
    pub reader: Reader,
}

/// A guard on one table, without names. It is `Copy`, so that plain frames can hold it.
#[derive(Clone, Copy)]
pub struct GuardInfo {
    pub guard_id: i32,
    pub hook_id: i32,
    /// The table that the row is in. For a partitioned table, this is the partition.
    pub table: Oid,
    pub partitioned: bool,
    pub policy: Policy,
    pub locking: Locking,
    /// `None`: the subject is the content's digest.
    pub key: Option<GuardedColumn>,
    pub(super) content: [Option<GuardedColumn>; FIELDS_CAP],
    pub(super) bound: [i16; BOUND_CAP],
    pub(super) bound_len: usize,
    pub(super) condition: [i16; condition::COLUMNS_CAP],
    pub(super) condition_len: usize,
    pub(super) insert_trigger: [u8; TRIGGER_NAME_CAP],
    /// The flag column.
    pub flag: Option<GuardedColumn>,
    /// Whether a guarded column is generated. Its value is unknown before the row is stored.
    pub generated: bool,
    /// Until when the guards of this table are open (microseconds since 2000-01-01 UTC).
    pub glass_until: i64,
}

impl GuardInfo {
    /// The content columns, in the order of the digest.
    pub fn content(&self) -> impl Iterator<Item = GuardedColumn> {
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

    /// The same guard, but it accepts an approval that has been spent.
    pub fn spending_nothing(self) -> Self {
        Self {
            locking: match self.locking {
                Locking::Consume => Locking::Share,
                other => other,
            },
            ..self
        }
    }

    /// The terms of hook and guard, for `decide`.
    pub fn terms(&self) -> Terms {
        Terms {
            failed_continue: self.policy.failed_continue,
            consume: self.locking == Locking::Consume,
        }
    }

    /// The name of the AFTER INSERT trigger, which bears the condition.
    pub fn insert_trigger(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.insert_trigger).unwrap_or_default()
    }
}

/// A guard on one table, with the names that digests and messages need. Only steps use it.
pub struct CachedGuard {
    pub guard: Guard,
    /// The table that the row is in. For a partitioned table, this is the partition.
    pub table: Name,
    /// The table that the guard is on.
    pub root: Name,
    /// Names of the content's fields, in the order of the digest.
    pub fields: Vec<String>,
    /// The columns that an INSERT could name, in the order of their names.
    pub columns: Rc<[WritableColumn]>,
    pub flag_type: Option<FlagType>,
    pub info: GuardInfo,
    pub triggers: [(CString, TriggerKind); TriggerKind::ALL.len()],
}

/// The type of a flag column.
#[derive(Clone, Copy, Debug)]
pub struct FlagType {
    pub type_oid: Oid,
    /// `atttypmod`: the length of a varchar, for example.
    pub typmod: i32,
}

/// A column of a guarded table that an INSERT could name.
pub struct WritableColumn {
    pub name: String,
    pub attnum: i16,
    /// Whether the column's default changes from row to row.
    pub changing: bool,
}
