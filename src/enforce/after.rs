//! AFTER the row is stored: it is judged as it is, like a foreign key, and refused or written down.

use super::cross_partition;
use super::row_change::RowChange;
use crate::action::done;
use crate::action::done::Done;
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

/// A new row is judged. One that comes from another partition was updated.
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

/// A row that has left the condition on its way to another partition was updated, too.
pub fn arrived_outside(fired: Fired, info: &GuardInfo, plain: PlainFrame) {
    if !cross_partition::after::is_nothing_on_its_way()
        && !fired.under_condition_of(info.insert_trigger(), fired.row(), plain)
        && let Some(old) = cross_partition::after::old_row(info, fired, plain)
    {
        edited(&RowChange::moved(fired, old), old, info, plain);
    }
}

/// A row that stays in its partition was updated.
pub fn updated(fired: Fired, info: &GuardInfo, plain: PlainFrame) {
    edited(&RowChange::updated(fired, true), fired.row(), info, plain);
}

/// An update is judged again when it changes what was approved, brings the row under the condition,
/// or unflags it.
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

/// A stored row with a finding. The soft actions were taken before it was stored; here it is seen
/// that they were.
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
            // A stronger guard's word was left to that guard, and so this one has done nothing.
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
