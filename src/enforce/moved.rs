//! Rows on their way from one partition to another.
//!
//! A cross-partition UPDATE is a DELETE here and an INSERT there. A row that arrives as it left is not judged again.
//! The AFTER DELETE trigger notes what leaves (its tuple bears PostgreSQL's mark of such a move), the AFTER INSERT
//! trigger takes the note away. One note lets one equal row in: no more of that content than before.

use super::shape::Shape;
use crate::pg::columns::{self, RowSlot};
use crate::pg::entry::Plain;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

thread_local! {
    static NOTES: RefCell<HashMap<(i32, u64), u32>> = RefCell::new(HashMap::new());
    static SETTING_OUT: Cell<Option<(i32, u64)>> = const { Cell::new(None) };
    static KEYS: RandomState = RandomState::new();
}

/// Notes a row that leaves its partition.
pub fn leaves(shape: &Shape, row: RowSlot, plain: Plain) {
    let note = (shape.guard_id, fingerprint(shape, row, plain));
    plain.step(|| {
        NOTES.with_borrow_mut(|notes| *notes.entry(note).or_insert(0) += 1);
        Ok(())
    });
}

/// Whether this row is one that left another partition unchanged.
pub fn arrives(shape: &Shape, row: RowSlot, plain: Plain) -> bool {
    if NOTES.with_borrow(HashMap::is_empty) {
        return false;
    }
    let note = (shape.guard_id, fingerprint(shape, row, plain));
    plain.step(|| {
        Ok(NOTES.with_borrow_mut(|notes| {
            let Some(count) = notes.get_mut(&note) else {
                return false;
            };
            *count -= 1;
            if *count == 0 {
                notes.remove(&note);
            }
            true
        }))
    })
}

/// Notes the row that an update is about to store. Should it belong into another partition, the next row that is about to
/// be inserted there is this one.
pub fn sets_out(shape: &Shape, row: RowSlot, plain: Plain) {
    SETTING_OUT.set(Some((shape.guard_id, fingerprint(shape, row, plain))));
}

/// Whether the row that is about to be inserted is the one that an update has just sent out. Asked once: the note is gone
/// afterwards. Should another equal row take it, the AFTER trigger still judges that one.
pub fn continues(shape: &Shape, row: RowSlot, plain: Plain) -> bool {
    SETTING_OUT
        .take()
        .is_some_and(|note| note == (shape.guard_id, fingerprint(shape, row, plain)))
}

/// At the end of a transaction, and when a savepoint rolls back: what left may be back where it was.
pub fn forget() {
    SETTING_OUT.set(None);
    NOTES.with(|notes| {
        if let Ok(mut notes) = notes.try_borrow_mut() {
            notes.clear();
        }
    });
}

fn fingerprint(shape: &Shape, row: RowSlot, plain: Plain) -> u64 {
    let mut hasher = KEYS.with(BuildHasher::build_hasher);
    for attnum in shape.bound().iter().chain(shape.condition()) {
        match columns::fingerprint(row, *attnum, plain) {
            None => hasher.write_u8(0),
            Some(span) => {
                hasher.write_u8(1);
                hasher.write_usize(span.bytes().len());
                hasher.write(span.bytes());
            }
        }
    }
    hasher.finish()
}
