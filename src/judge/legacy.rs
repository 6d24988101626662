//! Rows that were never judged: older than the guard, or so old that their verdict is retired.

use super::case::{Case, Operation};
use super::flag;
use super::judgement;
use crate::guard::info::GuardInfo;
use pg::columns::RowSlot;
use pg::plain::PlainFrame;
use pg::trigger::Fired;
use verdict::{Finding, Legacy};

/// Whether the guard lets this update be: there is no verdict for what the row becomes, and there
/// was none for what it was. A row that is to lose its flag was judged. One that was not under the
/// condition was never asked for a verdict: that it has none does not make it old.
pub fn passes(
    fired: Fired,
    info: &GuardInfo,
    case: &Case,
    old: RowSlot,
    new: RowSlot,
    plain: PlainFrame,
) -> bool {
    info.policy.legacy == Legacy::Allow
        && case.finding == Finding::Missing
        && fired.under_condition_of(info.insert_trigger(), old, plain)
        && !flag::is_taken_off(info, old, new, plain)
        && judgement::look(info, old, Operation::Update, plain)
            .is_some_and(|old| old.finding == Finding::Missing && old.found.is_none())
        && case.found.is_none()
}
