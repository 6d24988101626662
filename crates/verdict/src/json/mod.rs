//! Reading JSON twice: strictly, as evidence ([`parse()`]), and as tolerantly as anyone might ([`scan`]).
//!
//! Why not serde_json's own reader: it keeps the last of duplicate keys and rounds numbers without a word. Both would let
//! two contents share one digest.

mod node;
mod number;
mod parse;
pub(crate) mod scan;
mod text;

use thiserror::Error;

pub(crate) use node::Node;
pub(crate) use number::{Number, is_exact_integer, read as read_number};
pub(crate) use parse::parse;
pub use text::{Json, JsonValue};
pub(crate) use text::{Kind, Length, NoForm, Place, Sink};

/// The largest JSON document that is read, in bytes: a webhook's request, or a document in a guarded column.
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
    /// The text is not JSON (RFC 8259): also a BOM, trailing bytes, half a surrogate pair, or a number beyond the range
    /// of a double.
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
    /// A key stands twice in one object: readers differ on which counts.
    #[error("the key \"{key}\" stands twice in one object")]
    DuplicateKey {
        /// The key, cut to a length that fits a message.
        key: String,
    },
    /// A number that a double can't hold as it was written.
    #[error("the number {literal} can't be kept exactly")]
    Number {
        /// The number as written, cut to a length that fits a message.
        literal: String,
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

/// Reads JSON whose meaning is beyond doubt: for `json` and `jsonb` columns and for every other value a digest is taken of.
///
/// Integers that fit 64 bits are kept exactly, however they are written (`1`, `1.0`, `1e0`).
///
/// # Errors
/// Not UTF-8, not JSON, trailing bytes, deeper than [`MAX_DEPTH`], duplicate keys, or a number that would be rounded.
pub fn json_without_duplicates(text: &[u8]) -> Result<serde_json::Value, StrictJsonError> {
    let document = parse(text)?;
    if let Some(key) = document.duplicate {
        return Err(StrictJsonError::DuplicateKey { key });
    }
    document
        .root
        .to_value()
        .map_err(|inexact| StrictJsonError::Number {
            literal: inexact.literal,
        })
}
