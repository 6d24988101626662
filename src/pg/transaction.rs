//! The ends of transactions and savepoints.

use crate::enforce::moved;
use pgrx::pg_sys;
use std::ffi::c_void;

/// Called by `_PG_init`, once.
pub fn register() {
    // SAFETY: the callbacks have the right signatures and live as long as the library.
    unsafe {
        pg_sys::RegisterXactCallback(Some(ended), std::ptr::null_mut());
        pg_sys::RegisterSubXactCallback(Some(savepoint), std::ptr::null_mut());
    }
}

unsafe extern "C-unwind" fn ended(_event: pg_sys::XactEvent::Type, _arg: *mut c_void) {
    moved::forget();
}

unsafe extern "C-unwind" fn savepoint(
    event: pg_sys::SubXactEvent::Type,
    _id: pg_sys::SubTransactionId,
    _parent: pg_sys::SubTransactionId,
    _arg: *mut c_void,
) {
    if event == pg_sys::SubXactEvent::SUBXACT_EVENT_ABORT_SUB {
        moved::forget();
    }
}
