//! A JSON document as it was written: members in order with duplicates, numbers as text.

use serde_json::Value;

use super::number::{self, Number};
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

impl Node {
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
