//! The guard's half of the locking protocol: look up, decide, hold the verdict that was relied on.
//!
//! A finding needs no lock. An approval is locked FOR SHARE (or spent), and the lock tells whether it was superseded
//! meanwhile: then all is asked again.

use super::case::{Case, Obstacle, Operation};
use super::facts::{Content, facts};
use super::plan;
use super::shape::Shape;
use crate::pg::clock;
use crate::pg::columns::RowSlot;
use crate::pg::entry::Plain;
use crate::pg::leaf::{self, Found, Held};
use crate::pg::leaf_write;
use crate::pg::test_hooks::{self, Pause, Weakness};
use crate::pg::{session, trigger};
use crate::report::{Report, SqlState};
use crate::store::lookup::{self, Key};
use verdict::{
    Decision, Digest, Finding, Locking, Outcome, ReplicaRole, RowDigest, RowFacts, Terms,
    Timestamp, Verdict, decide,
};

/// How often a guard looks again because the verdict changed under it. Each round waits for a writer to commit.
const TRIES: usize = 1000;

/// What a look without a lock sees.
#[derive(Clone, Copy)]
#[allow(clippy::large_enum_variant)] // plain frames hold it: nothing may be boxed
enum Seen {
    /// This verdict lets the row pass, if it can be held.
    Approved(Option<Found>),
    Case(Case),
}

/// What is known of a row before its verdict is looked up.
#[derive(Clone, Copy)]
struct Asked {
    row: RowFacts,
    key: Option<Key>,
    operation: Operation,
}

impl Asked {
    fn read(shape: &Shape, slot: RowSlot, operation: Operation, plain: Plain) -> Self {
        let content = Content::read(shape, slot, plain);
        let (row, key) = plain.step(|| plan::with(shape, |plan| facts(plan, &content)));
        Self {
            row,
            key,
            operation,
        }
    }

    fn case(&self, shape: &Shape, finding: Finding, found: Option<Found>, now: i64) -> Case {
        Case {
            finding,
            operation: self.operation,
            key: self.key,
            digest: match self.row.digest {
                RowDigest::Of(digest) => Some(digest),
                RowDigest::Unbound | RowDigest::Unavailable => None,
            },
            found,
            obstacle: None,
            apply: by_replication(shape),
            now,
        }
    }

    /// Looks the newest verdict up and decides, without a lock: the finding, or the verdict to rely on.
    fn look(&self, shape: &Shape, plain: Plain) -> Seen {
        let now = clock::now(plain);
        let found = self.key.and_then(|key| lookup::newest(key, now, plain));
        let standing = found.as_ref().and_then(standing);
        let terms = shape.terms();
        let terms = Terms {
            // The approval of a replicated row was spent where the row was stored first, and that mark may be here already.
            consume: terms.consume && !by_replication(shape),
            ..terms
        };
        let then = match test_hooks::weakened(Weakness::Undying) {
            true => i64::MIN,
            false => now,
        };
        match decide(&self.row, standing.as_ref(), terms, Timestamp(then)) {
            Decision::Approved | Decision::FailedOpen => Seen::Approved(found),
            Decision::Found(finding) => Seen::Case(self.case(shape, finding, found, now)),
        }
    }
}

/// The row's finding as far as can be seen without a lock: before it is stored, and for a look only.
pub fn look(shape: &Shape, slot: RowSlot, operation: Operation, plain: Plain) -> Option<Case> {
    match Asked::read(shape, slot, operation, plain).look(shape, plain) {
        Seen::Approved(_) => None,
        Seen::Case(case) => Some(case),
    }
}

/// What a stored row is to its verdict.
#[derive(Clone, Copy)]
pub struct LookBack {
    pub key: Option<Key>,
    /// What the guard would have found when the row was stored. That its verdict has been spent or has expired since says
    /// nothing.
    pub finding: Option<Finding>,
    pub verdict_id: Option<i64>,
}

/// Looks at a row that is stored already.
pub fn look_back(shape: &Shape, slot: RowSlot, plain: Plain) -> LookBack {
    let asked = Asked::read(shape, slot, Operation::Insert, plain);
    let found = asked
        .key
        .and_then(|key| lookup::newest(key, clock::now(plain), plain));
    let standing = found.as_ref().and_then(standing);
    let terms = Terms {
        consume: false,
        ..shape.terms()
    };
    let then = Timestamp(found.map_or(0, |found| found.recorded_at));
    LookBack {
        key: asked.key,
        finding: match decide(&asked.row, standing.as_ref(), terms, then) {
            Decision::Approved | Decision::FailedOpen => None,
            Decision::Found(finding) => Some(finding),
        },
        verdict_id: found.map(|found| found.id),
    }
}

/// The row's finding, or `None` when it is approved: then the verdict is held until the transaction ends.
pub fn judge(shape: &Shape, slot: RowSlot, operation: Operation, plain: Plain) -> Option<Case> {
    let asked = Asked::read(shape, slot, operation, plain);
    for _ in 0..TRIES {
        match asked.look(shape, plain) {
            Seen::Approved(found) => {
                test_hooks::pause(Pause::GuardBeforeLock, plain);
                if found.is_none_or(|found| hold(&found, shape, plain) == Held::Yes) {
                    return None;
                }
            }
            Seen::Case(case) => return Some(case),
        }
    }
    plain.step(|| {
        Err(Report::new(
            SqlState::TooComplex,
            "the verdict for this row changes faster than it can be locked",
        ))
    })
}

/// The case of an edit of content that is final, whatever verdict there is.
pub fn final_content(shape: &Shape, slot: RowSlot, plain: Plain) -> Case {
    let asked = Asked::read(shape, slot, Operation::Update, plain);
    Case {
        obstacle: Some(Obstacle::FinalContent),
        ..asked.case(shape, Finding::Altered, None, clock::now(plain))
    }
}

/// Whether the row comes from a replication worker, or from a session that the guard takes for one.
fn by_replication(shape: &Shape) -> bool {
    trigger::is_apply()
        || (shape.policy.replica_role == ReplicaRole::Apply && session::in_replica_role())
}

fn hold(found: &Found, shape: &Shape, plain: Plain) -> Held {
    if by_replication(shape) {
        // The row is stored in any case: a lock would help nobody, and could make the worker wait for a client. And a mark
        // of our own would keep the publisher's from being found.
        return Held::Yes;
    }
    match shape.locking {
        Locking::Share => leaf::lock(found, plain),
        Locking::Consume => leaf_write::consume(found, shape.guard_id, clock::now(plain), plain),
        Locking::None => Held::Yes,
    }
}

/// What the look-up found, for `decide`. A verdict whose successor cannot be found (a partial restore) decides nothing.
pub fn standing(found: &Found) -> Option<Verdict> {
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
