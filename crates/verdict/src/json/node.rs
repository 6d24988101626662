//! A JSON document as it was written: members in order with duplicates, numbers as text.

use serde_json::Value;

use super::number::{self, Number};
use crate::pointer::JsonPointer;
use crate::words::excerpt;

/// A JSON value as it was written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    /// The literal, not a number yet: see [`number`].
    Number(String),
    String(String),
    Array(Vec<Node>),
    /// In the order of the text, duplicates included.
    Object(Vec<(String, Node)>),
}

/// A number that a double can't hold as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inexact {
    pub literal: String,
}

/// Where a pointer leads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Found<'a> {
    Value(&'a Node),
    Nothing,
    /// A key on the way stands twice, so that it leads to two places.
    Ambiguous,
}

impl Node {
    /// What it is, for a message.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    /// Follows a pointer (RFC 6901, section 4).
    pub(crate) fn find(&self, pointer: &JsonPointer) -> Found<'_> {
        let mut here = self;
        for token in pointer.tokens() {
            here = match here {
                Self::Object(members) => {
                    let mut named = members.iter().filter(|(key, _)| *key == token);
                    match (named.next(), named.next()) {
                        (Some((_, value)), None) => value,
                        (None, _) => return Found::Nothing,
                        (Some(_), Some(_)) => return Found::Ambiguous,
                    }
                }
                Self::Array(items) => match array_index(&token).and_then(|i| items.get(i)) {
                    Some(item) => item,
                    None => return Found::Nothing,
                },
                Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => {
                    return Found::Nothing;
                }
            };
        }
        Found::Value(here)
    }

    /// The same value for serde_json. Of duplicate keys the last is kept: ask [`super::Document::duplicate`] first.
    pub(crate) fn to_value(&self) -> Result<Value, Inexact> {
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(b) => Value::Bool(*b),
            Self::String(s) => Value::String(s.clone()),
            Self::Number(literal) => number_value(literal)?,
            Self::Array(items) => items
                .iter()
                .map(Self::to_value)
                .collect::<Result<Vec<_>, _>>()?
                .into(),
            Self::Object(members) => members
                .iter()
                .map(|(key, value)| Ok((key.clone(), value.to_value()?)))
                .collect::<Result<serde_json::Map<_, _>, _>>()?
                .into(),
        })
    }
}

fn number_value(literal: &str) -> Result<Value, Inexact> {
    let value = match number::read(literal) {
        Number::Integer(i) => Some(i.into()),
        Number::Unsigned(u) => Some(u.into()),
        Number::Double(d) => serde_json::Number::from_f64(d).map(Value::Number),
        Number::Inexact => None,
    };
    value.ok_or_else(|| Inexact {
        literal: excerpt(literal),
    })
}

/// RFC 6901: digits without a leading zero. `-`, the place behind the last element, is never there.
fn array_index(token: &str) -> Option<usize> {
    let plain = token.bytes().all(|b| b.is_ascii_digit());
    let leading_zero = token.len() > 1 && token.starts_with('0');
    if plain && !leading_zero {
        token.parse().ok()
    } else {
        None
    }
}
