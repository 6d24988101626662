//! The request that the webhook was asked with: what a verdict is about.

use thiserror::Error;

use crate::digest::{Digest, DigestBuilder, DigestError, Value};
use crate::field::FieldMap;
use crate::json::{self, Document, Found, MAX_DEPTH, Node, StrictJsonError};
use crate::pointer::JsonPointer;

/// The longest subject, in bytes of UTF-8.
pub const SUBJECT_CAP: usize = 1024;

/// A webhook's request: a JSON object.
#[derive(Debug, Clone)]
pub struct Request {
    document: Document,
}

/// Why a request can't be used, or names no subject.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RequestError {
    /// The bytes are not JSON.
    #[error("the request is {0}")]
    NotJson(StrictJsonError),
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

impl Request {
    /// Reads a request: strict JSON, an object, nested at most [`MAX_DEPTH`] deep.
    ///
    /// Duplicate keys are no error here: such a request has no digest, and no subject if the key leads to it.
    ///
    /// # Errors
    /// Not JSON, too deep, or not an object.
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        let document = json::parse(body).map_err(|error| match error {
            StrictJsonError::TooDeep { line, column } => RequestError::TooDeep { line, column },
            other => RequestError::NotJson(other),
        })?;
        match &document.root {
            Node::Object(_) => Ok(Self { document }),
            other => Err(RequestError::NotAnObject {
                found: other.kind(),
            }),
        }
    }

    /// The subject: the non-empty string at the pointer, or the integer there as decimal text.
    ///
    /// # Errors
    /// Nothing there, another type, empty, with U+0000, longer than [`SUBJECT_CAP`], or ambiguous.
    pub fn subject(&self, pointer: &JsonPointer) -> Result<String, RequestError> {
        let pointer_ = || pointer.clone();
        let node = match self.document.root.find(pointer) {
            Found::Value(node) => node,
            Found::Nothing => {
                return Err(RequestError::NoValue {
                    pointer: pointer_(),
                });
            }
            Found::Ambiguous => {
                return Err(RequestError::DuplicateKey {
                    pointer: pointer_(),
                });
            }
        };
        let subject = match node {
            Node::String(text) => text,
            Node::Number(literal) if is_plain_integer(literal) => literal,
            other => {
                return Err(RequestError::WrongType {
                    pointer: pointer_(),
                    found: other.kind(),
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
        if subject.len() > SUBJECT_CAP {
            return Err(RequestError::TooLong {
                pointer: pointer_(),
                length: subject.len(),
            });
        }
        Ok(subject.clone())
    }

    /// The digest of the content fields. A field that the request does not have counts as null.
    ///
    /// # Errors
    /// A duplicate key anywhere in the request, or a number in one of the fields that can't be kept exactly.
    pub fn digest(&self, fields: &FieldMap) -> Result<Digest, DigestError> {
        if let Some(key) = &self.document.duplicate {
            return Err(DigestError::DuplicateKey { key: key.clone() });
        }
        let mut builder = DigestBuilder::new(fields.len());
        for (name, pointer) in fields.iter() {
            match self.document.root.find(pointer) {
                Found::Value(Node::String(text)) => builder.field(name, Value::String(text))?,
                Found::Value(node) => {
                    let value = node.to_value().map_err(|inexact| DigestError::Number {
                        literal: inexact.literal,
                    })?;
                    builder.field(name, Value::of_json(&value))?;
                }
                // Ambiguous needs a duplicate key, which was refused above.
                Found::Nothing | Found::Ambiguous => builder.field(name, Value::Null)?,
            }
        }
        builder.finish()
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
