//! How long a revoke waits for the messages that hold its verdict.

use crate::frame::native;
use crate::frame::plain::PlainFrame;
use crate::frame::settings::set_locally;
use crate::frame::span::Span;

/// Sets `lock_timeout` to this many milliseconds until [`end`]. An ERROR also restores it.
pub fn begin(milliseconds: i32, plain: PlainFrame) -> i32 {
    let value = plain.step(|| Ok(Span::copy(milliseconds.to_string().as_bytes())));
    // SAFETY: a setting of PostgreSQL, set at a new nest level; frames are plain.
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
