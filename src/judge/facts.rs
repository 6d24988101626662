//! Reads from a row's columns what the guard decides on: subject and digest.

use crate::guard::info::{CachedGuard, GuardInfo};
use crate::store::lookup::Key;
use pg::columns::{self, Raw, RowSlot};
use pg::plain::PlainFrame;
use pg::report::{Report, SqlState};
use pg::span::Span;
use verdict::{
    Digest, DigestBuilder, DigestError, FIELDS_CAP, FieldValue, GuardedRow, Json, RowDigest,
    StrictJsonError, UuidText,
};

/// The columns' values, read from the slot.
#[derive(Clone, Copy)]
pub struct Content {
    key: Option<Raw>,
    fields: [Raw; FIELDS_CAP],
    count: usize,
}

impl Content {
    /// Reads the subject and content columns. May detoast.
    pub fn read(info: &GuardInfo, row: RowSlot, plain: PlainFrame) -> Self {
        let key = info
            .key
            .map(|key| columns::read(row, key.attnum, key.reader, plain));
        let mut fields = [Raw::Null; FIELDS_CAP];
        let mut count = 0;
        for column in info.content() {
            fields[count] = columns::read(row, column.attnum, column.reader, plain);
            count += 1;
        }
        Self { key, fields, count }
    }
}

/// The row as `decide` takes it, and the key to look its verdict up by.
///
/// # Errors
///
/// 53200. Content that has no digest is a fact, not an error.
pub fn facts(cached: &CachedGuard, content: &Content) -> Result<(GuardedRow, Option<Key>), Report> {
    let digest = match content.count {
        0 => RowDigest::Unbound,
        count => match digest(&cached.fields, &content.fields[..count]) {
            Ok(digest) => RowDigest::Of(digest),
            // Without memory the guard cannot know whether the row is approved, and no finding says
            // so.
            Err(DigestError::OutOfMemory) => return Err(out_of_memory()),
            Err(_) => RowDigest::Unavailable,
        },
    };
    let subject = match (content.key, digest) {
        (Some(raw), _) => subject_of(raw),
        (None, RowDigest::Of(digest)) => Some(Span::hex_of(digest.as_bytes())),
        (None, _) => None,
    };
    let key = subject.map(|subject| Key {
        hook_id: cached.info.hook_id,
        hash: verdict::subject_hash(cached.info.hook_id, subject.text()),
        subject,
    });
    Ok((
        GuardedRow {
            has_subject: key.is_some(),
            digest,
        },
        key,
    ))
}

fn out_of_memory() -> Report {
    Report::new(
        SqlState::OutOfMemory,
        "out of memory while the digest of a row was taken",
    )
}

fn digest(names: &[String], values: &[Raw]) -> Result<Digest, DigestError> {
    let mut builder = DigestBuilder::new(names.len());
    for (name, raw) in names.iter().zip(values) {
        feed(&mut builder, name, *raw)?;
    }
    builder.finish()
}

fn feed(builder: &mut DigestBuilder, name: &str, raw: Raw) -> Result<(), DigestError> {
    let no_form = |reason: String| DigestError::Unreadable { reason };
    match raw {
        Raw::Null => builder.field(name, FieldValue::Null),
        Raw::Text(span) => builder.field(name, FieldValue::String(span.text())),
        Raw::Integer(value) => builder.field(name, FieldValue::Integer(value)),
        Raw::Boolean(value) => builder.field(name, FieldValue::Boolean(value)),
        Raw::Uuid(span) => match uuid_text(span) {
            Some(uuid) => builder.field(name, FieldValue::String(uuid.as_str())),
            None => Err(no_form("not a uuid".to_owned())),
        },
        Raw::Hex(span) => builder.hex_field(name, span.bytes()),
        Raw::Utf8(span) => match std::str::from_utf8(span.bytes()) {
            Ok(text) => builder.field(name, FieldValue::String(text)),
            Err(error) => Err(no_form(error.to_string())),
        },
        Raw::Json(span) => {
            let json = Json::check(span.bytes()).map_err(|error| match error {
                StrictJsonError::OutOfMemory => DigestError::OutOfMemory,
                error => no_form(error.to_string()),
            })?;
            match json.duplicate() {
                None => builder.json_field(name, json.root()),
                Some(key) => Err(DigestError::DuplicateKey {
                    key: key.to_owned(),
                }),
            }
        }
    }
}

/// The subject's text, in PostgreSQL's memory: this process may not have the memory for a long
/// column.
pub(super) fn subject_of(raw: Raw) -> Option<Span> {
    let copy = |text: String| Some(Span::copy(text.as_bytes()));
    match raw {
        Raw::Null | Raw::Json(_) => None,
        Raw::Text(span) => Some(Span::copy(span.bytes())),
        Raw::Integer(value) => copy(value.to_string()),
        Raw::Boolean(value) => copy(value.to_string()),
        Raw::Uuid(span) => uuid_text(span).map(|uuid| Span::copy(uuid.as_str().as_bytes())),
        Raw::Hex(span) => Some(Span::hex_of(span.bytes())),
        Raw::Utf8(span) => std::str::from_utf8(span.bytes())
            .ok()
            .map(|text| Span::copy(text.as_bytes())),
    }
}

/// The 16 bytes of a uuid as text.
fn uuid_text(span: Span) -> Option<UuidText> {
    span.bytes().try_into().ok().map(UuidText::of)
}
