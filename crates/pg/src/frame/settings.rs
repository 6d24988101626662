//! Changes settings of PostgreSQL while something runs.

use super::native;
use pgrx::pg_sys;
use std::ffi::{CStr, c_char};

/// PostgreSQL's own schema, then the session's temporary one, which would otherwise come first.
pub const SEARCH_PATH: (&CStr, &CStr) = (c"search_path", c"pg_catalog, pg_temp");

/// Settings under which texts lose nothing, and are the same in every session, for writers and
/// readers: those that pg_dump sets, and all others that an input function, an output function or
/// the grammar obeys. All code that converts values uses this one list.
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
    // Names of tables, functions and types (regclass …) are written with their schema.
    SEARCH_PATH,
];

/// For our own statements: a day has 24 hours, names are always quoted alike, and a backslash is a
/// backslash.
pub const OWN_STATEMENTS: [(&CStr, &CStr); 4] = [
    SEARCH_PATH,
    (c"timezone", c"UTC"),
    (c"quote_all_identifiers", c"off"),
    (c"standard_conforming_strings", c"on"),
];

/// Runs `f` under [`EXACT`] with the server's own time zone abbreviations, to read a text that a
/// user wrote. This reads a file, and so it is too slow for every row.
pub fn reading<T>(f: impl FnOnce() -> T) -> T {
    with(&EXACT, || {
        with(&[(c"timezone_abbreviations", c"Default")], f)
    })
}

/// Runs `f` with these settings, then restores the former ones. After an ERROR inside, PostgreSQL's
/// (sub)transaction abort restores them.
pub fn with<T>(settings: &[(&CStr, &CStr)], f: impl FnOnce() -> T) -> T {
    // SAFETY: AtEOXact_GUC ends the nest level that NewGUCNestLevel began, with all settings of it.
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
    // SAFETY: NUL-terminated; the boundary catches errors of a check hook.
    unsafe {
        pg_sys::ffi::pg_guard_ffi_boundary(|| set_locally(name.as_ptr(), value.as_ptr()));
    }
}

/// Sets a setting at the nest level that the caller has begun with NewGUCNestLevel.
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
