//! Legacy rows: rows that were never judged. They are older than the guard, or so old that their
//! verdict is retired.

use super::case::{Case, Operation};
use super::flag;
use super::judgement;
use crate::guard::info::GuardInfo;
use pg::columns::RowSlot;
use pg::plain::PlainFrame;
use pg::trigger::Fired;
use verdict::{Finding, Legacy};

/// Whether the guard lets this update of a legacy row pass: neither the new row nor the old row has
/// a verdict. A flagged row was judged, and so it is no legacy row. A row outside the condition
/// never needed a verdict, and so a missing verdict does not make it a legacy row.
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
