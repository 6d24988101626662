//! Event triggers: which command has just run.

#[cfg(not(any(feature = "pg15", feature = "pg16")))]
use super::catalog;
use crate::report::{Report, SqlState};
use pgrx::PgList;
use pgrx::pg_sys::{self, AlterTableType, NodeTag, Oid};
use std::ffi::CStr;

/// An event trigger that has fired: valid during the call.
#[derive(Clone, Copy)]
pub struct Event {
    data: *mut pg_sys::EventTriggerData,
}

impl Event {
    pub(super) fn new(data: *mut pg_sys::EventTriggerData) -> Self {
        Self { data }
    }

    /// `ALTER TABLE`, `DROP TRIGGER`, …
    pub fn tag(self) -> String {
        // SAFETY: the manager fills the tag; its name is a constant of PostgreSQL's.
        unsafe {
            CStr::from_ptr(pg_sys::GetCommandTagName((*self.data).tag))
                .to_string_lossy()
                .into_owned()
        }
    }

    /// The table that an ALTER TABLE has attached as a partition.
    pub fn attached(self) -> Option<Oid> {
        self.partition_of(AlterTableType::AT_AttachPartition)
    }

    /// The partition that an ALTER TABLE has detached.
    pub fn detached(self) -> Option<Oid> {
        self.partition_of(AlterTableType::AT_DetachPartition)
    }

    fn partition_of(self, kind: AlterTableType::Type) -> Option<Oid> {
        self.alterations()
            .into_iter()
            .find(|command| command.subtype == kind)
            .and_then(|command| {
                // SAFETY: both kinds carry a PartitionCmd; the table is there, since the command has ended well.
                unsafe {
                    let partition = command.def.cast::<pg_sys::PartitionCmd>();
                    let oid = pg_sys::RangeVarGetRelidExtended(
                        (*partition).name,
                        pg_sys::NoLock as i32,
                        pg_sys::RVROption::RVR_MISSING_OK,
                        None,
                        std::ptr::null_mut(),
                    );
                    (oid != pg_sys::InvalidOid).then_some(oid)
                }
            })
    }

    /// The columns whose generation expression an ALTER TABLE has replaced: their values change without a row trigger.
    pub fn new_expressions(self) -> Vec<String> {
        #[cfg(any(feature = "pg15", feature = "pg16"))]
        return Vec::new();
        #[cfg(not(any(feature = "pg15", feature = "pg16")))]
        return self
            .alterations()
            .into_iter()
            .filter(|command| command.subtype == AlterTableType::AT_SetExpression)
            // SAFETY: a column's name, NUL-terminated.
            .map(|command| unsafe { catalog::owned(command.name) })
            .collect();
    }

    /// Whether an ALTER TABLE has enabled a rule.
    pub fn enables_rules(self) -> bool {
        let enabling = [
            AlterTableType::AT_EnableRule,
            AlterTableType::AT_EnableAlwaysRule,
            AlterTableType::AT_EnableReplicaRule,
        ];
        let alterations = self.alterations();
        alterations
            .iter()
            .any(|command| enabling.contains(&command.subtype))
    }

    fn alterations(self) -> Vec<pg_sys::AlterTableCmd> {
        // SAFETY: the parse tree lives during the call; its tag says what it is.
        unsafe {
            let tree = (*self.data).parsetree;
            if tree.is_null() || (*tree).type_ != NodeTag::T_AlterTableStmt {
                return Vec::new();
            }
            let statement = tree.cast::<pg_sys::AlterTableStmt>();
            let commands = PgList::<pg_sys::AlterTableCmd>::from_pg((*statement).cmds);
            (0..commands.len())
                .filter_map(|i| commands.get_ptr(i))
                .map(|command| *command)
                .collect()
        }
    }
}

/// Whether this server is being filled by pg_upgrade, which puts objects together piece by piece.
pub fn in_binary_upgrade() -> bool {
    // SAFETY: set at start.
    unsafe { pg_sys::IsBinaryUpgrade }
}

/// For an entry point that was not called by the event trigger manager.
pub fn not_an_event_trigger() -> Report {
    Report::new(
        SqlState::GuardMisconfigured,
        "VD009: this function is called by pg_verdict's event triggers only",
    )
}
