//! The content fields of a hook: what a digest is taken of.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::pointer::{JsonPointer, JsonPointerError};
use crate::words::excerpt;

/// The most fields a map may have.
pub const FIELDS_CAP: usize = 32;
/// The longest field name, in bytes of UTF-8.
pub const FIELD_NAME_CAP: usize = 64;

/// Named content fields, each with its place in the webhook's request. In the order of the digest:
/// ascending by the bytes of the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldMap(BTreeMap<String, JsonPointer>);

/// A map of fields that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FieldMapError {
    /// The map must be an object of texts.
    #[error("fields must be a JSON object such as {{\"content\": \"/content\"}}, not {found}")]
    NotAnObject {
        /// What it is.
        found: &'static str,
    },
    /// A digest of nothing would fit every row.
    #[error("fields must name at least one field")]
    NoField,
    /// More than [`FIELDS_CAP`] fields.
    #[error("fields names {count} fields; at most {FIELDS_CAP} are possible")]
    TooMany {
        /// How many there are.
        count: usize,
    },
    /// A name is empty, longer than [`FIELD_NAME_CAP`] bytes, or holds a control character.
    #[error(
        "\"{name}\" can't be a field name: it must be 1 to {FIELD_NAME_CAP} bytes \
         without control characters"
    )]
    Name {
        /// The name, cut to a length that fits a message.
        name: String,
    },
    /// A place is not a text.
    #[error("field \"{name}\" must be a JSON pointer in a string, not {found}")]
    PointerType {
        /// The field.
        name: String,
        /// What it is.
        found: &'static str,
    },
    /// A place is not a JSON pointer.
    #[error("field \"{name}\": {source}")]
    Pointer {
        /// The field.
        name: String,
        /// What is wrong with its pointer.
        source: JsonPointerError,
    },
}

/// Whether a text can name a field: 1 to [`FIELD_NAME_CAP`] bytes without control characters.
pub(crate) fn is_field_name(name: &str) -> bool {
    (1..=FIELD_NAME_CAP).contains(&name.len()) && !name.chars().any(char::is_control)
}

impl FieldMap {
    /// A map from pairs of name and pointer. A later pair of the same name replaces an earlier one.
    ///
    /// # Errors
    /// A name that can't be one, no field, or more than [`FIELDS_CAP`].
    pub fn new(
        fields: impl IntoIterator<Item = (String, JsonPointer)>,
    ) -> Result<Self, FieldMapError> {
        let fields: BTreeMap<_, _> = fields.into_iter().collect();
        if let Some(name) = fields.keys().find(|name| !is_field_name(name)) {
            return Err(FieldMapError::Name {
                name: excerpt(name),
            });
        }
        match fields.len() {
            0 => Err(FieldMapError::NoField),
            count if count > FIELDS_CAP => Err(FieldMapError::TooMany { count }),
            _ => Ok(Self(fields)),
        }
    }

    /// Reads `{"content": "/content", …}`, the form in which hooks are created and stored.
    ///
    /// # Errors
    /// Not an object, a value that is not a JSON pointer in a string, and all that
    /// [`FieldMap::new`] refuses.
    pub fn from_json(value: &serde_json::Value) -> Result<Self, FieldMapError> {
        let object = value
            .as_object()
            .ok_or_else(|| FieldMapError::NotAnObject {
                found: kind_of(value),
            })?;
        let fields = object
            .iter()
            .map(|(name, place)| {
                let text = place.as_str().ok_or_else(|| FieldMapError::PointerType {
                    name: excerpt(name),
                    found: kind_of(place),
                })?;
                let pointer =
                    JsonPointer::parse(text).map_err(|source| FieldMapError::Pointer {
                        name: excerpt(name),
                        source,
                    })?;
                Ok((name.clone(), pointer))
            })
            .collect::<Result<Vec<_>, FieldMapError>>()?;
        Self::new(fields)
    }

    /// A dialect's own fields: top-level members of the request, each under its own name.
    pub(crate) fn of_members<const N: usize>(members: [&str; N]) -> Self {
        const { assert!(N >= 1 && N <= FIELDS_CAP) };
        debug_assert!(members.iter().all(|name| is_field_name(name)));
        Self(
            members
                .iter()
                .map(|&member| (member.to_owned(), JsonPointer::to_member(member)))
                .collect(),
        )
    }

    /// The form that [`FieldMap::from_json`] reads.
    pub fn to_json(&self) -> serde_json::Value {
        self.0
            .iter()
            .map(|(name, pointer)| (name.clone(), pointer.as_str().into()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }

    /// The names, in the order of the digest.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Name and place of every field, in the order of the digest.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &JsonPointer)> {
        self.0
            .iter()
            .map(|(name, pointer)| (name.as_str(), pointer))
    }

    /// How many fields there are: 1 to [`FIELDS_CAP`].
    // No `is_empty`: a map without fields can't be made.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

/// What a JSON value is, for a message.
fn kind_of(value: &serde_json::Value) -> &'static str {
    match value {
        serde_json::Value::Null => "null",
        serde_json::Value::Bool(_) => "a boolean",
        serde_json::Value::Number(_) => "a number",
        serde_json::Value::String(_) => "a string",
        serde_json::Value::Array(_) => "an array",
        serde_json::Value::Object(_) => "an object",
    }
}
