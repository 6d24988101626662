//! The locks that put those in a row who do the same thing: write verdicts of one subject, hold one
//! row, make leaves.

use crate::frame::native;
use crate::frame::plain::PlainFrame;
use pgrx::pg_sys::{self, TransactionId};

/// Fourth field of our advisory lock tags. PostgreSQL's own functions use 1 and 2, so an
/// application's advisory locks can never block a recorder, nor ours an application.
const SUBJECT_CLASS: u16 = 0x5644; // "VD"

/// Advisory lock class for making and retiring leaves, and the locks of it.
const LEAF_CLASS: u16 = 0x564C; // "VL"
const ASKING: i64 = 1;
const MAKING: i64 = 2;
const RETIRING: i64 = 3;

/// Advisory lock class for changing a table's guards.
const GUARDS_CLASS: u16 = 0x5647; // "VG"

/// Advisory lock class for holding rows in quarantine.
const HOLD_CLASS: u16 = 0x5648; // "VH"

const MODE: pg_sys::LOCKMODE = pg_sys::ExclusiveLock as pg_sys::LOCKMODE;

/// Waits for whoever is writing a verdict of this subject at this moment, and keeps others out
/// until [`leave_subject`]. Its writers' transactions may go on: who comes next finds what they
/// have written, and waits for them by [`end_of`]. So a transaction of a million verdicts holds one
/// of these locks, not a million.
///
/// Raises what waiting for a lock raises: 55P03, 40P01, 57014.
pub fn enter_subject(subject_hash: i64, plain: PlainFrame) {
    acquire(subject_hash, SUBJECT_CLASS, plain);
    accept_invalidations(plain);
}

/// Lets the subject's next writer in. On an error the end of the (sub)transaction does.
pub fn leave_subject(subject_hash: i64, plain: PlainFrame) {
    release(subject_hash, SUBJECT_CLASS, plain);
}

/// As [`enter_subject`], for whoever holds the same row in quarantine.
pub fn enter_held_row(content_hash: i64, plain: PlainFrame) {
    acquire(content_hash, HOLD_CLASS, plain);
}

/// As [`leave_subject`].
pub fn leave_held_row(content_hash: i64, plain: PlainFrame) {
    release(content_hash, HOLD_CLASS, plain);
}

/// Waits until that transaction has ended, whichever way.
///
/// Raises what waiting for a lock raises.
pub fn end_of(transaction: TransactionId, plain: PlainFrame) {
    // SAFETY: a transaction that was seen at work; not ours, for a dirty snapshot tells of others
    // only. Frames are plain.
    unsafe {
        let (anywhere, nothing) = (std::ptr::null_mut(), std::ptr::null_mut());
        native::XactLockTableWait(transaction, anywhere, nothing, pg_sys::XLTW_Oper::XLTW_None);
    }
    accept_invalidations(plain);
}

/// Waits for whoever else changes the guards of this table, and keeps others out until the
/// transaction ends. Writers of messages do not notice. From a step.
pub fn guards_of(table: pg_sys::Oid) {
    crate::frame::plain::catching_longjmp(|plain| {
        let key = i64::from(table.to_u32());
        acquire(key, GUARDS_CLASS, plain);
        accept_invalidations(plain);
    });
}

/// Waits for whoever asks for leaves at this moment, and keeps others out until [`leave_asking`].
///
/// Raises what waiting for a lock raises.
pub fn enter_asking(plain: PlainFrame) {
    acquire(ASKING, LEAF_CLASS, plain);
    accept_invalidations(plain);
}

/// As [`leave_subject`].
pub fn leave_asking(plain: PlainFrame) {
    release(ASKING, LEAF_CLASS, plain);
}

/// Waits for whoever makes leaves or changes their horizons, and keeps others out until the
/// transaction ends, or until [`leave_making`].
///
/// Raises what waiting for a lock raises.
pub fn enter_making(plain: PlainFrame) {
    acquire(MAKING, LEAF_CLASS, plain);
    accept_invalidations(plain);
}

/// For whoever has found nothing to make.
pub fn leave_making(plain: PlainFrame) {
    release(MAKING, LEAF_CLASS, plain);
}

/// Whether this transaction holds a lock of at least this strength on the relation.
pub fn is_held(relation: pg_sys::Oid, mode: u32) -> bool {
    // SAFETY: looks at the backend's own table of locks.
    unsafe { pg_sys::CheckRelationOidLockedByMe(relation, mode as i32, true) }
}

/// Waits for whoever retires leaves, and keeps others out until the transaction ends.
///
/// Raises what waiting for a lock raises.
pub fn retirer(plain: PlainFrame) {
    acquire(RETIRING, LEAF_CLASS, plain);
    accept_invalidations(plain);
}

/// Sees the changes of relations that other transactions have committed by now.
pub fn accept_invalidations(_plain: PlainFrame) {
    // SAFETY: may read catalogs and raise; frames are plain.
    unsafe { native::AcceptInvalidationMessages() }
}

fn acquire(key: i64, class: u16, _plain: PlainFrame) {
    // SAFETY: a well-formed tag of the user lock method; transaction scope.
    unsafe { native::LockAcquire(&tag(key, class), MODE, false, false) };
}

fn release(key: i64, class: u16, _plain: PlainFrame) {
    // SAFETY: as `acquire`, which has taken it in this call.
    unsafe { native::LockRelease(&tag(key, class), MODE, false) };
}

pub(crate) fn tag(key: i64, class: u16) -> pg_sys::LOCKTAG {
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
