//! Finding the newest verdict of a subject.

use super::leaves;
use crate::pg::entry::Plain;
use crate::pg::leaf::{self, Found};
use crate::pg::lock;
use crate::pg::span::Span;

/// What a verdict is looked for by: the hook, the subject, and the hash of both that the leaves are indexed on.
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

/// The newest verdict, from the newest leaf that has one.
fn probe(key: Key, depth: Depth, now: i64, plain: Plain) -> Option<Found> {
    plain.step(leaves::refresh);
    let mut i = 0;
    while let Some(leaf) = leaves::get(i) {
        i += 1;
        if depth == Depth::Open && leaf.horizon <= now {
            continue;
        }
        if let Some(found) = leaf::newest(&leaf, key.hook_id, key.hash, key.subject, plain) {
            return Some(found);
        }
    }
    None
}

/// The newest verdict that still decides something, or, when there is none, the newest that ever did: old leaves are
/// worth a look only then, to tell `expired` from `missing`.
pub fn newest(key: Key, now: i64, plain: Plain) -> Option<Found> {
    newest_in(key, Depth::Open, now, plain).or_else(|| newest_in(key, Depth::All, now, plain))
}

/// The newest verdict that still decides something: the one that a writer supersedes.
pub fn open(key: Key, now: i64, plain: Plain) -> Option<Found> {
    newest_in(key, Depth::Open, now, plain)
}

/// The newest verdict that nobody has superseded, as far as this backend can see after asking twice.
///
/// A verdict that bears a mark has a successor: in a leaf that this backend does not know yet, or behind the scan
/// (an update moved it while we read). So the list is refreshed and the look-up repeated. What is still marked
/// then has lost its successor (a partial restore); it decides nothing, and is returned with its mark.
fn newest_in(key: Key, depth: Depth, now: i64, plain: Plain) -> Option<Found> {
    const TRIES: usize = 3;
    let mut found = probe(key, depth, now, plain);
    for _ in 1..TRIES {
        if found.is_some_and(|verdict| verdict.superseded_by.is_none()) {
            break;
        }
        lock::accept_invalidations(plain);
        let again = probe(key, depth, now, plain);
        if found.is_none() && again.is_none() {
            break;
        }
        found = again;
    }
    found
}
