//! Bytes in PostgreSQL's memory, carried through plain frames.

use super::native;
use super::plain::PlainFrame;
use pgrx::pg_sys::{self, Datum};
use std::ffi::c_char;

/// A run of bytes in palloc'ed memory or in a tuple: a pointer and a length, `Copy`.
///
/// It lives as long as the memory context of the call (the function's or the trigger's per-tuple
/// context). Nothing keeps one longer than a call.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    start: *const u8,
    len: usize,
}

impl Span {
    pub const EMPTY: Self = Self {
        start: std::ptr::NonNull::dangling().as_ptr(),
        len: 0,
    };

    /// The payload of a text, bytea or any other varlena, detoasted when needed.
    pub(crate) fn of_varlena(datum: Datum, _plain: PlainFrame) -> Self {
        // SAFETY: the datum is a varlena by its SQL type; frames are plain, so detoasting may
        // raise.
        unsafe {
            let packed = native::pg_detoast_datum_packed(datum.cast_mut_ptr());
            Self {
                start: pgrx::vardata_any(packed).cast(),
                len: pgrx::varsize_any_exhdr(packed),
            }
        }
    }

    /// The bytes of a NUL-terminated string of PostgreSQL's.
    pub(crate) fn of_c_str(text: *const c_char) -> Self {
        // SAFETY: PostgreSQL's C strings end with NUL.
        let len = unsafe { std::ffi::CStr::from_ptr(text) }.to_bytes().len();
        Self {
            start: text.cast(),
            len,
        }
    }

    /// `len` bytes at `start`, which the caller knows to live for the call.
    pub(crate) fn of_raw(start: *const u8, len: usize) -> Self {
        Self { start, len }
    }

    /// A constant.
    pub const fn of_static(text: &'static str) -> Self {
        Self {
            start: text.as_ptr(),
            len: text.len(),
        }
    }

    /// The bytes of a text that outlives the span.
    pub(crate) fn borrowed(text: &str) -> Self {
        Self::of_raw(text.as_ptr(), text.len())
    }

    /// A palloc'ed copy of `bytes`, with a NUL behind it. Runs inside a step (the allocation is
    /// guarded).
    pub fn copy(bytes: &[u8]) -> Self {
        // SAFETY: palloc returns len + 1 writable bytes or raises (pgrx turns that into a panic for
        // the step).
        unsafe {
            let start = pg_sys::palloc(bytes.len() + 1).cast::<u8>();
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), start, bytes.len());
            *start.add(bytes.len()) = 0;
            Self {
                start,
                len: bytes.len(),
            }
        }
    }

    /// The lower-case hexadecimal text of `bytes`, palloc'ed. As [`Span::copy`].
    pub fn hex_of(bytes: &[u8]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        // SAFETY: as in `copy`, with two digits for each byte.
        unsafe {
            let start = pg_sys::palloc(bytes.len() * 2 + 1).cast::<u8>();
            for (i, byte) in bytes.iter().enumerate() {
                *start.add(2 * i) = DIGITS[usize::from(byte >> 4)];
                *start.add(2 * i + 1) = DIGITS[usize::from(byte & 15)];
            }
            *start.add(bytes.len() * 2) = 0;
            Self {
                start,
                len: bytes.len() * 2,
            }
        }
    }

    /// The bytes of a pass-by-value datum.
    pub fn of_word(word: usize, plain: PlainFrame) -> Self {
        let bytes = word.to_ne_bytes();
        Self {
            start: bytes.as_ptr(),
            len: bytes.len(),
        }
        .keep(plain)
    }

    /// A palloc'ed copy, for bytes that lie in a page which is let go.
    pub fn keep(self, _plain: PlainFrame) -> Self {
        // SAFETY: palloc returns len + 1 writable bytes; frames are plain.
        unsafe {
            let start = native::palloc(self.len + 1).cast::<u8>();
            std::ptr::copy_nonoverlapping(self.start, start, self.len);
            *start.add(self.len) = 0;
            Self {
                start,
                len: self.len,
            }
        }
    }

    pub fn bytes(&self) -> &[u8] {
        // SAFETY: see the type: the memory outlives the call.
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }

    /// As text. PostgreSQL has validated it: databases with another encoding than UTF8 are refused
    /// at install.
    pub fn text(&self) -> &str {
        std::str::from_utf8(self.bytes()).unwrap_or_default()
    }

    /// For C. Only for spans made by [`Span::copy`], which end with NUL.
    pub(crate) fn as_c_str(self) -> *const c_char {
        self.start.cast()
    }

    /// A new text or bytea datum with these bytes.
    pub fn to_varlena(self, _plain: PlainFrame) -> Datum {
        // SAFETY: palloc'ed memory of header + len; SET_VARSIZE writes the header.
        unsafe {
            let size = self.len + pg_sys::VARHDRSZ;
            let varlena = native::palloc(size).cast::<pg_sys::varlena>();
            pgrx::set_varsize_4b(varlena, size as i32);
            std::ptr::copy_nonoverlapping(
                self.start,
                varlena.cast::<u8>().add(pg_sys::VARHDRSZ),
                self.len,
            );
            Datum::from(varlena)
        }
    }
}
