//! DdlEvent triggers: which command has just run.

use crate::catalogs::catalog;
use crate::frame::text;
use crate::report::{Report, SqlState};
use pgrx::PgList;
use pgrx::pg_sys::{self, AlterTableType, NodeTag, Oid};
use std::ffi::CStr;

/// An event trigger that has fired: valid during the call.
#[derive(Clone, Copy)]
pub struct DdlEvent {
    data: *mut pg_sys::EventTriggerData,
}

impl DdlEvent {
    pub(crate) fn new(data: *mut pg_sys::EventTriggerData) -> Self {
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

    /// Whether an ALTER TABLE has attached a partition. Which one, its name no longer tells for
    /// sure.
    pub fn attaches(self) -> bool {
        let alterations = self.alterations();
        alterations
            .iter()
            .any(|command| command.subtype == AlterTableType::AT_AttachPartition)
    }

    /// The partition that an ALTER TABLE has detached, as the statement calls it.
    pub fn detached(self) -> Option<String> {
        let kinds = [
            AlterTableType::AT_DetachPartition,
            AlterTableType::AT_DetachPartitionFinalize,
        ];
        let alterations = self.alterations();
        let command = alterations
            .iter()
            .find(|command| kinds.contains(&command.subtype))?;
        // SAFETY: both kinds carry a PartitionCmd with a RangeVar, whose names are NUL-terminated.
        unsafe {
            let name = (*command.def.cast::<pg_sys::PartitionCmd>()).name;
            let table = catalog::quote(&text::owned((*name).relname));
            if (*name).schemaname.is_null() {
                return Some(table);
            }
            let schema = catalog::quote(&text::owned((*name).schemaname));
            Some(format!("{schema}.{table}"))
        }
    }

    /// The old and the new name of the column that a statement has renamed.
    pub fn renamed_column(self) -> Option<(String, String)> {
        // SAFETY: the parse tree lives during the call; its tag says what it is.
        unsafe {
            let tree = (*self.data).parsetree;
            if tree.is_null() || (*tree).type_ != NodeTag::T_RenameStmt {
                return None;
            }
            let rename = tree.cast::<pg_sys::RenameStmt>();
            let kinds = [
                pg_sys::ObjectType::OBJECT_COLUMN,
                pg_sys::ObjectType::OBJECT_ATTRIBUTE,
            ];
            kinds.contains(&(*rename).renameType).then(|| {
                (
                    text::owned((*rename).subname),
                    text::owned((*rename).newname),
                )
            })
        }
    }

    /// Whether an ALTER TYPE has renamed an enum's label: what is stored reads otherwise from then
    /// on.
    pub fn renames_label(self) -> bool {
        // SAFETY: see above.
        unsafe {
            let tree = (*self.data).parsetree;
            !tree.is_null()
                && (*tree).type_ == NodeTag::T_AlterEnumStmt
                && !(*tree.cast::<pg_sys::AlterEnumStmt>()).oldVal.is_null()
        }
    }

    /// The enum that an ALTER TYPE … RENAME VALUE or ADD VALUE has changed. Its name still means
    /// the same: such a statement runs nobody's code.
    pub fn altered_enum(self) -> Option<Oid> {
        // SAFETY: the parse tree lives during the call; its tag says what it is. missing_ok.
        unsafe {
            let tree = (*self.data).parsetree;
            if tree.is_null() || (*tree).type_ != NodeTag::T_AlterEnumStmt {
                return None;
            }
            let names = (*tree.cast::<pg_sys::AlterEnumStmt>()).typeName;
            let name = pg_sys::makeTypeNameFromNameList(names);
            let found = pg_sys::LookupTypeNameOid(std::ptr::null_mut(), name, true);
            (found != pg_sys::InvalidOid).then_some(found)
        }
    }

    /// The columns whose generation expression an ALTER TABLE has replaced: their values change
    /// without a row trigger.
    pub fn new_expressions(self) -> Vec<String> {
        #[cfg(any(feature = "pg15", feature = "pg16"))]
        return Vec::new();
        #[cfg(not(any(feature = "pg15", feature = "pg16")))]
        return self
            .alterations()
            .into_iter()
            .filter(|command| command.subtype == AlterTableType::AT_SetExpression)
            // SAFETY: a column's name, NUL-terminated.
            .map(|command| unsafe { text::owned(command.name) })
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
        SqlState::TriggerProtocol,
        "this function is called by pg_verdict's event triggers only",
    )
}
