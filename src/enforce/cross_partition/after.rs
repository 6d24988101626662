//! Rows that have gone from one partition to another.
//!
//! A cross-partition UPDATE is a DELETE here and an INSERT there. What arrives is judged as the
//! update that it is, with the row that left: the AFTER DELETE trigger notes it (its tuple bears
//! PostgreSQL's mark of such a move), and the AFTER INSERT triggers of the same statement, which
//! come next, take the note away. For a guard with a condition there are two: one that bears the
//! condition, and one for the rows that have left it.

use crate::guard::info::GuardInfo;
use pg::columns::RowSlot;
use pg::plain::PlainFrame;
use pg::row_version::RowVersion;
use pg::transaction;
use pg::transaction::Hooks;
use pg::trigger::Fired;
use pg::tuple::CommandId;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

/// A guard, and the statement that has sent rows away.
type Sender = (i32, Option<CommandId>);

/// A row that has left, and the nest level at which it did.
type Note = (i32, RowVersion);

thread_local! {
    /// What has left and not arrived yet, the latest last. More than one only where another trigger
    /// has left a row out on its way, so that none comes.
    static NOTES: RefCell<HashMap<Sender, Vec<Note>>> = RefCell::new(HashMap::new());
    /// The deepest of those levels: most savepoints have nothing to do with rows on their way.
    static DEEPEST: Cell<i32> = const { Cell::new(0) };
}

pub const HOOKS: Hooks = Hooks {
    at_end: forget,
    savepoint_kept: keep,
    savepoint_rolled_back: drop_level,
    ..Hooks::NONE
};

/// Notes a row that leaves its partition.
pub fn leaves(info: &GuardInfo, fired: Fired, plain: PlainFrame) {
    let version = RowVersion::of(info.table, fired.row());
    let sender = (info.guard_id, fired.deleted_by(plain));
    plain.step(|| {
        let level = transaction::nest_level();
        DEEPEST.set(DEEPEST.get().max(level));
        NOTES.with_borrow_mut(|notes| notes.entry(sender).or_default().push((level, version)));
        Ok(())
    });
}

/// Whether no guard waits for a row to arrive: nearly always.
pub fn is_nothing_on_its_way() -> bool {
    NOTES.with_borrow(HashMap::is_empty)
}

/// The row as it was in the partition that it has left, when this one arrives from there.
pub fn old_row(info: &GuardInfo, fired: Fired, plain: PlainFrame) -> Option<RowSlot> {
    if is_nothing_on_its_way() {
        return None;
    }
    let sender = (info.guard_id, fired.stored_by(plain));
    let version = plain.step(|| {
        Ok(NOTES.with_borrow_mut(|notes| {
            let left = notes.get_mut(&sender)?;
            let latest = left.pop();
            if left.is_empty() {
                notes.remove(&sender);
            }
            latest.map(|(_, version)| version)
        }))
    });
    version?.as_row_of(fired, plain)
}

/// A savepoint is released: what left in it has left for its parent.
fn keep(nest_level: i32) {
    each(nest_level, |left| {
        for (level, _) in left {
            *level = (*level).min(nest_level - 1);
        }
    });
}

/// A savepoint rolls back: what left in it is back where it was.
fn drop_level(nest_level: i32) {
    each(nest_level, |left| {
        left.retain(|(level, _)| *level < nest_level)
    });
}

fn each(ended: i32, change: impl Fn(&mut Vec<Note>)) {
    if DEEPEST.get() < ended {
        return;
    }
    DEEPEST.set(ended - 1);
    NOTES.with(|notes| {
        if let Ok(mut notes) = notes.try_borrow_mut() {
            notes.values_mut().for_each(change);
            notes.retain(|_, left| !left.is_empty());
        }
    });
}

/// At the end of a transaction.
fn forget() {
    DEEPEST.set(0);
    NOTES.with(|notes| {
        if let Ok(mut notes) = notes.try_borrow_mut() {
            notes.clear();
        }
    });
}
