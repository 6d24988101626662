//! A row on its way into the table, as all guards of the table see it.

use super::after;
use super::case::{Case, Operation};
use super::judge;
use super::legacy;
use super::plan;
use super::shape::Shape;
use super::update::{Again, again};
use crate::audit::incident::{self, Done};
use crate::pg::columns::RowSlot;
use crate::pg::entry::Plain;
use crate::pg::trigger::Fired;
use verdict::Action;

/// The row of an INSERT or UPDATE.
#[derive(Clone, Copy)]
pub struct Coming {
    pub fired: Fired,
    /// The row as it was, for an update.
    pub old: Option<RowSlot>,
    pub new: RowSlot,
    /// Whether it is stored already: then its generated columns have values.
    pub stored: bool,
}

impl Coming {
    pub fn inserted(fired: Fired, stored: bool) -> Self {
        Self {
            fired,
            old: None,
            new: fired.row(),
            stored,
        }
    }

    pub fn updated(fired: Fired, stored: bool) -> Self {
        Self {
            fired,
            old: Some(fired.row()),
            new: fired.new_row(),
            stored,
        }
    }

    /// A row that has come from another partition, where it was `old`.
    pub fn moved(fired: Fired, old: RowSlot) -> Self {
        Self {
            old: Some(old),
            ..Self::inserted(fired, true)
        }
    }

    /// What this guard has against the row, if it would act on it.
    pub fn case(&self, shape: &Shape, plain: Plain) -> Option<Case> {
        let case = match self.old {
            None => judge::look(shape, self.new, Operation::Insert, plain)?,
            Some(old) => match again(self.fired, shape, old, self.new, plain) {
                Again::No => return None,
                Again::Final => judge::final_content(shape, self.new, plain),
                again @ (Again::Yes | Again::Unchanged) => {
                    let case = judge::look(&again.asks(shape), self.new, Operation::Update, plain)?;
                    if legacy::passes(self.fired, shape, &case, old, self.new, plain) {
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
    pub fn strongest_other(&self, shape: &Shape, plain: Plain) -> Option<Action> {
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

    /// Another guard that refuses the row, and why.
    pub fn refused_by_other(&self, shape: &Shape, plain: Plain) -> Option<(Shape, Case)> {
        let mut i = 0;
        while let Some(other) = plain.step(|| plan::nth(shape.leaf, i)) {
            i += 1;
            if let Some(case) = self.case_of_other(shape, &other, plain)
                && other.policy.actions.get(case.finding) == Action::Reject
            {
                return Some((other, case));
            }
        }
        None
    }

    fn case_of_other(&self, shape: &Shape, other: &Shape, plain: Plain) -> Option<Case> {
        // What a generated column will hold is not known yet; that guard has its say when the row is stored.
        if other.guard_id == shape.guard_id || other.generated && !self.stored {
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

    /// This guard's incident.
    pub fn write_down(&self, shape: &Shape, case: &Case, done: Done, plain: Plain) {
        let (row, stored) = (self.new, self.stored);
        plain.step(|| plan::with(shape, |plan| incident::write(plan, case, row, stored, done)));
    }

    /// One incident per guard that has something against the row, which is left out.
    pub fn write_down_all(&self, shape: &Shape, case: &Case, done: Done, plain: Plain) {
        self.write_down(shape, case, done, plain);
        let mut i = 0;
        while let Some(other) = plain.step(|| plan::nth(shape.leaf, i)) {
            i += 1;
            if let Some(case) = self.case_of_other(shape, &other, plain) {
                self.write_down(&other, &case, done, plain);
            }
        }
    }
}
