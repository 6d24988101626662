//! The digest of named content fields: one canonical byte form, so that every language computes the
//! same.
//!
//! The bytes are fixed in `docs/digest.md`. In short: `pg_verdict/digest/v1` and a zero byte; the
//! number of fields (u32); then per field, in ascending order of the name's bytes, the name's
//! length (u32), the name, a type tag (one byte), the value's length (u64), the value. All numbers
//! big endian.

use std::fmt;

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::field::{FIELD_NAME_CAP, is_field_name};
use crate::hex::hex_digits;
use crate::json::{JsonKind, JsonValue, Length, NoForm, Sink, read_integer};
use crate::words::excerpt;

const DOMAIN: &[u8] = b"pg_verdict/digest/v1\0";

const TAG_NULL: u8 = b'n';
const TAG_STRING: u8 = b's';
const TAG_INTEGER: u8 = b'i';
const TAG_BOOLEAN: u8 = b'b';
const TAG_JSON: u8 = b'j';

/// SHA-256 over named content fields in their canonical form.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// From 32 bytes; nothing for any other number.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// 64 lower-case hexadecimal digits.
    pub fn to_hex(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// The value of a content field that stands in no JSON document. Values of different types never
/// have the same digest: `"1"`, `1` and `true` differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldValue<'a> {
    /// JSON null, SQL NULL, or a field that the request does not have.
    Null,
    /// A text, byte for byte: no Unicode normalisation, no trimming.
    String(&'a str),
    /// An integer of at most 64 bits.
    Integer(i64),
    /// A boolean.
    Boolean(bool),
}

/// Why there is no digest.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DigestError {
    /// The document has a key twice in one object: readers differ on what it says.
    #[error("the key \"{key}\" stands twice in one object, so that the document has no digest")]
    DuplicateKey {
        /// The key, cut to a length that fits a message.
        key: String,
    },
    /// A number that RFC 8785 would round.
    #[error(
        "the number {literal} can't be kept exactly as a double, so that its document has no digest"
    )]
    Number {
        /// The number, cut to a length that fits a message.
        literal: String,
    },
    /// The bytes of a value are not the text or the JSON that they should be.
    #[error("no canonical JSON: {reason}")]
    Unreadable {
        /// What is wrong with them.
        reason: String,
    },
    /// The fields did not come in ascending order of their names, each of them once.
    #[error("field \"{name}\" must come before \"{previous}\", and only once")]
    Order {
        /// The field that came too late.
        name: String,
        /// The one before it.
        previous: String,
    },
    /// A name that [`crate::FieldMap`] would refuse.
    #[error("\"{name}\" can't be a field name")]
    Name {
        /// The name, cut to a length that fits a message.
        name: String,
    },
    /// Another number of fields was announced.
    #[error("{announced} fields were announced, {given} given")]
    Count {
        /// As given to [`DigestBuilder::new`].
        announced: usize,
        /// As given to [`DigestBuilder::field`].
        given: usize,
    },
    /// A digest of no field would fit every row.
    #[error("a digest needs at least one field")]
    NoField,
    /// There is no memory to take it.
    #[error("too large for the memory that there is")]
    OutOfMemory,
}

/// Takes a digest field by field. Scalar values cost no allocation: a guard does this for every
/// row.
pub struct DigestBuilder {
    hash: Sha256,
    announced: usize,
    given: usize,
    /// The last name, to check the order. It is kept here, so that the builder neither borrows nor
    /// allocates.
    last: [u8; FIELD_NAME_CAP],
    last_len: usize,
}

impl DigestBuilder {
    /// Begins a digest of so many fields.
    pub fn new(field_count: usize) -> Self {
        let mut hash = Sha256::new();
        hash.update(DOMAIN);
        // A number beyond u32 can't be given either, so `finish` refuses it.
        let count = u32::try_from(field_count).unwrap_or(u32::MAX);
        hash.update(count.to_be_bytes());
        Self {
            hash,
            announced: field_count,
            given: 0,
            last: [0; FIELD_NAME_CAP],
            last_len: 0,
        }
    }

    /// Adds a field. The fields come in strictly ascending order of the bytes of their names.
    ///
    /// # Errors
    /// A name out of order or not possible. Then nothing has been added, and
    /// `finish` reports that a field is missing.
    pub fn field(&mut self, name: &str, value: FieldValue<'_>) -> Result<(), DigestError> {
        self.must_come_next(name)?;
        self.scalar(name, value);
        self.has_come(name);
        Ok(())
    }

    /// Adds a field whose value stands in a JSON text, without a copy of it. Strings, booleans,
    /// null and integers of 64 bits count as [`FieldValue`], whatever their spelling.
    ///
    /// # Errors
    /// As [`DigestBuilder::field`]; a number that RFC 8785 would round; no memory.
    pub fn json_field(&mut self, name: &str, value: JsonValue<'_>) -> Result<(), DigestError> {
        self.must_come_next(name)?;
        match value.kind() {
            JsonKind::Null => self.scalar(name, FieldValue::Null),
            JsonKind::Bool(b) => self.scalar(name, FieldValue::Boolean(b)),
            JsonKind::String(string) => {
                self.head(name, TAG_STRING, string.decoded_length());
                string.put_decoded(&mut Hashed(&mut self.hash));
            }
            JsonKind::Number(literal) => match read_integer(literal) {
                Some(integer) => self.scalar(name, FieldValue::Integer(integer)),
                None => self.canonical_field(name, value)?,
            },
            JsonKind::Array | JsonKind::Object => self.canonical_field(name, value)?,
        }
        self.has_come(name);
        Ok(())
    }

    /// Adds a text field: bytes as lower-case hexadecimal, without a copy of them.
    ///
    /// # Errors
    /// A name out of order or not possible.
    pub fn hex_field(&mut self, name: &str, bytes: &[u8]) -> Result<(), DigestError> {
        self.must_come_next(name)?;
        self.head(name, TAG_STRING, bytes.len() as u64 * 2);
        for byte in bytes {
            self.hash.update(hex_digits(*byte));
        }
        self.has_come(name);
        Ok(())
    }

    fn canonical_field(&mut self, name: &str, value: JsonValue<'_>) -> Result<(), DigestError> {
        // The length stands before the value. So the value is written twice, the first time only to
        // count its bytes: to keep them would take memory.
        let mut length = Length::default();
        value.put_canonical(&mut length).map_err(no_digest)?;
        self.head(name, TAG_JSON, length.0);
        value
            .put_canonical(&mut Hashed(&mut self.hash))
            .map_err(no_digest)
    }

    fn must_come_next(&self, name: &str) -> Result<(), DigestError> {
        if !is_field_name(name) {
            return Err(DigestError::Name {
                name: excerpt(name),
            });
        }
        let last = &self.last[..self.last_len];
        // The first name is greater than the empty one.
        if name.as_bytes() <= last {
            return Err(DigestError::Order {
                name: name.to_owned(),
                previous: String::from_utf8_lossy(last).into_owned(),
            });
        }
        Ok(())
    }

    fn has_come(&mut self, name: &str) {
        self.last[..name.len()].copy_from_slice(name.as_bytes());
        self.last_len = name.len();
        self.given += 1;
    }

    fn scalar(&mut self, name: &str, value: FieldValue<'_>) {
        match value {
            FieldValue::Null => self.append(name, TAG_NULL, &[]),
            FieldValue::String(s) => self.append(name, TAG_STRING, s.as_bytes()),
            FieldValue::Integer(i) => self.append(name, TAG_INTEGER, &i.to_be_bytes()),
            FieldValue::Boolean(b) => self.append(name, TAG_BOOLEAN, &[u8::from(b)]),
        }
    }

    fn append(&mut self, name: &str, tag: u8, value: &[u8]) {
        // It can't be cut: usize has at most 64 bits.
        self.head(name, tag, value.len() as u64);
        self.hash.update(value);
    }

    fn head(&mut self, name: &str, tag: u8, length: u64) {
        // It can't be cut: a name has at most FIELD_NAME_CAP bytes.
        self.hash.update((name.len() as u32).to_be_bytes());
        self.hash.update(name.as_bytes());
        self.hash.update([tag]);
        self.hash.update(length.to_be_bytes());
    }

    /// Ends the digest.
    ///
    /// # Errors
    /// Not as many fields as announced, or none.
    pub fn finish(self) -> Result<Digest, DigestError> {
        if self.given != self.announced {
            return Err(DigestError::Count {
                announced: self.announced,
                given: self.given,
            });
        }
        if self.given == 0 {
            return Err(DigestError::NoField);
        }
        Ok(Digest(self.hash.finalize().into()))
    }
}

struct Hashed<'a>(&'a mut Sha256);

impl Sink for Hashed<'_> {
    fn put(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}

fn no_digest(reason: NoForm) -> DigestError {
    match reason {
        NoForm::Inexact { literal } => DigestError::Number { literal },
        NoForm::OutOfMemory => DigestError::OutOfMemory,
    }
}
