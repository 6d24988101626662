//! Why a text is not JSON that can be relied on, and the limits of what is read.

use thiserror::Error;

/// The largest JSON document that is read, in bytes: a webhook's request, or a document in a
/// guarded column.
pub const DOCUMENT_CAP: usize = 32 * 1024 * 1024;

/// How deep arrays and objects may be nested.
pub const MAX_DEPTH: usize = 64;

/// Why a text is not JSON that can be relied on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StrictJsonError {
    /// The bytes are not UTF-8.
    #[error("not UTF-8 at byte {offset}")]
    Utf8 {
        /// Number of bytes before the first wrong one.
        offset: usize,
    },
    /// The text is not JSON (RFC 8259). Neither are a BOM, trailing bytes, half a surrogate pair,
    /// and a number beyond the range of a double.
    #[error("not JSON at line {line}, column {column}: {reason}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What was expected or found.
        reason: &'static str,
    },
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH} levels at line {line}, column {column}")]
    TooDeep {
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
    },
    /// Larger than [`DOCUMENT_CAP`].
    #[error("a document of {bytes} bytes; at most {DOCUMENT_CAP} are read")]
    TooLarge {
        /// How many it has.
        bytes: usize,
    },
    /// There is no memory to read it.
    #[error("too large for the memory that there is")]
    OutOfMemory,
}
