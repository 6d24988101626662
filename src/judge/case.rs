//! A row with a finding: everything that is said about it, to a client, a log or an incident.

use crate::guard::info::CachedGuard;
use crate::store::lookup::Key;
use pg::leaf::FoundVerdict;
use pg::span::Span;
use serde_json::{Map, Value, json};
use verdict::{Digest, Finding};

/// Which statement brought the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Insert,
    Update,
}

impl Operation {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
        }
    }
}

/// Why a row is refused although something else was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// An edit under `edits => 'refuse'`: no verdict would help.
    FinalContent,
    /// The row that was stored is not the one that the BEFORE trigger judged.
    JudgedOtherwise,
    /// A foreign key's own statement changes the row, so that it cannot be left as it is: it would
    /// reference nothing.
    ForeignKey,
    /// The row has more bytes than can be held.
    TooLarge(usize),
}

/// One row's case. `Copy`, so that plain frames can hold it.
#[derive(Clone, Copy)]
pub struct Case {
    pub finding: Finding,
    pub operation: Operation,
    pub key: Option<Key>,
    /// Of the row's content, when the guard is bound to it and it has one.
    pub digest: Option<Digest>,
    pub found: Option<FoundVerdict>,
    /// Why the guard's action for this finding cannot be taken, or would not help.
    pub obstacle: Option<Obstacle>,
    /// The row comes from a replication worker.
    pub apply: bool,
    /// The clock at the check, in microseconds since 2000-01-01 UTC.
    pub now: i64,
}

/// The longest text that a DETAIL or log line carries of a subject or message, in bytes.
const TEXT_CAP: usize = 256;

impl Case {
    /// The verdict whose words explain the refusal. The business system's words belong to its
    /// refusals; of an approval they say nothing.
    pub fn refusal(&self) -> Option<&FoundVerdict> {
        let refused = matches!(self.finding, Finding::Denied | Finding::Failed);
        self.found.as_ref().filter(|_| refused)
    }

    /// Which way the row came: from a client, or from a replication worker.
    pub fn path(&self) -> &'static str {
        if self.apply { "apply" } else { "client" }
    }

    /// For DETAIL and log lines: bounded, and without the row's content.
    pub fn facts(&self, cached: &CachedGuard) -> Map<String, Value> {
        let found = self.found.as_ref();
        let text = |span: &Span| json!(bounded(span.text()));
        [
            ("code", json!(self.finding.sqlstate())),
            ("finding", json!(self.finding.as_str())),
            ("guard", json!(cached.guard.name)),
            ("table", json!(cached.table.to_string())),
            (
                "subject",
                self.key
                    .as_ref()
                    .map_or(Value::Null, |key| text(&key.subject)),
            ),
            (
                "verdict",
                found.map_or(Value::Null, |found| json!(found.id)),
            ),
            (
                "err_code",
                self.refusal()
                    .and_then(|found| found.err_code)
                    .map_or(Value::Null, Value::from),
            ),
            (
                "err_msg",
                self.refusal()
                    .and_then(|found| found.err_msg.as_ref())
                    .map_or(Value::Null, text),
            ),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }
}

/// At most [`TEXT_CAP`] bytes of it.
pub fn bounded(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_CAP)]
}
