//! The guard's half of the locking protocol: look up, decide, lock the verdict.
//!
//! A finding needs no lock. The guard locks an approval FOR SHARE, or spends it. If the lock shows
//! that another session has superseded the verdict meanwhile, the guard looks up and decides again.

use super::case::{Case, Obstacle, Operation};
use super::facts::{Content, facts};
use crate::guard::cache;
use crate::guard::info::GuardInfo;
use crate::store::lookup::{self, Key, standing};
use pg::clock;
use pg::columns::RowSlot;
use pg::leaf::{self, FoundVerdict, LockOutcome};
use pg::leaf_write;
use pg::plain::PlainFrame;
use pg::report::{Report, SqlState};
use pg::test_hooks::{self, Pause, Weakening};
use pg::{session, trigger};
use verdict::{
    Decision, Finding, GuardedRow, Locking, ReplicaRole, RowDigest, Terms, Timestamp, decide,
};

/// How often a guard looks again because another session changed the verdict. Each round waits for
/// a writer to commit.
const TRIES: usize = 1000;

/// The result of a look without a lock.
#[derive(Clone, Copy)]
#[allow(clippy::large_enum_variant)] // plain frames hold it: nothing may be boxed
enum Look {
    /// This verdict lets the row pass, if the guard can lock it.
    Approved(Option<FoundVerdict>),
    Case(Case),
}

/// What is known of a row before its verdict is looked up.
#[derive(Clone, Copy)]
struct RowFacts {
    row: GuardedRow,
    key: Option<Key>,
    operation: Operation,
}

impl RowFacts {
    fn read(info: &GuardInfo, slot: RowSlot, operation: Operation, plain: PlainFrame) -> Self {
        let content = Content::read(info, slot, plain);
        let (row, key) = plain.step(|| cache::with_cached(info, |cached| facts(cached, &content)));
        Self {
            row,
            key,
            operation,
        }
    }

    fn case(
        &self,
        info: &GuardInfo,
        finding: Finding,
        found: Option<FoundVerdict>,
        now: i64,
    ) -> Case {
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
            apply: by_replication(info),
            now,
        }
    }

    /// Looks the newest verdict up and decides, without a lock. The result is a case, or the
    /// verdict that lets the row pass.
    fn look(&self, info: &GuardInfo, plain: PlainFrame) -> Look {
        let now = clock::now(plain);
        let found = self.key.and_then(|key| lookup::newest(key, now, plain));
        let standing = found.as_ref().and_then(standing);
        let terms = info.terms();
        let terms = Terms {
            // A replicated row's approval was spent on the publisher, and that mark may have
            // arrived here before the row.
            consume: terms.consume && !by_replication(info),
            ..terms
        };
        let then = match test_hooks::weakened(Weakening::Undying) {
            true => i64::MIN,
            false => now,
        };
        match decide(&self.row, standing.as_ref(), terms, Timestamp(then)) {
            Decision::Approved | Decision::FailedOpen => Look::Approved(found),
            Decision::Found(finding) => Look::Case(self.case(info, finding, found, now)),
        }
    }
}

/// The row's case, as far as a look without a lock can tell. For rows that are not stored yet, and
/// for callers that only look.
pub fn look(
    info: &GuardInfo,
    slot: RowSlot,
    operation: Operation,
    plain: PlainFrame,
) -> Option<Case> {
    match RowFacts::read(info, slot, operation, plain).look(info, plain) {
        Look::Approved(_) => None,
        Look::Case(case) => Some(case),
    }
}

/// A stored row and its verdict.
#[derive(Clone, Copy)]
pub struct StoredRow {
    pub key: Option<Key>,
    /// What the guard would have found when the row was stored. It does not count that the verdict
    /// has been spent or has expired since.
    pub finding: Option<Finding>,
    pub verdict_id: Option<i64>,
}

/// Looks at a row that is stored already.
pub fn stored_row(info: &GuardInfo, slot: RowSlot, plain: PlainFrame) -> StoredRow {
    let facts = RowFacts::read(info, slot, Operation::Insert, plain);
    let found = facts
        .key
        .and_then(|key| lookup::newest(key, clock::now(plain), plain));
    let standing = found.as_ref().and_then(standing);
    let terms = Terms {
        consume: false,
        ..info.terms()
    };
    let then = Timestamp(found.map_or(0, |found| found.recorded_at));
    StoredRow {
        key: facts.key,
        finding: match decide(&facts.row, standing.as_ref(), terms, then) {
            Decision::Approved | Decision::FailedOpen => None,
            Decision::Found(finding) => Some(finding),
        },
        verdict_id: found.map(|found| found.id),
    }
}

/// The row's case, or `None` when the row is approved. Then the verdict is locked until the
/// transaction ends.
pub fn judge(
    info: &GuardInfo,
    slot: RowSlot,
    operation: Operation,
    plain: PlainFrame,
) -> Option<Case> {
    let facts = RowFacts::read(info, slot, operation, plain);
    for _ in 0..TRIES {
        match facts.look(info, plain) {
            Look::Approved(found) => {
                test_hooks::pause(Pause::GuardBeforeLock, plain);
                if found.is_none_or(|found| hold(&found, info, plain) == LockOutcome::Locked) {
                    return None;
                }
            }
            Look::Case(case) => return Some(case),
        }
    }
    plain.step(|| {
        Err(Report::new(
            SqlState::TooComplex,
            "the verdict for this row changes faster than it can be locked",
        ))
    })
}

/// The case of an edit of final content. No verdict would help.
pub fn final_content(info: &GuardInfo, slot: RowSlot, plain: PlainFrame) -> Case {
    let facts = RowFacts::read(info, slot, Operation::Update, plain);
    Case {
        obstacle: Some(Obstacle::FinalContent),
        ..facts.case(info, Finding::Altered, None, clock::now(plain))
    }
}

/// Whether the row comes from a replication worker, or from a session that the guard treats as one.
fn by_replication(info: &GuardInfo) -> bool {
    trigger::is_apply()
        || (info.policy.replica_role == ReplicaRole::Apply && session::in_replica_role())
}

fn hold(found: &FoundVerdict, info: &GuardInfo, plain: PlainFrame) -> LockOutcome {
    if by_replication(info) {
        // On this path the row is stored in any case. A lock would help nobody, and the worker
        // could wait for a client. A mark of this server would keep the publisher's mark from being
        // found.
        return LockOutcome::Locked;
    }
    match info.locking {
        Locking::Share => leaf::lock(found, plain),
        Locking::Consume => leaf_write::consume(found, info.guard_id, clock::now(plain), plain),
        Locking::None => LockOutcome::Locked,
    }
}
