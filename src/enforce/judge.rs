//! The guard's half of the locking protocol: look up, decide, hold the verdict that was relied on, or refuse.
//!
//! A finding needs no lock. An approval is locked FOR SHARE (or spent), and the lock tells whether it was superseded
//! meanwhile: then all is asked again.

use super::facts::{Content, facts};
use super::plan::{self, Shape};
use super::refusal::{self, Case, Done};
use crate::pg::clock;
use crate::pg::columns::RowSlot;
use crate::pg::entry::Plain;
use crate::pg::leaf::{self, Found, Held};
use crate::pg::leaf_write;
use crate::pg::test_hooks::{self, Pause};
use crate::pg::trigger;
use crate::report::{Report, SqlState};
use crate::store::lookup;
use verdict::{
    Action, Decision, Digest, Finding, Locking, Mode, Outcome, Recorded, Timestamp, decide,
};

/// How often a guard looks again because the verdict changed under it. Each round waits for a writer to commit.
const TRIES: usize = 1000;

/// Lets the row pass, or raises, or logs: as the guard says.
pub fn judge(shape: &Shape, slot: RowSlot, plain: Plain) {
    let content = Content::read(shape, slot, plain);
    let (row, key) = plain.step(|| plan::with(shape, |plan| facts(plan, &content)));
    for _ in 0..TRIES {
        let now = clock::now(plain);
        let found = key.and_then(|key| lookup::newest(key, now, plain));
        let decision = decide(
            &row,
            found.as_ref().and_then(standing).as_ref(),
            &shape.policy,
            Timestamp(now),
        );
        match decision {
            Decision::Approved | Decision::FailedOpen => {
                test_hooks::pause(Pause::GuardBeforeLock, plain);
                if found.is_none_or(|found| hold(&found, shape, now, plain) == Held::Yes) {
                    return;
                }
            }
            Decision::Found(finding) => {
                let case = Case {
                    finding,
                    key,
                    found,
                    final_content: false,
                };
                return refuse(shape, &case, plain);
            }
        }
    }
    plain.step(|| {
        Err::<(), _>(Report::new(
            SqlState::TooComplex,
            "the verdict for this row changes faster than it can be locked",
        ))
    });
}

/// Stored content is final under this guard, whatever verdict there is.
pub fn refuse_edit(shape: &Shape, slot: RowSlot, plain: Plain) {
    let content = Content::read(shape, slot, plain);
    let (_, key) = plain.step(|| plan::with(shape, |plan| facts(plan, &content)));
    let case = Case {
        finding: Finding::Altered,
        key,
        found: None,
        final_content: true,
    };
    refuse(shape, &case, plain);
}

fn hold(found: &Found, shape: &Shape, now: i64, plain: Plain) -> Held {
    match shape.locking {
        Locking::Share => leaf::lock(found, plain),
        Locking::Consume => leaf_write::consume(found, shape.guard_id, now, plain),
        Locking::None => Held::Yes,
    }
}

/// What the look-up found, for `decide`. A verdict whose successor cannot be found (a partial restore) decides nothing.
pub fn standing(found: &Found) -> Option<Recorded> {
    if found.superseded_by.is_some() {
        return None;
    }
    let outcome = Outcome::from_parts(
        found.outcome.text(),
        found.cause.as_ref().map(|cause| cause.text()),
    );
    Some(Recorded {
        id: found.id,
        // An outcome of a newer version's making is no approval.
        outcome: outcome.unwrap_or(Outcome::Denied),
        revoked: found.revoked,
        expires_at: Timestamp(found.expires_at),
        digest: found.digest.and_then(|bytes| Digest::from_bytes(&bytes)),
        consumed: found.consumed,
    })
}

fn refuse(shape: &Shape, case: &Case, plain: Plain) {
    let apply = trigger::is_apply();
    let action = shape.policy.actions.get(case.finding);
    let enforced = shape.policy.mode == Mode::Enforce && !apply && action == Action::Reject;
    let done = Done { apply, enforced };
    let line = plain.step(|| plan::with(shape, |plan| Ok(refusal::log_line(plan, case, done))));
    plain.log_server_only(line);
    if enforced {
        plain.step(|| plan::with(shape, |plan| Err::<(), _>(refusal::report(plan, case))));
    }
}
