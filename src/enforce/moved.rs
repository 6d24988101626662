//! Rows that have gone from one partition to another.
//!
//! A cross-partition UPDATE is a DELETE here and an INSERT there. What arrives is judged as the update that it is, with the row
//! that left: the AFTER DELETE trigger notes it (its tuple bears PostgreSQL's mark of such a move), and the AFTER INSERT trigger
//! of the same statement, which comes next, takes the note away.

use super::setting_out;
use super::shape::Shape;
use crate::pg::columns::RowSlot;
use crate::pg::entry::Plain;
use crate::pg::moving::Version;
use crate::pg::transaction;
use crate::pg::trigger::Fired;
use std::cell::RefCell;
use std::collections::HashMap;

/// A row that has left, and the nest level at which it did.
type Note = (i32, Version);

thread_local! {
    /// Guard → what has left and not arrived yet, the latest last. More than one only while triggers move rows in turn, or
    /// where no AFTER INSERT trigger came: the row has left the condition, or another trigger has left it out.
    static NOTES: RefCell<HashMap<i32, Vec<Note>>> = RefCell::new(HashMap::new());
}

/// Notes a row that leaves its partition.
pub fn leaves(shape: &Shape, row: RowSlot, plain: Plain) {
    let version = Version::of(shape.leaf, row);
    // It has set out, and is not waited for any more: where it went, no guard may have asked.
    setting_out::forget_version(shape.guard_id, version, plain);
    plain.step(|| {
        let note = (transaction::nest_level(), version);
        NOTES.with_borrow_mut(|notes| notes.entry(shape.guard_id).or_default().push(note));
        Ok(())
    });
}

/// The row as it was in the partition that it has left, when this one arrives from there.
pub fn old_row(shape: &Shape, fired: Fired, plain: Plain) -> Option<RowSlot> {
    let latest = NOTES.with_borrow(|notes| notes.get(&shape.guard_id)?.last().copied());
    let (_, version) = latest?;
    if !version.was_sent_with(fired, plain) {
        return None;
    }
    plain.step(|| {
        NOTES.with_borrow_mut(|notes| {
            if let Some(left) = notes.get_mut(&shape.guard_id) {
                left.pop();
                if left.is_empty() {
                    notes.remove(&shape.guard_id);
                }
            }
        });
        Ok(())
    });
    version.as_row_of(fired, plain)
}

/// A savepoint is released: what left in it has left for its parent.
pub fn keep(nest_level: i32) {
    each(|left| {
        // Levels never fall towards the end: what is deeper came later.
        for (level, _) in left.iter_mut().rev() {
            if *level < nest_level {
                break;
            }
            *level = nest_level - 1;
        }
    });
}

/// A savepoint rolls back: what left in it is back where it was.
pub fn drop_level(nest_level: i32) {
    each(|left| while left.pop_if(|(level, _)| *level >= nest_level).is_some() {});
}

fn each(change: impl Fn(&mut Vec<Note>)) {
    NOTES.with(|notes| {
        if let Ok(mut notes) = notes.try_borrow_mut() {
            notes.values_mut().for_each(change);
        }
    });
}

/// At the end of a transaction.
pub fn forget() {
    NOTES.with(|notes| {
        if let Ok(mut notes) = notes.try_borrow_mut() {
            notes.clear();
        }
    });
}
