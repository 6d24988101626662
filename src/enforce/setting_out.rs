//! Rows that an update may be about to send to another partition, as BEFORE triggers see them.
//!
//! What a BEFORE UPDATE trigger has let by may be inserted into another partition next. It must not be left out there: the old
//! row is gone by then.

use super::shape::Shape;
use crate::pg::columns::RowSlot;
use crate::pg::entry::Plain;
use crate::pg::moving::Version;
use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};

/// How many of the latest are looked at: more than one only while triggers store rows on the way.
const RECENT: usize = 64;

/// Row versions that updates are about to replace, the latest last.
#[derive(Default)]
struct Waiting {
    versions: VecDeque<Version>,
    /// Where the last one was taken from. AFTER triggers come in the order of the BEFORE triggers, so that the next one is
    /// there as well: behind those whose update another trigger has left out, and for which no AFTER trigger comes.
    next: usize,
}

impl Waiting {
    fn place_of(&self, version: Version) -> Option<usize> {
        let is_at = |place: &usize| self.versions[*place].is(version);
        let len = self.versions.len();
        let next = self.next.min(len);
        // The latest: of a statement that a trigger has made meanwhile.
        let latest = len.checked_sub(1).filter(is_at);
        latest.or_else(|| (next..len).chain(0..next).find(is_at))
    }

    fn take(&mut self, version: Version) {
        if let Some(place) = self.place_of(version) {
            self.versions.remove(place);
            if place < self.versions.len() {
                self.next = place;
            }
        }
    }
}

thread_local! {
    static WAITING: RefCell<HashMap<i32, Waiting>> = RefCell::new(HashMap::new());
}

/// Notes the row that an update is about to replace.
pub fn note(shape: &Shape, old: RowSlot, plain: Plain) {
    let version = Version::of(shape.leaf, old);
    plain.step(|| {
        WAITING.with_borrow_mut(|waiting| {
            let guard = waiting.entry(shape.guard_id).or_default();
            guard.versions.push_back(version);
        });
        Ok(())
    });
}

/// Whether the row that is about to be inserted is one that its statement has just taken out of another partition, changed on
/// the way or not: the AFTER trigger judges what arrives. PostgreSQL's own mark on the old row says so; each is asked for once.
pub fn continues(shape: &Shape, plain: Plain) -> bool {
    for back in 0..RECENT {
        let version = WAITING.with_borrow(|waiting| {
            let versions = &waiting.get(&shape.guard_id)?.versions;
            versions.get(versions.len().checked_sub(back + 1)?).copied()
        });
        let Some(version) = version else {
            return false;
        };
        if version.is_being_moved(plain) {
            forget_version(shape.guard_id, version, plain);
            return true;
        }
    }
    false
}

/// The update of this guard's row has ended: it was stored where it was, or left its partition.
pub fn forget_version(guard_id: i32, version: Version, plain: Plain) {
    if WAITING.with_borrow(HashMap::is_empty) {
        return;
    }
    plain.step(|| {
        take(guard_id, version);
        Ok(())
    });
}

/// The row was stored where it was.
pub fn stays(shape: &Shape, old: RowSlot, plain: Plain) {
    forget_version(shape.guard_id, Version::of(shape.leaf, old), plain);
}

/// The update was left out: no guard will hear of its row again.
pub fn left_out(shape: &Shape, old: RowSlot, plain: Plain) {
    let version = Version::of(shape.leaf, old);
    plain.step(|| {
        let guards: Vec<i32> = WAITING.with_borrow(|waiting| waiting.keys().copied().collect());
        for guard_id in guards {
            take(guard_id, version);
        }
        Ok(())
    });
}

fn take(guard_id: i32, version: Version) {
    WAITING.with_borrow_mut(|waiting| {
        if let Some(guard) = waiting.get_mut(&guard_id) {
            guard.take(version);
            if guard.versions.is_empty() {
                waiting.remove(&guard_id);
            }
        }
    });
}

/// At the end of a transaction.
pub fn forget() {
    WAITING.with(|waiting| {
        if let Ok(mut waiting) = waiting.try_borrow_mut() {
            waiting.clear();
        }
    });
}
