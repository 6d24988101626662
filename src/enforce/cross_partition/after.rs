//! Rows that have moved from one partition to another.
//!
//! PostgreSQL executes a cross-partition UPDATE as a DELETE in the old partition and an INSERT in
//! the new one. The guard judges the arriving row as an update, and so it needs the old row. The
//! AFTER DELETE trigger notes the old row: its tuple bears PostgreSQL's mark of a move. The AFTER
//! INSERT triggers of the same statement fire next and take the note away. A guard with a condition
//! has two of them: one fires for rows under the condition, the other for rows that have left it.

use crate::guard::info::GuardInfo;
use pg::columns::RowSlot;
use pg::plain::PlainFrame;
use pg::row_version::RowVersion;
use pg::transaction::{self, Hooks};
use pg::trigger::Fired;
use pg::tuple::CommandId;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

/// A guard, and the statement that moves rows away.
type Sender = (i32, Option<CommandId>);

/// A row that has left its partition, and the nest level at which it left.
type Note = (i32, RowVersion);

thread_local! {
    /// Rows that have left and not arrived yet, the latest last. A sender has more than one only
    /// when another trigger discarded a row between DELETE and INSERT, and so the row never
    /// arrives.
    static NOTES: RefCell<HashMap<Sender, Vec<Note>>> = RefCell::new(HashMap::new());
    /// The deepest nest level in `NOTES`: most savepoints move no rows, and need no search.
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

/// Whether no guard waits for a row to arrive. This is nearly always true.
pub fn is_nothing_on_its_way() -> bool {
    NOTES.with_borrow(HashMap::is_empty)
}

/// The old row from the other partition, if this row arrives from there.
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

/// A savepoint is released: its notes now belong to the level above it.
fn keep(nest_level: i32) {
    each(nest_level, |left| {
        for (level, _) in left {
            *level = (*level).min(nest_level - 1);
        }
    });
}

/// A savepoint rolls back: its rows are back in their old partitions, and its notes go.
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

/// Runs at the end of a transaction.
fn forget() {
    DEEPEST.set(0);
    NOTES.with(|notes| {
        if let Ok(mut notes) = notes.try_borrow_mut() {
            notes.clear();
        }
    });
}
