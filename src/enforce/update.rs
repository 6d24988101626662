//! Which updates are judged again.

use super::flag;
use super::shape::Shape;
use crate::pg::columns::{self, RowSlot};
use crate::pg::entry::Plain;
use crate::pg::trigger::Fired;
use verdict::{Edits, Locking};

/// What an update means to a guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// Nothing: what was approved is unchanged.
    No,
    /// The row needs a verdict for what it now is.
    Yes,
    /// As `Yes`, but subject and content are what they were, and the guard has judged them: an approval that was spent on
    /// them still stands.
    Unchanged,
    /// It changes content that is final (`edits => 'refuse'`).
    Final,
}

impl Again {
    /// The guard as it judges such an update.
    pub fn asks(self, shape: &Shape) -> Shape {
        match self {
            Self::Unchanged => shape.spending_nothing(),
            Self::No | Self::Yes | Self::Final => *shape,
        }
    }
}

/// Judged again is an update that changes subject or content, changes a condition column while the new row is under the
/// condition, or takes a row off its flag value.
pub fn again(fired: Fired, shape: &Shape, old: RowSlot, new: RowSlot, plain: Plain) -> Again {
    let unflagged = flag::is_taken_off(shape, old, new, plain);
    asked(fired, shape, old, new, unflagged, plain)
}

/// Whether the flag is all that the update is judged for: once it is put back, no trigger sees anything to judge.
pub fn only_unflags(fired: Fired, shape: &Shape, old: RowSlot, new: RowSlot, plain: Plain) -> bool {
    flag::is_taken_off(shape, old, new, plain)
        && asked(fired, shape, old, new, false, plain) == Again::No
}

fn asked(
    fired: Fired,
    shape: &Shape,
    old: RowSlot,
    new: RowSlot,
    unflagged: bool,
    plain: Plain,
) -> Again {
    let content = changed(old, new, shape.bound(), plain);
    if !content && !unflagged && !changed(old, new, shape.condition(), plain) {
        return Again::No;
    }
    let name = shape.insert_trigger();
    let now_under = fired.under_condition_of(name, new, plain);
    // Leaving the condition with other content is an edit of a guarded row all the same.
    let edited = content || unflagged;
    let must_know = match edited {
        true => !now_under || shape.policy.edits != Edits::Enforce,
        false => shape.locking == Locking::Consume || shape.policy.edits == Edits::Allow,
    };
    let was_under = must_know && fired.under_condition_of(name, old, plain);
    let left = edited && was_under;
    if !now_under && !left {
        return Again::No;
    }
    match shape.policy.edits {
        Edits::Allow if was_under && !unflagged => Again::No,
        Edits::Refuse if was_under && content => Again::Final,
        _ if was_under && !edited => Again::Unchanged,
        _ => Again::Yes,
    }
}

fn changed(old: RowSlot, new: RowSlot, attnums: &[i16], plain: Plain) -> bool {
    attnums
        .iter()
        .any(|attnum| columns::differs(old, new, *attnum, plain))
}
