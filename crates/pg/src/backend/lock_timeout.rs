//! How long a revoke waits for the messages that hold its verdict.

use crate::frame::native;
use crate::frame::plain::PlainFrame;
use pgrx::pg_sys;

/// Sets `lock_timeout` to so many milliseconds until [`end`]; an ERROR undoes it too.
pub fn begin(milliseconds: i32, plain: PlainFrame) -> i32 {
    let value = plain.step(|| {
        Ok(crate::frame::span::Span::copy(
            milliseconds.to_string().as_bytes(),
        ))
    });
    // SAFETY: a GUC of PostgreSQL's set at a nest level of its own; frames are plain.
    unsafe {
        let level = native::NewGUCNestLevel();
        native::set_config_option(
            c"lock_timeout".as_ptr(),
            value.as_c_str(),
            pg_sys::GucContext::PGC_USERSET,
            pg_sys::GucSource::PGC_S_SESSION,
            pg_sys::GucAction::GUC_ACTION_SAVE,
            true,
            0,
            false,
        );
        level
    }
}

/// Restores `lock_timeout`.
pub fn end(level: i32, _plain: PlainFrame) {
    // SAFETY: pops the level that `begin` pushed.
    unsafe { native::AtEOXact_GUC(true, level) }
}
