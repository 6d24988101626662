//! Texts for SQL, and texts of C.

use super::native;
use pgrx::pg_sys;
use std::ffi::{CStr, CString, c_char};

/// Runs `f` with quote_all_identifiers off: names are compared and stored.
pub(crate) fn plainly_quoted<T>(f: impl FnOnce() -> T) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            // SAFETY: PostgreSQL's own variable of that setting; a backend has one thread.
            unsafe { native::quote_all_identifiers = self.0 };
        }
    }
    // SAFETY: see above; restored also when `f` unwinds.
    let _restore = unsafe {
        let restore = Restore(native::quote_all_identifiers);
        native::quote_all_identifiers = false;
        restore
    };
    f()
}

/// Quotes an identifier when SQL needs it, whatever the session's settings.
pub fn quote(identifier: &str) -> String {
    let c = c_string(identifier);
    // SAFETY: NUL-terminated input; the result is palloc'ed or the input itself.
    plainly_quoted(|| unsafe { owned(pg_sys::quote_identifier(c.as_ptr())) })
}

/// Quotes a text as a literal.
pub fn literal(text: &str) -> String {
    let c = c_string(text);
    // SAFETY: NUL-terminated input; the result is palloc'ed.
    unsafe { owned(pg_sys::quote_literal_cstr(c.as_ptr())) }
}

/// # Safety
///
/// `text` is NUL-terminated and in the server's encoding (UTF8, see sql/checks.sql).
pub(crate) unsafe fn owned(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: see above.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}

/// For C. A NUL inside would end the string; texts of PostgreSQL have none.
pub(crate) fn c_string(text: &str) -> CString {
    CString::new(text.split('\0').next().unwrap_or_default()).unwrap_or_default()
}
