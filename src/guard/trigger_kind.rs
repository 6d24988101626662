//! Which triggers a guard has. The code that installs triggers and the code that looks for drift
//! both read it here.

use super::registry::Guard;
use pg::catalog::RelationKind;
use pg::trigger::{DELETE, INSERT, Timing, UPDATE};

/// One of a guard's triggers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerKind {
    /// AFTER INSERT OR UPDATE OF the guarded columns; bears the condition.
    AfterInsert,
    /// AFTER UPDATE of any column.
    AfterUpdate,
    /// AFTER DELETE on partitioned tables. If the guard has a condition, also AFTER INSERT, without
    /// the condition.
    AfterMove,
    /// BEFORE INSERT, for soft actions; bears the condition.
    BeforeInsert,
    /// BEFORE UPDATE of any column, for soft actions.
    BeforeUpdate,
}

/// When and for what a trigger fires on its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stand {
    pub timing: Timing,
    /// [`INSERT`], [`UPDATE`] and [`DELETE`], added.
    pub events: u32,
    /// The columns of `UPDATE OF`, in the order of their names; empty for any column.
    pub columns: Vec<String>,
    /// Whether its WHEN is the guard's condition.
    pub has_condition: bool,
}

impl TriggerKind {
    pub const ALL: [Self; 5] = [
        Self::AfterInsert,
        Self::AfterUpdate,
        Self::AfterMove,
        Self::BeforeInsert,
        Self::BeforeUpdate,
    ];

    /// How many triggers every guard has, whatever its table and actions.
    pub const ALWAYS: usize = 2;

    /// How this trigger of `guard` stands on a table of this kind. `None`: the guard needs no such
    /// trigger there.
    pub fn stand(self, guard: &Guard, table: RelationKind) -> Option<Stand> {
        let (timing, events, is_needed) = match self {
            Self::AfterInsert => (Timing::After, INSERT | UPDATE, true),
            Self::AfterUpdate => (Timing::After, UPDATE, true),
            Self::AfterMove => {
                let arrivals = guard.condition.as_ref().map_or(0, |_| INSERT);
                let is_needed = table == RelationKind::Partitioned;
                (Timing::After, DELETE | arrivals, is_needed)
            }
            Self::BeforeInsert => (Timing::Before, INSERT, guard.is_soft()),
            Self::BeforeUpdate => (Timing::Before, UPDATE, guard.is_soft()),
        };
        is_needed.then(|| Stand {
            timing,
            events,
            columns: match self {
                Self::AfterInsert => guard.columns_guarded(),
                _ => Vec::new(),
            },
            has_condition: guard.condition.is_some()
                && matches!(self, Self::AfterInsert | Self::BeforeInsert),
        })
    }
}

/// The name of one of a guard's triggers. PostgreSQL fires triggers in the order of their names:
/// the BEFORE triggers should fire after the application's own.
pub fn trigger_name(guard_id: i32, kind: TriggerKind) -> String {
    match kind {
        TriggerKind::AfterInsert => format!("verdict_guard_{guard_id}"),
        TriggerKind::AfterUpdate => format!("verdict_guard_{guard_id}_update"),
        TriggerKind::AfterMove => format!("verdict_guard_{guard_id}_move"),
        TriggerKind::BeforeInsert => format!("zz_verdict_guard_{guard_id}_insert"),
        TriggerKind::BeforeUpdate => format!("zz_verdict_guard_{guard_id}_update"),
    }
}
