//! How long a revoke waits for the messages that hold its verdict.

use crate::frame::native;
use crate::frame::plain::PlainFrame;
use crate::frame::settings::set_locally;
use crate::frame::span::Span;

/// Sets `lock_timeout` to so many milliseconds until [`end`]; an ERROR undoes it too.
pub fn begin(milliseconds: i32, plain: PlainFrame) -> i32 {
    let value = plain.step(|| Ok(Span::copy(milliseconds.to_string().as_bytes())));
    // SAFETY: a GUC of PostgreSQL's set at a nest level of its own; frames are plain.
    unsafe {
        let level = native::NewGUCNestLevel();
        set_locally(c"lock_timeout".as_ptr(), value.as_c_str());
        level
    }
}

/// Restores `lock_timeout`.
pub fn end(level: i32, _plain: PlainFrame) {
    // SAFETY: pops the level that `begin` pushed.
    unsafe { native::AtEOXact_GUC(true, level) }
}
