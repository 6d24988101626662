//! Lines for the client and for the server's log.

use super::plain::{PlainFrame, RawReport, copy_text};
use super::span::Span;
use pgrx::pg_sys;
use std::ffi::c_int;

/// A NOTICE to the client, or a LOG line, from a step or a `#[pg_extern]`.
pub fn ereport(level: pgrx::PgLogLevel, text: &str) {
    let text = copy_text(text);
    // SAFETY: NUL-terminated; a cancel that errfinish meets may jump: the boundary catches it.
    unsafe { pg_sys::ffi::pg_guard_ffi_boundary(|| RawReport::message(text).emit(level as c_int)) }
}

/// One line to the server log and nowhere else: never to the client, whatever its
/// client_min_messages.
pub fn server_only(line: Span, _plain: PlainFrame) {
    // SAFETY: `line` ends with NUL (see `Span::copy`), frames are plain.
    unsafe { RawReport::message(line.as_c_str()).emit(pg_sys::LOG_SERVER_ONLY as c_int) }
}
