//! The watch is suspended while our own statements change a guard.

use std::cell::Cell;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Ends the suspension when it is dropped, also when an error unwinds.
struct Resume;

impl Drop for Resume {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get().saturating_sub(1));
    }
}

/// Runs statements of ours that the watch would refuse.
pub fn unwatched<T>(f: impl FnOnce() -> T) -> T {
    DEPTH.set(DEPTH.get() + 1);
    let _resume = Resume;
    f()
}

/// Whether the watch is suspended now.
pub fn is_suspended() -> bool {
    DEPTH.get() > 0
}
