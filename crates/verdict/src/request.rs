//! The request that the webhook was asked with: what a verdict is about.

use thiserror::Error;

use crate::digest::{Digest, DigestBuilder, DigestError, FieldValue};
use crate::field::FieldMap;
use crate::json::{Json, JsonKind, JsonString, MAX_DEPTH, Place, StrictJsonError};
use crate::pointer::JsonPointer;

/// The longest subject, in bytes of UTF-8.
pub const SUBJECT_CAP: usize = 1024;

/// A webhook's request: a JSON object, read where it stands.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    document: Json<'a>,
}

/// Why a request can't be used, or names no subject.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RequestError {
    /// The bytes are not JSON.
    #[error("the request is {0}")]
    NotJson(StrictJsonError),
    /// Larger than [`crate::DOCUMENT_CAP`].
    #[error("the request is {0}")]
    TooLarge(StrictJsonError),
    /// There is no memory to read it.
    #[error("the request is too large for the memory that there is")]
    OutOfMemory,
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("the request is nested deeper than {MAX_DEPTH} levels (line {line}, column {column})")]
    TooDeep {
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
    },
    /// JSON, but not an object.
    #[error("the request must be a JSON object, not {found}")]
    NotAnObject {
        /// What it is.
        found: &'static str,
    },
    /// There is nothing at the subject's place.
    #[error("the request has no value at \"{pointer}\", where the subject should be")]
    NoValue {
        /// The subject's place.
        pointer: JsonPointer,
    },
    /// A subject is a string or an integer.
    #[error("the subject at \"{pointer}\" must be a string or an integer, not {found}")]
    WrongType {
        /// The subject's place.
        pointer: JsonPointer,
        /// What it is.
        found: &'static str,
    },
    /// A subject must name something.
    #[error("the subject at \"{pointer}\" is empty")]
    Empty {
        /// The subject's place.
        pointer: JsonPointer,
    },
    /// PostgreSQL text can't hold U+0000, so no row could ever have this subject.
    #[error("the subject at \"{pointer}\" contains U+0000")]
    Nul {
        /// The subject's place.
        pointer: JsonPointer,
    },
    /// Longer than [`SUBJECT_CAP`] bytes.
    #[error(
        "the subject at \"{pointer}\" is {length} bytes long; at most {SUBJECT_CAP} are possible"
    )]
    TooLong {
        /// The subject's place.
        pointer: JsonPointer,
        /// Its length in bytes.
        length: usize,
    },
    /// A key on the way to the subject stands twice: it would be two subjects.
    #[error("a key of \"{pointer}\" stands twice in the request, so that the subject is ambiguous")]
    DuplicateKey {
        /// The subject's place.
        pointer: JsonPointer,
    },
}

impl<'a> Request<'a> {
    /// Reads a request: strict JSON, an object, nested at most [`MAX_DEPTH`] deep.
    ///
    /// Duplicate keys are no error here: such a request has no digest, and no subject if the key
    /// leads to it.
    ///
    /// # Errors
    /// Not JSON, too deep, too large, not an object, or no memory.
    pub fn parse(body: &'a [u8]) -> Result<Self, RequestError> {
        let document = Json::check(body).map_err(|error| match error {
            StrictJsonError::TooDeep { line, column } => RequestError::TooDeep { line, column },
            StrictJsonError::TooLarge { .. } => RequestError::TooLarge(error),
            StrictJsonError::OutOfMemory => RequestError::OutOfMemory,
            other => RequestError::NotJson(other),
        })?;
        match document.root().kind() {
            JsonKind::Object => Ok(Self { document }),
            other => Err(RequestError::NotAnObject {
                found: kind_name(other),
            }),
        }
    }

    /// The subject: the non-empty string at the pointer, or the integer there as decimal text.
    ///
    /// # Errors
    /// Nothing there, another type, empty, with U+0000, longer than [`SUBJECT_CAP`], or ambiguous.
    pub fn subject(&self, pointer: &JsonPointer) -> Result<String, RequestError> {
        let pointer_ = || pointer.clone();
        let value = match self.document.root().find(pointer) {
            Place::Value(value) => value,
            Place::Nothing => {
                return Err(RequestError::NoValue {
                    pointer: pointer_(),
                });
            }
            Place::Ambiguous => {
                return Err(RequestError::DuplicateKey {
                    pointer: pointer_(),
                });
            }
        };
        let too_long = |length: usize| RequestError::TooLong {
            pointer: pointer_(),
            length,
        };
        let subject = match value.kind() {
            JsonKind::String(string) => short_text(string).map_err(too_long)?,
            JsonKind::Number(literal) if is_plain_integer(literal) => match literal.len() {
                length if length > SUBJECT_CAP => return Err(too_long(length)),
                _ => literal.to_owned(),
            },
            other => {
                return Err(RequestError::WrongType {
                    pointer: pointer_(),
                    found: kind_name(other),
                });
            }
        };
        if subject.is_empty() {
            return Err(RequestError::Empty {
                pointer: pointer_(),
            });
        }
        if subject.contains('\0') {
            return Err(RequestError::Nul {
                pointer: pointer_(),
            });
        }
        Ok(subject)
    }

    /// The digest of the content fields. A field that the request does not have counts as null.
    ///
    /// # Errors
    /// A duplicate key anywhere in the request, or a number in one of the fields that can't be kept
    /// exactly.
    pub fn digest(&self, fields: &FieldMap) -> Result<Digest, DigestError> {
        if let Some(key) = self.document.duplicate() {
            let key = key.to_owned();
            return Err(DigestError::DuplicateKey { key });
        }
        let mut builder = DigestBuilder::new(fields.len());
        for (name, pointer) in fields.iter() {
            match self.document.root().find(pointer) {
                Place::Value(value) => builder.json_field(name, value)?,
                // Ambiguous needs a duplicate key, which was refused above.
                Place::Nothing | Place::Ambiguous => builder.field(name, FieldValue::Null)?,
            }
        }
        builder.finish()
    }
}

/// A string that is short enough for a subject, or else how many bytes it has.
fn short_text(string: JsonString<'_>) -> Result<String, usize> {
    let length = usize::try_from(string.decoded_length()).unwrap_or(usize::MAX);
    if length > SUBJECT_CAP {
        return Err(length);
    }
    Ok(string.to_text())
}

/// What a value is, for a message.
fn kind_name(kind: JsonKind<'_>) -> &'static str {
    match kind {
        JsonKind::Null => "null",
        JsonKind::Bool(_) => "a boolean",
        JsonKind::Number(_) => "a number",
        JsonKind::String(_) => "a string",
        JsonKind::Array => "an array",
        JsonKind::Object => "an object",
    }
}

/// An integer in its only spelling: `-0`, `1.0` and `1e3` are not what a column would show.
fn is_plain_integer(literal: &str) -> bool {
    literal != "-0"
        && literal
            .bytes()
            .enumerate()
            .all(|(i, b)| b.is_ascii_digit() || (i == 0 && b == b'-'))
}
