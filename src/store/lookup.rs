//! Finding the newest verdict of a subject.

use super::leaves;
use pg::leaf::FoundVerdict;
use pg::leaf_scan::{self, Probed, Sees};
use pg::lock;
use pg::plain::PlainFrame;
use pg::span::Span;
use pgrx::pg_sys::TransactionId;
use verdict::{Digest, Outcome, Timestamp, Verdict};

/// What a verdict is looked for by: the hook, the subject, and the hash of both that the leaves are
/// indexed on.
#[derive(Clone, Copy)]
pub struct Key {
    pub hook_id: i32,
    pub subject: Span,
    pub hash: i64,
}

/// Which leaves are probed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depth {
    /// Those whose horizon lies ahead: no other can hold a verdict that still decides something.
    Open,
    /// All of them: to tell `expired` from `missing`, once a row has failed.
    All,
}

/// The newest verdict that still decides something, or, when there is none, the newest that ever
/// did: old leaves are worth a look only then, to tell `expired` from `missing`.
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
    /// This transaction is writing one.
    WrittenBy(TransactionId),
}

/// The verdict that a writer supersedes. Sees also what other transactions are writing.
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

/// The newest verdict that nobody has superseded, as far as this backend can see after asking
/// twice.
///
/// A verdict that bears a mark has a successor: in a leaf that this backend does not know yet, or
/// behind the scan (an update moved it while we read). So the list is refreshed and the look-up
/// repeated. What is still marked then has lost its successor (a partial restore); it decides
/// nothing, and is returned with its mark.
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

/// What the newest leaf that has something for the subject holds.
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

/// What the look-up found, for `decide`. A verdict whose successor cannot be found (a partial
/// restore) decides nothing.
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
        // An outcome of a newer version's making is no approval.
        outcome: outcome.unwrap_or(Outcome::Denied),
        revoked: found.revoked,
        expires_at: Timestamp(found.expires_at),
        digest: found.digest.and_then(|bytes| Digest::from_bytes(&bytes)),
        consumed: found.consumed,
    })
}
