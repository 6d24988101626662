//! An inserted or updated row, as all guards of the table see it.

use crate::action::done::{self, Done};
use crate::action::incident;
use crate::guard::cache;
use crate::guard::info::GuardInfo;
use crate::judge::case::{Case, Operation};
use crate::judge::judgement;
use crate::judge::legacy;
use crate::judge::rejudge::{Rejudge, rejudge};
use pg::columns::RowSlot;
use pg::list::PlainList;
use pg::plain::PlainFrame;
use pg::trigger::Fired;

/// The row of an INSERT or UPDATE.
#[derive(Clone, Copy)]
pub struct RowChange {
    pub fired: Fired,
    /// The row before an update.
    pub old: Option<RowSlot>,
    pub new: RowSlot,
    /// Whether the row is stored: only then do its generated columns have values.
    pub stored: bool,
}

impl RowChange {
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

    /// This guard's finding on the row, if the guard would act on it.
    pub fn case(&self, info: &GuardInfo, plain: PlainFrame) -> Option<Case> {
        let case = match self.old {
            None => judgement::look(info, self.new, Operation::Insert, plain)?,
            Some(old) => match rejudge(self.fired, info, old, self.new, plain) {
                Rejudge::Unneeded => return None,
                Rejudge::Final => judgement::final_content(info, self.new, plain),
                rejudge @ (Rejudge::Needed | Rejudge::Unchanged) => {
                    let case =
                        judgement::look(&rejudge.asks(info), self.new, Operation::Update, plain)?;
                    if legacy::passes(self.fired, info, &case, old, self.new, plain) {
                        return None;
                    }
                    case
                }
            },
        };
        done::instead_of_acting(info, &case)
            .is_none()
            .then_some(case)
    }

    /// The findings of the table's other guards on the row, if they would act on them.
    pub fn cases_of_others(
        &self,
        info: &GuardInfo,
        plain: PlainFrame,
    ) -> PlainList<(GuardInfo, Case)> {
        let mut cases = PlainList::new();
        let mut i = 0;
        while let Some(other) = plain.step(|| cache::nth_guard_on(info.table, i)) {
            i += 1;
            if let Some(case) = self.case_of_other(info, &other, plain) {
                cases.push((other, case), plain);
            }
        }
        cases
    }

    fn case_of_other(
        &self,
        info: &GuardInfo,
        other: &GuardInfo,
        plain: PlainFrame,
    ) -> Option<Case> {
        // The value of a generated column is not known before the row is stored. That guard judges
        // the stored row.
        if other.guard_id == info.guard_id || other.generated && !self.stored {
            return None;
        }
        let under = || {
            self.fired
                .under_condition_of(other.insert_trigger(), self.new, plain)
        };
        // For an update, `rejudge` looks at the condition.
        if self.old.is_none() && !under() {
            return None;
        }
        self.case(other, plain)
    }

    /// Writes this guard's incident.
    pub fn write_down(&self, info: &GuardInfo, case: &Case, done: Done, plain: PlainFrame) {
        let (row, stored) = (self.new, self.stored);
        plain.step(|| {
            cache::with_cached(info, |cached| {
                incident::write(cached, case, row, stored, done)
            })
        });
    }
}
