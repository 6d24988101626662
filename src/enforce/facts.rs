//! From a row's columns to what is decided on: its subject and its digest.

use super::plan::Plan;
use super::shape::Shape;
use crate::pg::columns::{self, Raw, RowSlot};
use crate::pg::entry::Plain;
use crate::pg::span::Span;
use crate::report::Report;
use crate::store::lookup::Key;
use verdict::{Digest, DigestBuilder, DigestError, FIELDS_CAP, Row, RowDigest, Value};

/// The columns' values, read from the slot.
#[derive(Clone, Copy)]
pub struct Content {
    key: Option<Raw>,
    fields: [Raw; FIELDS_CAP],
    count: usize,
}

impl Content {
    /// Reads subject and content columns. May detoast.
    pub fn read(shape: &Shape, row: RowSlot, plain: Plain) -> Self {
        let key = shape
            .key
            .map(|key| columns::read(row, key.attnum, key.reader, plain));
        let mut fields = [Raw::Null; FIELDS_CAP];
        let mut count = 0;
        for column in shape.content() {
            fields[count] = columns::read(row, column.attnum, column.reader, plain);
            count += 1;
        }
        Self { key, fields, count }
    }
}

/// The row as `decide` wants it, and what its verdict is looked up by.
///
/// # Errors
///
/// None at present: content without a digest is a fact, not an error.
pub fn facts(plan: &Plan, content: &Content) -> Result<(Row, Option<Key>), Report> {
    let digest = match content.count {
        0 => RowDigest::Unbound,
        count => digest(&plan.fields, &content.fields[..count])
            .map_or(RowDigest::Unavailable, RowDigest::Of),
    };
    let subject = match (content.key, digest) {
        (Some(raw), _) => subject_text(raw),
        (None, RowDigest::Of(digest)) => Some(digest.to_hex()),
        (None, _) => None,
    };
    let key = subject.map(|subject| Key {
        hook_id: plan.shape.hook_id,
        hash: verdict::subject_hash(plan.shape.hook_id, &subject),
        subject: Span::copy(subject.as_bytes()),
    });
    Ok((
        Row {
            has_subject: key.is_some(),
            digest,
        },
        key,
    ))
}

fn digest(names: &[String], values: &[Raw]) -> Result<Digest, DigestError> {
    let mut builder = DigestBuilder::new(names.len());
    for (name, raw) in names.iter().zip(values) {
        feed(&mut builder, name, *raw)?;
    }
    builder.finish()
}

fn feed(builder: &mut DigestBuilder, name: &str, raw: Raw) -> Result<(), DigestError> {
    match raw {
        Raw::Null => builder.field(name, Value::Null),
        Raw::Text(span) => builder.field(name, Value::String(span.text())),
        Raw::Integer(value) => builder.field(name, Value::Integer(value)),
        Raw::Boolean(value) => builder.field(name, Value::Boolean(value)),
        Raw::Uuid(span) => builder.field(name, Value::String(&uuid_text(span))),
        Raw::Hex(span) => builder.field(name, Value::String(&hex(span))),
        Raw::Utf8(span) => match std::str::from_utf8(span.bytes()) {
            Ok(text) => builder.field(name, Value::String(text)),
            Err(error) => Err(DigestError::Canonical {
                reason: error.to_string(),
            }),
        },
        Raw::Json(span) => {
            let value = verdict::json_without_duplicates(span.bytes()).map_err(|error| {
                DigestError::Canonical {
                    reason: error.to_string(),
                }
            })?;
            builder.field(name, Value::of_json(&value))
        }
    }
}

pub(super) fn subject_text(raw: Raw) -> Option<String> {
    match raw {
        Raw::Null | Raw::Json(_) => None,
        Raw::Text(span) => Some(span.text().to_owned()),
        Raw::Integer(value) => Some(value.to_string()),
        Raw::Boolean(value) => Some(value.to_string()),
        Raw::Uuid(span) => Some(uuid_text(span)),
        Raw::Hex(span) => Some(hex(span)),
        Raw::Utf8(span) => std::str::from_utf8(span.bytes()).ok().map(str::to_owned),
    }
}

fn hex(span: Span) -> String {
    span.bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// `a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11`: as PostgreSQL prints it.
fn uuid_text(span: Span) -> String {
    let hex = hex(span);
    [(0, 8), (8, 12), (12, 16), (16, 20), (20, 32)]
        .map(|(from, to)| hex.get(from..to).unwrap_or_default())
        .join("-")
}
