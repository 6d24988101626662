//! Which updates the guard judges again.

use super::flag;
use crate::guard::info::GuardInfo;
use pg::columns::{self, RowSlot};
use pg::plain::PlainFrame;
use pg::trigger::Fired;
use verdict::{Edits, Locking};

/// What an update means to a guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejudge {
    /// Nothing: the update does not change what was approved.
    Unneeded,
    /// The new row needs a verdict.
    Needed,
    /// The new row needs a verdict, but the guard has judged the same subject and content before:
    /// an approval that was spent on them still counts.
    Unchanged,
    /// The update changes content that is final (`edits => 'refuse'`).
    Final,
}

impl Rejudge {
    /// The guard's terms for this update.
    pub fn asks(self, info: &GuardInfo) -> GuardInfo {
        match self {
            Self::Unchanged => info.spending_nothing(),
            Self::Unneeded | Self::Needed | Self::Final => *info,
        }
    }
}

/// The guard judges an update again when it changes subject or content, changes a condition column
/// while the new row is under the condition, or takes a row off its flag value.
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

/// Whether the guard judges the update only because it takes the row off its flag value. When the
/// BEFORE trigger then sets the flag value again, the AFTER trigger has nothing to judge.
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
    // An update that changes content and leaves the condition still edits a guarded row.
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
