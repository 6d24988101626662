//! A case: a row with a finding, and all facts that a client, a log line or an incident is told.

use crate::guard::info::CachedGuard;
use crate::store::lookup::Key;
use pg::leaf::FoundVerdict;
use pg::span::Span;
use serde_json::{Map, Value, json};
use verdict::{Digest, Finding};

/// The statement that brought the row.
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

/// Why the row is refused although the guard's action for the finding is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// An edit under `edits => 'refuse'`: no verdict would help.
    FinalContent,
    /// The BEFORE trigger judged another row than the one that was stored.
    JudgedOtherwise,
    /// A foreign key's own statement changes the row. The change cannot be left out: the row would
    /// then reference a row that no longer exists.
    ForeignKey,
    /// The row has more bytes than can be held.
    TooLarge(usize),
}

/// One row's case. It is `Copy`, so that plain frames can hold it.
#[derive(Clone, Copy)]
pub struct Case {
    pub finding: Finding,
    pub operation: Operation,
    pub key: Option<Key>,
    /// The digest of the row's content, if the guard binds content and the row has a digest.
    pub digest: Option<Digest>,
    pub found: Option<FoundVerdict>,
    /// Why the guard cannot take its action for this finding, or why a new verdict would not help.
    pub obstacle: Option<Obstacle>,
    /// Whether the row comes from a replication worker.
    pub apply: bool,
    /// The clock at the check, in microseconds since 2000-01-01 UTC.
    pub now: i64,
}

/// How many bytes of a subject or a message a DETAIL or log line carries at most.
const TEXT_CAP: usize = 256;

impl Case {
    /// The verdict whose code and message explain the refusal. Only a denied or failed verdict
    /// explains one: an approval's message does not.
    pub fn refusal(&self) -> Option<&FoundVerdict> {
        let refused = matches!(self.finding, Finding::Denied | Finding::Failed);
        self.found.as_ref().filter(|_| refused)
    }

    /// How the row came: from a client, or from a replication worker.
    pub fn path(&self) -> &'static str {
        if self.apply { "apply" } else { "client" }
    }

    /// The facts for DETAIL and log lines. Texts are bounded, and the row's content is not among
    /// them.
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

/// The first [`TEXT_CAP`] bytes of a text at most.
pub fn bounded(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_CAP)]
}
