//! Settings of PostgreSQL's, changed while something runs.

use super::native;
use pgrx::pg_sys;
use std::ffi::{CStr, c_char};

/// PostgreSQL's own schema, and last the session's temporary one, which else comes first.
pub const SEARCH_PATH: (&CStr, &CStr) = (c"search_path", c"pg_catalog, pg_temp");

/// Settings in which texts lose nothing and depend on nothing of the session's, whoever writes or
/// reads them: what pg_dump sets, and whatever else an input, an output or the grammar obeys. The
/// one list for all that converts values.
pub const EXACT: [(&CStr, &CStr); 12] = [
    (c"timezone", c"UTC"),
    (c"datestyle", c"ISO, YMD"),
    (c"intervalstyle", c"postgres"),
    (c"extra_float_digits", c"3"),
    (c"bytea_output", c"hex"),
    (c"xmloption", c"content"),
    (c"lc_monetary", c"C"),
    (c"array_nulls", c"on"),
    (c"standard_conforming_strings", c"on"),
    (c"transform_null_equals", c"off"),
    (c"quote_all_identifiers", c"off"),
    // Names of tables, functions and types (regclass …) come out qualified.
    SEARCH_PATH,
];

/// For our own statements: a day has 24 hours, a name is written as it is everywhere, and a
/// backslash is one.
pub const OWN_STATEMENTS: [(&CStr, &CStr); 4] = [
    SEARCH_PATH,
    (c"timezone", c"UTC"),
    (c"quote_all_identifiers", c"off"),
    (c"standard_conforming_strings", c"on"),
];

/// Runs `f` in [`EXACT`], and with the server's own abbreviations of time zones, for what a user
/// wrote. It reads a file: nothing for every row.
pub fn reading<T>(f: impl FnOnce() -> T) -> T {
    with(&EXACT, || {
        with(&[(c"timezone_abbreviations", c"Default")], f)
    })
}

/// Runs `f` with these settings, then restores what stood before. An ERROR inside restores them by
/// PostgreSQL's own (sub)transaction abort.
pub fn with<T>(settings: &[(&CStr, &CStr)], f: impl FnOnce() -> T) -> T {
    // SAFETY: AtEOXact_GUC pops the level that NewGUCNestLevel pushed, and with it what was set at
    // it.
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
    // SAFETY: NUL-terminated; the boundary catches what a check hook raises.
    unsafe {
        pg_sys::ffi::pg_guard_ffi_boundary(|| set_locally(name.as_ptr(), value.as_ptr()));
    }
}

/// Sets a setting for the nest level that the caller has pushed with NewGUCNestLevel.
///
/// # Safety
///
/// Both texts end with NUL; the caller's frames are plain, or a boundary is around them.
pub(crate) unsafe fn set_locally(name: *const c_char, value: *const c_char) {
    // SAFETY: see above.
    unsafe {
        native::set_config_option(
            name,
            value,
            pg_sys::GucContext::PGC_USERSET,
            pg_sys::GucSource::PGC_S_SESSION,
            pg_sys::GucAction::GUC_ACTION_SAVE,
            true,
            0,
            false,
        );
    }
}
