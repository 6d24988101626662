//! Which triggers a guard has: what installs them and what looks for drift read it here.

use super::registry::Guard;
use pg::catalog::RelationKind;
use pg::trigger::{DELETE, INSERT, Timing, UPDATE};

/// One of the triggers of a guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerKind {
    /// AFTER INSERT OR UPDATE OF the guarded columns; bears the condition.
    AfterInsert,
    /// AFTER UPDATE of anything.
    AfterUpdate,
    /// AFTER DELETE on partitioned tables, and AFTER INSERT where the guard has a condition, which
    /// it does not bear.
    AfterMove,
    /// BEFORE INSERT, for soft actions; bears the condition.
    BeforeInsert,
    /// BEFORE UPDATE of anything, for soft actions.
    BeforeUpdate,
}

/// How a trigger stands on its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stand {
    pub timing: Timing,
    /// [`INSERT`], [`UPDATE`] and [`DELETE`], added.
    pub events: u32,
    /// `UPDATE OF` these columns, in the order of their names; empty for any.
    pub columns: Vec<String>,
    /// Whether it has the guard's condition as its WHEN.
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

    /// How this trigger of `guard` stands on a table of this kind; `None`: the guard needs no such
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

/// The name of one of a guard's triggers. Triggers fire in the order of their names: those before
/// the row is stored should come after the application's own.
pub fn trigger_name(guard_id: i32, kind: TriggerKind) -> String {
    match kind {
        TriggerKind::AfterInsert => format!("verdict_guard_{guard_id}"),
        TriggerKind::AfterUpdate => format!("verdict_guard_{guard_id}_update"),
        TriggerKind::AfterMove => format!("verdict_guard_{guard_id}_move"),
        TriggerKind::BeforeInsert => format!("zz_verdict_guard_{guard_id}_insert"),
        TriggerKind::BeforeUpdate => format!("zz_verdict_guard_{guard_id}_update"),
    }
}
