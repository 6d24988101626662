//! BEFORE the row is stored: flag, hold or discard it. Only guards with such an action have these triggers.
//!
//! Nothing is locked or spent here, and nothing is decided for good: an INSERT may still meet ON CONFLICT, another trigger
//! may still change the row. The AFTER trigger judges what was stored, and refuses it when that is not what was done here.

use super::after;
use super::case::{Case, Obstacle};
use super::coming::Coming;
use super::flag;
use super::plan;
use super::setting_out;
use super::shape::Shape;
use super::update::only_unflags;
use crate::audit::incident::Done;
use crate::pg::entry::Plain;
use crate::pg::foreign_key;
use crate::pg::trigger::Fired;
use crate::quarantine::hold;
use pgrx::pg_sys::Datum;
use verdict::Action;

pub fn insert(fired: Fired, shape: &Shape, plain: Plain) -> Datum {
    let coming = Coming::inserted(fired, false);
    if shape.partitioned && setting_out::continues(shape, coming.new, plain) {
        return fired.kept();
    }
    take(&coming, shape, plain)
}

pub fn update(fired: Fired, shape: &Shape, plain: Plain) -> Datum {
    let coming = Coming::updated(fired, false);
    let taken = take(&coming, shape, plain);
    if shape.partitioned {
        if taken.is_null() {
            setting_out::left_out(shape, fired.row(), plain);
        } else {
            // Should the row move to another partition, nothing is done to it a second time there.
            setting_out::note(shape, fired, plain);
        }
    }
    taken
}

/// Takes the guard's action, unless another guard's is stronger: then that one takes it.
fn take(coming: &Coming, shape: &Shape, plain: Plain) -> Datum {
    let kept = coming.fired.kept();
    let Some(case) = coming.case(shape, plain) else {
        return kept;
    };
    let action = shape.policy.actions.get(case.finding);
    let others = coming.strongest_other(shape, plain);
    if others.is_some_and(|other| other > action) {
        return kept;
    }
    let is_left_out = matches!(action, Action::Discard | Action::Quarantine);
    if is_left_out
        && let Some(old) = coming.old
        && foreign_key::makes(coming.fired, old, coming.new, plain)
    {
        let case = Case {
            obstacle: Some(Obstacle::ForeignKey),
            ..case
        };
        after::refuse(shape, &case, plain);
    }
    match action {
        Action::Reject | Action::Allow => kept,
        Action::Flag => match shape.flag {
            None => kept,
            Some(column) => {
                if coming
                    .old
                    .is_some_and(|old| only_unflags(coming.fired, shape, old, coming.new, plain))
                {
                    // The others have a say of their own about their flags.
                    coming.write_down(shape, &case, Done::Flagged, plain);
                }
                let value = plain.step(|| plan::with(shape, flag::value));
                match value {
                    Some(value) => coming.fired.kept_with(column.attnum, value, plain),
                    None => kept,
                }
            }
        },
        Action::Discard => {
            coming.write_down_all(shape, &case, Done::Discarded, plain);
            Datum::null()
        }
        Action::Quarantine => {
            let size = plain.step(|| Ok(hold::size(shape, coming.new, coming.old)));
            if size > hold::ROW_CAP {
                let case = Case {
                    obstacle: Some(Obstacle::TooLarge(size)),
                    ..case
                };
                after::refuse(shape, &case, plain);
            }
            let id = hold::hold(shape, &case, coming.new, coming.old, plain);
            coming.write_down_all(shape, &case, Done::Held(id), plain);
            Datum::null()
        }
    }
}
