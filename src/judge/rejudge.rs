//! Which updates are judged again.

use super::flag;
use crate::guard::info::GuardInfo;
use pg::columns::{self, RowSlot};
use pg::plain::PlainFrame;
use pg::trigger::Fired;
use verdict::{Edits, Locking};

/// What an update means to a guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejudge {
    /// Nothing: what was approved is unchanged.
    Unneeded,
    /// The row needs a verdict for what it now is.
    Needed,
    /// As `Needed`, but subject and content are what they were, and the guard has judged them: an
    /// approval that was spent on them still stands.
    Unchanged,
    /// It changes content that is final (`edits => 'refuse'`).
    Final,
}

impl Rejudge {
    /// The guard as it judges such an update.
    pub fn asks(self, info: &GuardInfo) -> GuardInfo {
        match self {
            Self::Unchanged => info.spending_nothing(),
            Self::Unneeded | Self::Needed | Self::Final => *info,
        }
    }
}

/// Judged again is an update that changes subject or content, changes a condition column while the
/// new row is under the condition, or takes a row off its flag value.
pub fn rejudge(
    fired: Fired,
    info: &GuardInfo,
    old: RowSlot,
    new: RowSlot,
    plain: PlainFrame,
) -> Rejudge {
    let unflagged = flag::is_taken_off(info, old, new, plain);
    asked(fired, info, old, new, unflagged, plain)
}

/// Whether the flag is all that the update is judged for: once it is put back, no trigger sees
/// anything to judge.
pub fn only_unflags(
    fired: Fired,
    info: &GuardInfo,
    old: RowSlot,
    new: RowSlot,
    plain: PlainFrame,
) -> bool {
    flag::is_taken_off(info, old, new, plain)
        && asked(fired, info, old, new, false, plain) == Rejudge::Unneeded
}

fn asked(
    fired: Fired,
    info: &GuardInfo,
    old: RowSlot,
    new: RowSlot,
    unflagged: bool,
    plain: PlainFrame,
) -> Rejudge {
    let content = changed(old, new, info.bound(), plain);
    if !content && !unflagged && !changed(old, new, info.condition(), plain) {
        return Rejudge::Unneeded;
    }
    let name = info.insert_trigger();
    let now_under = fired.under_condition_of(name, new, plain);
    // Leaving the condition with other content is an edit of a guarded row all the same.
    let edited = content || unflagged;
    let must_know = match edited {
        true => !now_under || info.policy.edits != Edits::Enforce,
        false => info.locking == Locking::Consume || info.policy.edits == Edits::Allow,
    };
    let was_under = must_know && fired.under_condition_of(name, old, plain);
    let left = edited && was_under;
    if !now_under && !left {
        return Rejudge::Unneeded;
    }
    match info.policy.edits {
        Edits::Allow if was_under && !unflagged => Rejudge::Unneeded,
        Edits::Refuse if was_under && content => Rejudge::Final,
        _ if was_under && !edited => Rejudge::Unchanged,
        _ => Rejudge::Needed,
    }
}

fn changed(old: RowSlot, new: RowSlot, attnums: &[i16], plain: PlainFrame) -> bool {
    attnums
        .iter()
        .any(|attnum| columns::differs(old, new, *attnum, plain))
}
