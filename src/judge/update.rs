//! Which updates are judged again.

use super::flag;
use crate::guard::info::GuardInfo;
use pg::columns::{self, RowSlot};
use pg::plain::PlainFrame;
use pg::trigger::Fired;
use verdict::Edits;

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
    pub fn asks(self, info: &GuardInfo) -> GuardInfo {
        match self {
            Self::Unchanged => info.spending_nothing(),
            Self::No | Self::Yes | Self::Final => *info,
        }
    }
}

/// Judged again is an update that changes subject or content, changes a condition column while the new row is under the
/// condition, or takes a row off its flag value.
pub fn again(
    fired: Fired,
    info: &GuardInfo,
    old: RowSlot,
    new: RowSlot,
    plain: PlainFrame,
) -> Again {
    let unflagged = flag::is_taken_off(info, old, new, plain);
    asked(fired, info, old, new, unflagged, plain)
}

/// Whether the flag is all that the update is judged for: once it is put back, no trigger sees anything to judge.
pub fn only_unflags(
    fired: Fired,
    info: &GuardInfo,
    old: RowSlot,
    new: RowSlot,
    plain: PlainFrame,
) -> bool {
    flag::is_taken_off(info, old, new, plain)
        && asked(fired, info, old, new, false, plain) == Again::No
}

fn asked(
    fired: Fired,
    info: &GuardInfo,
    old: RowSlot,
    new: RowSlot,
    unflagged: bool,
    plain: PlainFrame,
) -> Again {
    let content = changed(old, new, info.bound(), plain);
    if !content && !unflagged && !changed(old, new, info.condition(), plain) {
        return Again::No;
    }
    let name = info.insert_trigger();
    let now_under = fired.under_condition_of(name, new, plain);
    // Leaving the condition with other content is an edit of a guarded row all the same.
    let edited = content || unflagged;
    let must_know = match edited {
        true => !now_under || info.policy.edits != Edits::Enforce,
        false => info.policy.consume || info.policy.edits == Edits::Allow,
    };
    let was_under = must_know && fired.under_condition_of(name, old, plain);
    let left = edited && was_under;
    if !now_under && !left {
        return Again::No;
    }
    match info.policy.edits {
        Edits::Allow if was_under && !unflagged => Again::No,
        Edits::Refuse if was_under && content => Again::Final,
        _ if was_under && !edited => Again::Unchanged,
        _ => Again::Yes,
    }
}

fn changed(old: RowSlot, new: RowSlot, attnums: &[i16], plain: PlainFrame) -> bool {
    attnums
        .iter()
        .any(|attnum| columns::differs(old, new, *attnum, plain))
}
