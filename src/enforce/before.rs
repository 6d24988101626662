//! BEFORE the row is stored: flag, hold or discard it. Only guards with such an action have these triggers.
//!
//! Nothing is locked or spent here, and nothing is decided for good: an INSERT may still meet ON CONFLICT, another trigger
//! may still change the row. The AFTER trigger judges what was stored, and refuses it when that is not what was done here.

use super::after;
use super::case::{Case, Obstacle, Operation};
use super::judge;
use super::moved;
use super::plan;
use super::shape::Shape;
use super::update::{Again, again, only_unflags};
use super::{flag, legacy};
use crate::audit::incident::{self, Done};
use crate::pg::columns::RowSlot;
use crate::pg::entry::Plain;
use crate::pg::trigger::Fired;
use crate::quarantine::hold;
use pgrx::pg_sys::Datum;
use verdict::Action;

/// The row that a statement is about to store.
#[derive(Clone, Copy)]
struct Coming {
    fired: Fired,
    /// The row as it was, for an update.
    old: Option<RowSlot>,
    new: RowSlot,
}

pub fn insert(fired: Fired, shape: &Shape, plain: Plain) -> Datum {
    let coming = Coming {
        fired,
        old: None,
        new: fired.row(),
    };
    if shape.partitioned && moved::continues(shape, coming.new, plain) {
        return fired.kept();
    }
    take(&coming, shape, plain)
}

pub fn update(fired: Fired, shape: &Shape, plain: Plain) -> Datum {
    let coming = Coming {
        fired,
        old: Some(fired.row()),
        new: fired.new_row(),
    };
    if shape.partitioned {
        // Should the row move to another partition, it is not judged a second time there.
        moved::sets_out(shape, coming.new, plain);
    }
    take(&coming, shape, plain)
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
    match action {
        Action::Reject | Action::Allow => kept,
        Action::Flag => match shape.flag {
            None => kept,
            Some(column) => {
                if coming
                    .old
                    .is_some_and(|old| only_unflags(shape, old, coming.new, plain))
                {
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
            coming.write_down(shape, &case, Done::Discarded, plain);
            Datum::null()
        }
        Action::Quarantine => {
            let size = plain.step(|| Ok(hold::size(coming.new, coming.old)));
            if size > hold::ROW_CAP {
                let case = Case {
                    obstacle: Some(Obstacle::TooLarge(size)),
                    ..case
                };
                after::refuse(shape, &case, plain);
            }
            let id = hold::hold(shape, &case, coming.new, coming.old, plain);
            coming.write_down(shape, &case, Done::Held(id), plain);
            Datum::null()
        }
    }
}

impl Coming {
    /// What this guard has against the row, if it would act on it.
    fn case(&self, shape: &Shape, plain: Plain) -> Option<Case> {
        let case = match self.old {
            None => judge::look(shape, self.new, Operation::Insert, plain)?,
            Some(old) => match again(self.fired, shape, old, self.new, plain) {
                Again::No => return None,
                Again::Final => judge::final_content(shape, self.new, plain),
                Again::Yes => {
                    let case = judge::look(shape, self.new, Operation::Update, plain)?;
                    if legacy::passes(shape, &case, old, plain) {
                        return None;
                    }
                    case
                }
            },
        };
        after::instead_of_acting(shape, &case)
            .is_none()
            .then_some(case)
    }

    /// The strongest action that the table's other guards would take.
    fn strongest_other(&self, shape: &Shape, plain: Plain) -> Option<Action> {
        let mut strongest = None;
        let mut i = 0;
        while let Some(other) = plain.step(|| plan::nth(shape.leaf, i)) {
            i += 1;
            if let Some(case) = self.case_of_other(shape, &other, plain) {
                strongest = strongest.max(Some(other.policy.actions.get(case.finding)));
            }
        }
        strongest
    }

    fn case_of_other(&self, shape: &Shape, other: &Shape, plain: Plain) -> Option<Case> {
        // What a generated column will hold is not known yet; that guard has its say when the row is stored.
        if other.guard_id == shape.guard_id || other.generated {
            return None;
        }
        let under = || {
            self.fired
                .under_condition_of(other.insert_trigger(), self.new, plain)
        };
        // For an update, whether it is under the condition is part of the question.
        if self.old.is_none() && !under() {
            return None;
        }
        self.case(other, plain)
    }

    /// One incident per guard that has something against the row.
    fn write_down(&self, shape: &Shape, case: &Case, done: Done, plain: Plain) {
        let row = self.new;
        plain.step(|| plan::with(shape, |plan| incident::write(plan, case, row, done)));
        let mut i = 0;
        while let Some(other) = plain.step(|| plan::nth(shape.leaf, i)) {
            i += 1;
            if let Some(case) = self.case_of_other(shape, &other, plain) {
                plain.step(|| plan::with(&other, |plan| incident::write(plan, &case, row, done)));
            }
        }
    }
}
