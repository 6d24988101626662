//! The AFTER triggers. The row is stored, and the guard judges it as it was stored, as a foreign
//! key does. A row with a finding is refused or written down.

use super::cross_partition;
use super::row_change::RowChange;
use crate::action::done::{self, Done};
use crate::action::refusal;
use crate::action::tally;
use crate::guard::cache;
use crate::guard::glass;
use crate::guard::info::GuardInfo;
use crate::judge::case::{Case, Obstacle, Operation};
use crate::judge::flag;
use crate::judge::judgement;
use crate::judge::legacy;
use crate::judge::rejudge::{Rejudge, rejudge};
use pg::columns::RowSlot;
use pg::plain::PlainFrame;
use pg::transaction;
use pg::trigger::Fired;
use verdict::Action;

/// Judges a new row. A row that comes from another partition is judged as an update.
pub fn inserted(fired: Fired, info: &GuardInfo, plain: PlainFrame) {
    if info.partitioned
        && let Some(old) = cross_partition::after::old_row(info, fired, plain)
    {
        return edited(&RowChange::moved(fired, old), old, info, plain);
    }
    let change = RowChange::inserted(fired, true);
    count(info, plain);
    if let Some(case) = judgement::judge(info, change.new, Operation::Insert, plain) {
        found(info, &change, &case, plain);
    }
}

/// A row moved to another partition and left the guard's condition: this is judged as an update.
pub fn arrived_outside(fired: Fired, info: &GuardInfo, plain: PlainFrame) {
    if !cross_partition::after::is_nothing_on_its_way()
        && !fired.under_condition_of(info.insert_trigger(), fired.row(), plain)
        && let Some(old) = cross_partition::after::old_row(info, fired, plain)
    {
        edited(&RowChange::moved(fired, old), old, info, plain);
    }
}

/// Judges a row that an UPDATE changed within its partition.
pub fn updated(fired: Fired, info: &GuardInfo, plain: PlainFrame) {
    edited(&RowChange::updated(fired, true), fired.row(), info, plain);
}

/// The guard judges an update again when it changes what was approved, brings the row under the
/// condition, or takes the row off its flag value.
fn edited(change: &RowChange, old: RowSlot, info: &GuardInfo, plain: PlainFrame) {
    let new = change.new;
    let case = match rejudge(change.fired, info, old, new, plain) {
        Rejudge::Unneeded => return,
        Rejudge::Final => Some(judgement::final_content(info, new, plain)),
        rejudge @ (Rejudge::Needed | Rejudge::Unchanged) => {
            judgement::judge(&rejudge.asks(info), new, Operation::Update, plain)
        }
    };
    count(info, plain);
    match case {
        None => {}
        Some(case) if legacy::passes(change.fired, info, &case, old, new, plain) => {
            change.write_down(info, &case, Done::Legacy, plain);
        }
        Some(case) => found(info, change, &case, plain),
    }
}

fn count(info: &GuardInfo, plain: PlainFrame) {
    if done::is_observing(info) {
        plain.step(|| {
            tally::count(info.guard_id, transaction::nest_level());
            Ok(())
        });
    }
}

/// A stored row has a finding. The BEFORE trigger took the soft action; this checks that it did.
fn found(info: &GuardInfo, change: &RowChange, case: &Case, plain: PlainFrame) {
    if let Some(done) = done::instead_of_acting(info, case) {
        return change.write_down(info, case, done, plain);
    }
    if info.glass_until != i64::MIN {
        plain.step(|| {
            cache::with_cached(info, |cached| {
                glass::tell_closed(info.glass_until, &cached.root);
                Ok(())
            })
        });
    }
    match info.policy.actions.get(case.finding) {
        Action::Reject => refusal::refuse(info, case, plain),
        Action::Allow => change.write_down(info, case, Done::Allowed, plain),
        Action::Flag if flag::is_set_or_none(info, change.new, plain) => {
            change.write_down(info, case, Done::Flagged, plain);
        }
        Action::Flag | Action::Quarantine | Action::Discard => {
            // This guard left the row to a guard with a stronger action, and so took no action
            // itself.
            let others = change.cases_of_others(info, plain);
            let refuses = |(other, case): &(GuardInfo, Case)| {
                other.policy.actions.get(case.finding) == Action::Reject
            };
            if let Some((other, case)) = others.iter().find(refuses) {
                return refusal::refuse(&other, &case, plain);
            }
            let case = Case {
                obstacle: case.obstacle.or(Some(Obstacle::JudgedOtherwise)),
                ..*case
            };
            refusal::refuse(info, &case, plain);
        }
    }
}
