//! Finds the newest verdict of a subject.

use super::leaves;
use pg::leaf::FoundVerdict;
use pg::leaf_scan::{self, Probed, Sees};
use pg::lock;
use pg::plain::PlainFrame;
use pg::span::Span;
use pgrx::pg_sys::TransactionId;
use verdict::{Digest, Outcome, Timestamp, Verdict};

/// The key of a look-up: the hook, the subject, and the hash of both. The leaves' indexes are on
/// the hash.
#[derive(Clone, Copy)]
pub struct Key {
    pub hook_id: i32,
    pub subject: Span,
    pub hash: i64,
}

/// Which leaves are probed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depth {
    /// Only leaves with a horizon in the future: other leaves hold no verdict that still decides.
    Open,
    /// All leaves, to tell `expired` from `missing` once a row has a finding.
    All,
}

/// The newest verdict that still decides something. When there is none, the newest verdict of all
/// leaves, to tell `expired` from `missing`.
pub fn newest(key: Key, now: i64, plain: PlainFrame) -> Option<FoundVerdict> {
    newest_in(key, Depth::Open, now, plain).or_else(|| newest_in(key, Depth::All, now, plain))
}

/// The newest verdict that still decides something.
pub fn open(key: Key, now: i64, plain: PlainFrame) -> Option<FoundVerdict> {
    newest_in(key, Depth::Open, now, plain)
}

/// What a writer finds before it writes.
#[derive(Clone, Copy)]
#[allow(clippy::large_enum_variant)] // plain frames hold it: nothing may be boxed
pub enum Predecessor {
    /// The newest verdict that still decides something, if there is one: the writer supersedes it.
    Open(Option<FoundVerdict>),
    /// This transaction is writing a verdict of the subject.
    WrittenBy(TransactionId),
}

/// The verdict that a writer supersedes. Also sees what other transactions are writing.
pub fn predecessor(key: Key, now: i64, plain: PlainFrame) -> Predecessor {
    match settled(key, Depth::Open, Sees::Underway, now, plain) {
        Probed::WrittenBy(transaction) => Predecessor::WrittenBy(transaction),
        Probed::Newest(found) => Predecessor::Open(Some(found)),
        Probed::Nothing => Predecessor::Open(None),
    }
}

fn newest_in(key: Key, depth: Depth, now: i64, plain: PlainFrame) -> Option<FoundVerdict> {
    match settled(key, depth, Sees::Committed, now, plain) {
        Probed::Newest(found) => Some(found),
        Probed::Nothing | Probed::WrittenBy(_) => None,
    }
}

/// The newest verdict that is not superseded, as far as this backend can see after looking again.
///
/// A superseded verdict has a successor. Either the successor is in a leaf that this backend does
/// not know yet, or an update moved it behind the scan. So the backend refreshes its list and looks
/// again. A verdict that is still marked as superseded then has lost its successor (a partial
/// restore). It decides nothing, and is returned with its mark.
fn settled(key: Key, depth: Depth, sees: Sees, now: i64, plain: PlainFrame) -> Probed {
    const TRIES: usize = 3;
    let mut found = probe(key, depth, sees, now, plain);
    for _ in 1..TRIES {
        match found {
            Probed::WrittenBy(_) => break,
            Probed::Newest(verdict) if verdict.superseded_by.is_none() => break,
            Probed::Newest(_) | Probed::Nothing => {}
        }
        lock::accept_invalidations(plain);
        let again = probe(key, depth, sees, now, plain);
        if matches!((found, again), (Probed::Nothing, Probed::Nothing)) {
            break;
        }
        found = again;
    }
    found
}

/// The subject's newest verdict in the newest leaf that has one.
fn probe(key: Key, depth: Depth, sees: Sees, now: i64, plain: PlainFrame) -> Probed {
    plain.step(leaves::refresh);
    let mut i = 0;
    while let Some(leaf) = leaves::get(i) {
        i += 1;
        if depth == Depth::Open && leaf.horizon <= now {
            continue;
        }
        match leaf_scan::newest(&leaf, (key.hook_id, key.subject, key.hash), sees, plain) {
            Probed::Nothing => {}
            found @ (Probed::Newest(_) | Probed::WrittenBy(_)) => return found,
        }
    }
    Probed::Nothing
}

/// The verdict as `decide` takes it. A verdict whose successor cannot be found (a partial restore)
/// decides nothing.
pub fn standing(found: &FoundVerdict) -> Option<Verdict> {
    if found.superseded_by.is_some() {
        return None;
    }
    let outcome = Outcome::from_parts(
        found.outcome.text(),
        found.cause.as_ref().map(|cause| cause.text()),
    );
    Some(Verdict {
        id: found.id,
        // A newer version may have written an outcome that this one does not know: no approval.
        outcome: outcome.unwrap_or(Outcome::Denied),
        revoked: found.revoked,
        expires_at: Timestamp(found.expires_at),
        digest: found.digest.and_then(|bytes| Digest::from_bytes(&bytes)),
        consumed: found.consumed,
    })
}
