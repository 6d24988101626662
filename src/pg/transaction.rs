//! The ends of transactions and savepoints.

use super::{entry, native};
use crate::audit::tally;
use crate::enforce::{moved, setting_out};
use crate::quarantine::hold;
use crate::report::{Report, SqlState};
use crate::watch::arrived;
use pgrx::pg_sys::{self, SubXactEvent, XactEvent};
use std::ffi::c_void;

/// Called by `_PG_init`, once.
pub fn register() {
    // SAFETY: the callbacks have the right signatures and live as long as the library.
    unsafe {
        pg_sys::RegisterXactCallback(Some(transaction), std::ptr::null_mut());
        pg_sys::RegisterSubXactCallback(Some(savepoint), std::ptr::null_mut());
    }
}

/// 1 outside savepoints, one more in each.
pub fn nest_level() -> i32 {
    // SAFETY: reads a static.
    unsafe { pg_sys::GetCurrentTransactionNestLevel() }
}

/// Whether this (sub)transaction belongs to the one at work, and has not been rolled back.
pub fn is_current(xid: u32) -> bool {
    // SAFETY: looks at the backend's own state.
    unsafe { native::TransactionIdIsCurrentTransactionId(xid.into()) }
}

/// Said before any work: what would come later is an internal error on a standby.
///
/// # Errors
///
/// 25006 in a read-only transaction and on a standby.
pub fn must_be_writable() -> Result<(), Report> {
    // SAFETY: reads a variable, which is set on a standby too.
    if unsafe { !pg_sys::XactReadOnly } {
        return Ok(());
    }
    Err(Report::new(
        SqlState::ReadOnly,
        "pg_verdict cannot write in a read-only transaction",
    )
    .hint("A standby only reads: record and decide on the primary."))
}

unsafe extern "C-unwind" fn transaction(event: XactEvent::Type, _arg: *mut c_void) {
    match event {
        XactEvent::XACT_EVENT_PRE_COMMIT | XactEvent::XACT_EVENT_PRE_PREPARE => {
            if !tally::is_empty() {
                entry::callback(tally::write);
            }
        }
        _ => {
            moved::forget();
            setting_out::forget();
            tally::forget();
            arrived::forget();
            hold::forget();
        }
    }
}

unsafe extern "C-unwind" fn savepoint(
    event: SubXactEvent::Type,
    _id: pg_sys::SubTransactionId,
    _parent: pg_sys::SubTransactionId,
    _arg: *mut c_void,
) {
    match event {
        SubXactEvent::SUBXACT_EVENT_COMMIT_SUB => {
            moved::keep(nest_level());
            tally::keep(nest_level());
        }
        SubXactEvent::SUBXACT_EVENT_ABORT_SUB => {
            moved::drop_level(nest_level());
            tally::drop_level(nest_level());
        }
        _ => {}
    }
}
