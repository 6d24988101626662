//! Plain frames: frames that PostgreSQL may `longjmp` out of, since they have nothing to drop.
//!
//! RFC 2945 calls them *plain old frames*. An entry point runs in one. From there it takes turns: C
//! that may raise is called bare ([`super::native`]); Rust that allocates or may panic runs inside
//! [`PlainFrame::step`], and hands back something `Copy`, or a [`Report`] to raise.

use super::native;
use crate::report::Report;
use pgrx::pg_sys;
use std::ffi::{CString, c_char, c_int};

/// Witness that the calling frames hold nothing to drop, so that PostgreSQL may jump out of them.
///
/// Only an entry point makes one. A function that takes a `PlainFrame` may raise by `longjmp`; its
/// caller must hold only `Copy` values, or have the call inside a frame of its own.
#[derive(Clone, Copy)]
pub struct PlainFrame(pub(crate) ());

/// A [`Report`] copied to palloc'ed memory: survives the Rust frame that made it.
#[derive(Clone, Copy)]
pub(crate) struct RawReport {
    sqlstate: c_int,
    message: *const c_char,
    detail: *const c_char,
    hint: *const c_char,
    schema: *const c_char,
    table: *const c_char,
    constraint: *const c_char,
}

#[derive(Clone, Copy)]
enum Turn<T: Copy> {
    Done(T),
    Raise(RawReport),
}

impl PlainFrame {
    /// Runs Rust that may allocate, panic, or call pgrx. An `Err` becomes an ERROR with every field
    /// of it; a panic becomes an internal error without backtrace.
    pub fn step<T: Copy>(self, f: impl FnOnce() -> Result<T, Report>) -> T {
        // SAFETY: this frame and its callers are plain (that is what `self` witnesses), so the
        // guard may raise.
        let turn = unsafe {
            pg_sys::submodules::panic::pgrx_extern_c_guard(|| match f() {
                Ok(value) => Turn::Done(value),
                Err(report) => Turn::Raise(RawReport::copy(&report)),
            })
        };
        match turn {
            Turn::Done(value) => value,
            Turn::Raise(raw) => raw.raise(),
        }
    }
}

/// Raises from a frame that has something to drop: pgrx catches the error and raises it again when
/// all is dropped.
///
/// Not through pgrx's own report, which would name our source file and line to a verbose client.
pub(crate) fn raise_through_pgrx(report: Report) -> ! {
    let raw = RawReport::copy(&report);
    drop(report);
    // SAFETY: the closure's frame holds `Copy` values only.
    unsafe { pg_sys::ffi::pg_guard_ffi_boundary(|| raw.raise()) }
}

/// Rust that a callback of PostgreSQL's runs. An `Err` becomes an ERROR.
pub(crate) fn callback(f: fn() -> Result<(), Report>) {
    PlainFrame(()).step(f);
}

/// As [`callback`], about one object.
pub(crate) fn callback_about<T: Copy>(object: T, f: fn(T) -> Result<(), Report>) {
    PlainFrame(()).step(|| f(object));
}

/// Plain code from within a step or a `#[pg_extern]`. `f` holds `Copy` values only. What it raises
/// goes on through pgrx: with SQLSTATE, message, DETAIL and HINT, but without CONTEXT.
pub fn catching_longjmp<T: Copy>(f: impl FnOnce(PlainFrame) -> T) -> T {
    // SAFETY: the boundary catches a longjmp in this frame; f's frames are plain.
    unsafe { pg_sys::ffi::pg_guard_ffi_boundary(|| f(PlainFrame(()))) }
}

impl RawReport {
    fn copy(report: &Report) -> Self {
        let optional = |text: &Option<String>| text.as_deref().map_or(std::ptr::null(), copy_text);
        let about = report.about.as_deref().cloned().unwrap_or_default();
        Self {
            sqlstate: encode_sqlstate(report.state.as_str()),
            message: copy_text(&report.message),
            detail: optional(&report.detail),
            hint: optional(&report.hint),
            schema: optional(&about.schema),
            table: optional(&about.table),
            constraint: optional(&about.constraint),
        }
    }

    /// A message and nothing else.
    pub(crate) fn message(message: *const c_char) -> Self {
        Self {
            sqlstate: 0,
            message,
            detail: std::ptr::null(),
            hint: std::ptr::null(),
            schema: std::ptr::null(),
            table: std::ptr::null(),
            constraint: std::ptr::null(),
        }
    }

    fn raise(self) -> ! {
        // SAFETY: all texts are NULL or palloc'ed; the caller's frames are plain.
        unsafe { self.emit(pgrx::PgLogLevel::ERROR as c_int) };
        unreachable!("errfinish(ERROR) does not return")
    }

    /// What `ereport` does. Returns when `level` is below ERROR. The statement is left out of a
    /// line of ours: it may carry a message's body.
    ///
    /// # Safety
    ///
    /// All texts are NULL or end with NUL; the caller's frames are plain, or a boundary is around
    /// them.
    pub(crate) unsafe fn emit(self, level: c_int) {
        const NAMES: [c_int; 3] = [b's' as c_int, b't' as c_int, b'n' as c_int];
        // SAFETY: see above; the formats are constants.
        unsafe {
            if !native::errstart(level, std::ptr::null()) {
                return;
            }
            if level < pgrx::PgLogLevel::ERROR as c_int {
                native::errhidestmt(true);
            } else {
                native::errcode(self.sqlstate);
            }
            native::errmsg_internal(c"%s".as_ptr(), self.message);
            if !self.detail.is_null() {
                native::errdetail_internal(c"%s".as_ptr(), self.detail);
            }
            if !self.hint.is_null() {
                native::errhint(c"%s".as_ptr(), self.hint);
            }
            for (field, value) in NAMES
                .into_iter()
                .zip([self.schema, self.table, self.constraint])
            {
                if !value.is_null() {
                    native::err_generic_string(field, value);
                }
            }
            native::errfinish(c"pg_verdict".as_ptr(), 0, std::ptr::null());
        }
    }
}

/// NUL-terminated copy in the current memory context; bytes after a NUL (there are none in a text
/// of PostgreSQL's) are cut off.
pub(crate) fn copy_text(text: &str) -> *const c_char {
    let clean = text.split('\0').next().unwrap_or_default();
    let c = CString::new(clean).unwrap_or_default();
    // SAFETY: `c` is NUL-terminated; pstrdup copies it.
    unsafe { pg_sys::pstrdup(c.as_ptr()) }
}

/// PostgreSQL packs five characters into an int, six bits each (`MAKE_SQLSTATE`).
pub(crate) fn encode_sqlstate(state: &str) -> c_int {
    state.bytes().rev().fold(0, |code, byte| {
        (code << 6) | c_int::from((byte - b'0') & 0x3F)
    })
}
