//! The BEFORE triggers flag, hold or discard a row before it is stored. Only guards with such an
//! action have these triggers.
//!
//! They lock nothing and spend nothing, and their decision is not final: an INSERT may still meet
//! ON CONFLICT, and another trigger may still change the row. The AFTER trigger judges the stored
//! row. It refuses a row that the BEFORE trigger did not treat in the same way.

use super::cross_partition;
use super::row_change::RowChange;
use crate::action::done::Done;
use crate::action::hold;
use crate::action::refusal;
use crate::guard::cache;
use crate::guard::info::GuardInfo;
use crate::judge::case::{Case, Obstacle};
use crate::judge::flag;
use crate::judge::rejudge::only_unflags;
use pg::foreign_key;
use pg::plain::PlainFrame;
use pg::trigger::Fired;
use pgrx::pg_sys::Datum;
use verdict::Action;

pub fn insert(fired: Fired, info: &GuardInfo, plain: PlainFrame) -> Datum {
    let change = RowChange::inserted(fired, false);
    if info.partitioned && cross_partition::before::continues(info, change.new, plain) {
        return fired.kept();
    }
    take(&change, info, plain)
}

pub fn update(fired: Fired, info: &GuardInfo, plain: PlainFrame) -> Datum {
    let change = RowChange::updated(fired, false);
    let taken = take(&change, info, plain);
    if info.partitioned {
        if taken.is_null() {
            cross_partition::before::left_out(info, fired.row(), plain);
        } else {
            // If the row moves to another partition, the trigger there must not act on it a second
            // time.
            cross_partition::before::note(info, fired, plain);
        }
    }
    taken
}

/// Takes the guard's action. If another guard's action is stronger, that guard acts instead.
fn take(change: &RowChange, info: &GuardInfo, plain: PlainFrame) -> Datum {
    let kept = change.fired.kept();
    let Some(case) = change.case(info, plain) else {
        return kept;
    };
    let action = info.policy.actions.get(case.finding);
    let others = change.cases_of_others(info, plain);
    let is_stronger =
        |(other, case): (GuardInfo, Case)| other.policy.actions.get(case.finding) > action;
    if others.iter().any(is_stronger) {
        return kept;
    }
    let is_left_out = matches!(action, Action::Discard | Action::Quarantine);
    if is_left_out
        && let Some(old) = change.old
        && foreign_key::makes(change.fired, old, change.new, plain)
    {
        let case = Case {
            obstacle: Some(Obstacle::ForeignKey),
            ..case
        };
        refusal::refuse(info, &case, plain);
    }
    // Each guard with a finding on the row writes one incident.
    let left_out = |done| {
        change.write_down(info, &case, done, plain);
        for (other, case) in others.iter() {
            change.write_down(&other, &case, done, plain);
        }
    };
    match action {
        Action::Reject | Action::Allow => kept,
        Action::Flag => match info.flag {
            None => kept,
            Some(column) => {
                if change
                    .old
                    .is_some_and(|old| only_unflags(change.fired, info, old, change.new, plain))
                {
                    // The other guards write the incidents for their own flags.
                    change.write_down(info, &case, Done::Flagged, plain);
                }
                let value = plain.step(|| cache::with_cached(info, flag::value));
                match value {
                    Some(value) => change.fired.kept_with(column.attnum, value, plain),
                    None => kept,
                }
            }
        },
        Action::Discard => {
            left_out(Done::Discarded);
            Datum::null()
        }
        Action::Quarantine => {
            let size = plain.step(|| Ok(hold::size(info, change.new, change.old)));
            if size > hold::ROW_CAP {
                let case = Case {
                    obstacle: Some(Obstacle::TooLarge(size)),
                    ..case
                };
                refusal::refuse(info, &case, plain);
            }
            let id = hold::hold(info, &case, change.new, change.old, plain);
            left_out(Done::Held(id));
            Datum::null()
        }
    }
}
