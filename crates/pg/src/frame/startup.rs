//! What is done once, when the library is loaded and when the process ends.

use pgrx::pg_sys::{self, Datum};
use std::cell::Cell;
use std::ffi::c_int;

/// A server started with RUST_BACKTRACE would put backtraces with source paths into its clients'
/// errors.
pub fn forget_backtraces() {
    // SAFETY: a backend has one thread.
    unsafe {
        std::env::remove_var("RUST_BACKTRACE");
        std::env::remove_var("RUST_LIB_BACKTRACE");
    }
}

thread_local! {
    static AT_EXIT: Cell<Option<fn()>> = const { Cell::new(None) };
}

/// Calls `f` when this process ends. The first call counts.
pub fn at_exit_once(f: fn()) {
    if AT_EXIT.replace(Some(f)).is_none() {
        // SAFETY: the callback has the right signature and lives as long as the library.
        unsafe { pg_sys::on_proc_exit(Some(exiting), Datum::null()) }
    }
}

unsafe extern "C-unwind" fn exiting(_code: c_int, _arg: Datum) {
    // SAFETY: a callback's frame with nothing to drop; what `f` raises becomes PostgreSQL's.
    unsafe {
        pg_sys::submodules::panic::pgrx_extern_c_guard(|| {
            if let Some(f) = AT_EXIT.get() {
                f();
            }
        });
    }
}
