//! The lock that puts the writers of one subject in a row (facts: a first verdict has nothing else to lock).

use super::entry::Plain;
use super::native;
use pgrx::pg_sys;

/// Fourth field of our advisory lock tags. PostgreSQL's own functions use 1 and 2, so an application's
/// advisory locks can never block a recorder, nor ours an application.
const LOCK_CLASS: u16 = 0x5644; // "VD"

/// Advisory lock class for making leaves.
const LEAF_CLASS: u16 = 0x564C; // "VL"

/// Advisory lock class for changing a table's guards.
const GUARDS_CLASS: u16 = 0x5647; // "VG"

/// Advisory lock class for holding rows in quarantine.
const HOLD_CLASS: u16 = 0x5648; // "VH"

/// Waits for the subject's other writers and keeps them out until the transaction ends.
///
/// Raises what waiting for a lock raises: 55P03, 40P01, 57014.
pub fn writer_of(subject_hash: i64, plain: Plain) {
    acquire(
        subject_hash,
        LOCK_CLASS,
        pg_sys::ExclusiveLock,
        false,
        plain,
    );
}

/// Keeps other holders of the same row out until the transaction ends: waits for them, or with `dont_wait` only tries.
///
/// Raises what waiting for a lock raises.
pub fn holder_of(content_hash: i64, dont_wait: bool, plain: Plain) -> bool {
    acquire(
        content_hash,
        HOLD_CLASS,
        pg_sys::ExclusiveLock,
        dont_wait,
        plain,
    )
}

/// Waits for whoever else changes the guards of this table, and keeps others out until the transaction ends. Writers of
/// messages do not notice. From a step.
pub fn guards_of(table: pg_sys::Oid) {
    super::entry::guarded(|plain| {
        let key = i64::from(table.to_u32());
        acquire(key, GUARDS_CLASS, pg_sys::ExclusiveLock, false, plain);
        accept_invalidations(plain);
    });
}

/// Waits for the right to make the leaf that starts at `starts` (microseconds), or with `dont_wait` only tries.
pub fn maker_of_leaf(starts: i64, dont_wait: bool, plain: Plain) -> bool {
    acquire(starts, LEAF_CLASS, pg_sys::ExclusiveLock, dont_wait, plain)
}

/// Sees the changes of relations that other transactions have committed by now.
pub fn accept_invalidations(_plain: Plain) {
    // SAFETY: may read catalogs and raise; frames are plain.
    unsafe { native::AcceptInvalidationMessages() }
}

fn acquire(key: i64, class: u16, mode: u32, dont_wait: bool, _plain: Plain) -> bool {
    let tag = tag(key, class);
    // SAFETY: a well-formed tag of the user lock method; transaction scope.
    let result = unsafe { native::LockAcquire(&tag, mode as i32, false, dont_wait) };
    result != pg_sys::LockAcquireResult::LOCKACQUIRE_NOT_AVAIL
}

pub(super) fn tag(key: i64, class: u16) -> pg_sys::LOCKTAG {
    pg_sys::LOCKTAG {
        // SAFETY: set once at backend start.
        locktag_field1: unsafe { pg_sys::MyDatabaseId }.to_u32(),
        locktag_field2: (key as u64 >> 32) as u32,
        locktag_field3: key as u32,
        locktag_field4: class,
        locktag_type: pg_sys::LockTagType::LOCKTAG_ADVISORY as u8,
        locktag_lockmethodid: pg_sys::USER_LOCKMETHOD as u8,
    }
}
