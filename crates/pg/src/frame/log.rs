//! Lines for the client and for the server's log.

use super::native;
use super::plain::{PlainFrame, copy_text};
use super::span::Span;
use pgrx::pg_sys;
use std::ffi::{c_char, c_int};

/// A NOTICE to the client, or a LOG line, from a step or a `#[pg_extern]`.
pub fn ereport(level: pgrx::PgLogLevel, text: &str) {
    let text = copy_text(text);
    // SAFETY: NUL-terminated; a cancel that errfinish meets may jump: the boundary catches it.
    unsafe { pg_sys::ffi::pg_guard_ffi_boundary(|| emit(level as c_int, text)) }
}

/// One line to the server log and nowhere else: never to the client, whatever its client_min_messages.
pub fn server_only(line: Span, _plain: PlainFrame) {
    // SAFETY: `line` ends with NUL (see `Span::copy`), frames are plain.
    unsafe { emit(pg_sys::LOG_SERVER_ONLY as c_int, line.as_c_str()) }
}

/// # Safety
///
/// `text` ends with NUL; the caller's frames are plain, or a boundary is around them. `level` is below ERROR, so
/// that errfinish returns.
unsafe fn emit(level: c_int, text: *const c_char) {
    // SAFETY: see above; the format is constant.
    unsafe {
        if native::errstart(level, std::ptr::null()) {
            native::errmsg_internal(c"%s".as_ptr(), text);
            // The statement may carry a message's body.
            native::errhidestmt(true);
            native::errfinish(c"pg_verdict".as_ptr(), 0, std::ptr::null());
        }
    }
}
