//! Rows on their way from one partition to another.
//!
//! A cross-partition UPDATE is a DELETE here and an INSERT there. A row that arrives as it left is not judged again.
//! The AFTER DELETE trigger notes what leaves (its tuple bears PostgreSQL's mark of such a move), the AFTER INSERT
//! trigger takes the note away. One note lets one equal row in: no more of that content than before.

use super::flag;
use super::shape::Shape;
use crate::pg::columns::{self, RowSlot};
use crate::pg::entry::Plain;
use crate::pg::moving::Version;
use crate::pg::transaction;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hasher, RandomState};

thread_local! {
    /// Guard and fingerprint → the nest levels at which such rows have left.
    static NOTES: RefCell<HashMap<(i32, u64), Vec<i32>>> = RefCell::new(HashMap::new());
    /// The deepest of those levels: most savepoints have nothing to do with rows on their way.
    static DEEPEST: Cell<i32> = const { Cell::new(0) };
    /// Guard → the row versions that updates are about to replace, the latest last.
    static SETTING_OUT: RefCell<HashMap<i32, VecDeque<Version>>> = RefCell::new(HashMap::new());
    static KEYS: RandomState = RandomState::new();
}

/// Notes a row that leaves its partition.
pub fn leaves(shape: &Shape, row: RowSlot, plain: Plain) {
    let flagged = flag::is_set(shape, row, plain);
    let note = (shape.guard_id, fingerprint(shape, row, flagged, plain));
    plain.step(|| {
        let level = transaction::nest_level();
        DEEPEST.set(DEEPEST.get().max(level));
        NOTES.with_borrow_mut(|notes| notes.entry(note).or_default().push(level));
        // It has set out, and is not waited for any more: where it went, no guard may have asked.
        forget_version(shape.guard_id, Version::of(shape.leaf, row));
        Ok(())
    });
}

/// Whether this row is one that left another partition unchanged. It may have been flagged on the way, but not unflagged.
pub fn arrives(shape: &Shape, row: RowSlot, plain: Plain) -> bool {
    if NOTES.with_borrow(HashMap::is_empty) {
        return false;
    }
    let flagged = flag::is_set(shape, row, plain);
    takes(shape, row, flagged, plain) || (flagged && takes(shape, row, false, plain))
}

/// Takes the note of such a row away, if there is one.
fn takes(shape: &Shape, row: RowSlot, flagged: bool, plain: Plain) -> bool {
    let note = (shape.guard_id, fingerprint(shape, row, flagged, plain));
    plain.step(|| {
        Ok(NOTES.with_borrow_mut(|notes| {
            let Some(levels) = notes.get_mut(&note) else {
                return false;
            };
            levels.pop();
            if levels.is_empty() {
                notes.remove(&note);
            }
            true
        }))
    })
}

/// How many of the latest notes are looked at: more than one only while triggers store rows on the way.
const RECENT: usize = 64;

/// Notes the row that an update is about to replace. Should the new row belong into another partition, it is about to be
/// inserted there, and must not be left out: the old one is gone by then.
pub fn sets_out(shape: &Shape, old: RowSlot, plain: Plain) {
    let version = Version::of(shape.leaf, old);
    plain.step(|| {
        SETTING_OUT.with_borrow_mut(|out| {
            out.entry(shape.guard_id).or_default().push_back(version);
        });
        Ok(())
    });
}

/// Whether the row that is about to be inserted is one that an update has just moved out of its partition, changed on the
/// way or not: the AFTER trigger judges what arrives. PostgreSQL's own mark on the old row says so; each is asked for once.
pub fn continues(shape: &Shape, plain: Plain) -> bool {
    for back in 0..RECENT {
        let version = SETTING_OUT.with_borrow(|out| {
            let versions = out.get(&shape.guard_id)?;
            versions.get(versions.len().checked_sub(back + 1)?).copied()
        });
        let Some(version) = version else {
            return false;
        };
        if version.has_moved(plain) {
            plain.step(|| {
                forget_version(shape.guard_id, version);
                Ok(())
            });
            return true;
        }
    }
    false
}

/// The row was stored where it was.
pub fn stays(shape: &Shape, old: RowSlot, plain: Plain) {
    if SETTING_OUT.with_borrow(HashMap::is_empty) {
        return;
    }
    let version = Version::of(shape.leaf, old);
    plain.step(|| {
        forget_version(shape.guard_id, version);
        Ok(())
    });
}

/// The update was left out: no guard will hear of its row again.
pub fn left_out(shape: &Shape, old: RowSlot, plain: Plain) {
    let version = Version::of(shape.leaf, old);
    plain.step(|| {
        let guards: Vec<i32> = SETTING_OUT.with_borrow(|out| out.keys().copied().collect());
        for guard_id in guards {
            forget_version(guard_id, version);
        }
        Ok(())
    });
}

fn forget_version(guard_id: i32, version: Version) {
    SETTING_OUT.with_borrow_mut(|out| {
        let Some(versions) = out.get_mut(&guard_id) else {
            return;
        };
        // AFTER triggers come in the order of the BEFORE triggers; those of a trigger's own statement come first.
        if versions.front().is_some_and(|first| first.is(version)) {
            versions.pop_front();
        } else if let Some(place) = versions.iter().rposition(|known| known.is(version)) {
            versions.remove(place);
        }
        if versions.is_empty() {
            out.remove(&guard_id);
        }
    });
}

/// A savepoint is released: what left in it has left for its parent.
pub fn keep(nest_level: i32) {
    each_note(nest_level, |levels| {
        for level in levels {
            *level = (*level).min(nest_level - 1);
        }
    });
}

/// A savepoint rolls back: what left in it is back where it was. (What is setting out has PostgreSQL's mark or has not.)
pub fn drop_level(nest_level: i32) {
    each_note(nest_level, |levels| {
        levels.retain(|level| *level < nest_level);
    });
}

fn each_note(ended: i32, change: impl Fn(&mut Vec<i32>)) {
    if DEEPEST.get() < ended {
        return;
    }
    DEEPEST.set(ended - 1);
    NOTES.with(|notes| {
        if let Ok(mut notes) = notes.try_borrow_mut() {
            notes.values_mut().for_each(change);
            notes.retain(|_, levels| !levels.is_empty());
        }
    });
}

/// At the end of a transaction.
pub fn forget() {
    DEEPEST.set(0);
    NOTES.with(|notes| {
        if let Ok(mut notes) = notes.try_borrow_mut() {
            notes.clear();
        }
    });
    SETTING_OUT.with(|out| {
        if let Ok(mut out) = out.try_borrow_mut() {
            out.clear();
        }
    });
}

fn fingerprint(shape: &Shape, row: RowSlot, flagged: bool, plain: Plain) -> u64 {
    let mut hasher = KEYS.with(BuildHasher::build_hasher);
    hasher.write_u8(flagged.into());
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
