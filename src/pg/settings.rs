//! Settings of PostgreSQL's, changed while something runs.

use super::native;
use pgrx::pg_sys;
use std::ffi::CStr;

/// Runs `f` with these settings, then restores what stood before. An ERROR inside restores them by PostgreSQL's own
/// (sub)transaction abort.
pub fn with<T>(settings: &[(&CStr, &CStr)], f: impl FnOnce() -> T) -> T {
    // SAFETY: AtEOXact_GUC pops the level that NewGUCNestLevel pushed, and with it what was set at it.
    let level = unsafe { native::NewGUCNestLevel() };
    for (name, value) in settings {
        set(name, value);
    }
    let outcome = f();
    // SAFETY: see above.
    unsafe { native::AtEOXact_GUC(true, level) };
    outcome
}

/// Sets a setting until the innermost [`with`] returns.
pub fn set(name: &CStr, value: &CStr) {
    // SAFETY: NUL-terminated; GUC_ACTION_SAVE at the nest level that `with` has pushed.
    unsafe {
        pg_sys::set_config_option(
            name.as_ptr(),
            value.as_ptr(),
            pg_sys::GucContext::PGC_USERSET,
            pg_sys::GucSource::PGC_S_SESSION,
            pg_sys::GucAction::GUC_ACTION_SAVE,
            true,
            0,
            false,
        );
    }
}
