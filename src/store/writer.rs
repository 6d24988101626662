//! Writing a verdict: the writer's half of the locking protocol.
//!
//! Writers of one subject stand in a row: one at a time looks for the newest verdict, and waits for
//! whoever is writing another. Once it is alone it takes its id, marks the newest verdict (which
//! waits for the guards that hold it), and appends its own. The lock is given back then, and the
//! row that is not committed yet does the rest: the next writer sees it, and waits for its end.

use super::leaf_making;
use super::lookup::{self, Key, Predecessor};
use pg::leaf::{self, Col, FoundVerdict, LockOutcome};
use pg::leaf_write;
use pg::lock;
use pg::log::ereport;
use pg::plain::PlainFrame;
use pg::report::{Report, SqlState};
use pg::span::Span;
use pg::test_hooks::{self, Pause, Weakening};
use pg::{catalog, clock, identity, sql};
use pgrx::pg_sys::{Datum, Interval};
use verdict::{Outcome, Via};

/// What is written, but for what the writing itself decides: id, moment and horizon.
#[derive(Clone, Copy)]
pub struct NewVerdict {
    pub key: Key,
    pub outcome: Outcome,
    /// Which call recorded it.
    pub via: Via,
    pub valid_for: Interval,
    pub digest: Option<Span>,
    pub err_code: Option<i32>,
    pub err_msg: Option<Span>,
    pub err_detail: Option<Span>,
    pub reason: Option<Span>,
    pub http_status: Option<i32>,
    /// At most 64 KiB of the answer's bytes.
    pub response: Option<Span>,
    /// How many bytes the answer had.
    pub response_bytes: Option<i32>,
    pub recorded_by: Span,
    pub replaces: Replaces,
}

/// What must stand before the new verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replaces {
    /// Anything or nothing.
    Any,
    /// A verdict that lets rows through and was not taken back: the one that is revoked.
    Passing,
}

/// What was written.
#[derive(Clone, Copy)]
pub struct Written {
    pub id: i64,
    pub recorded_at: i64,
    pub expires_at: i64,
}

/// Appends a verdict and marks the one that it replaces.
///
/// Raises 25006 in a read-only transaction, and what waiting for guards and other writers raises.
pub fn write(new: &NewVerdict, plain: PlainFrame) -> Written {
    clock::prevent_if_read_only(plain);
    // Before the look: who has to wait for a leaf of another's transaction must then see what that
    // has written into it.
    let now = clock::now(plain);
    leaf_making::prepare(now, clock::after(now, new.valid_for, plain), plain);
    let previous = alone(new.key, plain);
    let written = append(new, previous, plain);
    if !test_hooks::weakened(Weakening::Unserialised) {
        lock::leave_subject(new.key.hash, plain);
    }
    written
}

/// Waits until nobody else is writing a verdict of the subject, keeps others out, and returns the
/// newest verdict.
fn alone(key: Key, plain: PlainFrame) -> Option<FoundVerdict> {
    loop {
        if !test_hooks::weakened(Weakening::Unserialised) {
            lock::enter_subject(key.hash, plain);
        }
        match lookup::predecessor(key, clock::now(plain), plain) {
            Predecessor::Open(found) => return found,
            Predecessor::WrittenBy(_) if is_overlooked() => {
                return lookup::open(key, clock::now(plain), plain);
            }
            Predecessor::WrittenBy(transaction) => {
                // Not while we keep others out: they may be what it waits for.
                lock::leave_subject(key.hash, plain);
                lock::end_of(transaction, plain);
            }
        }
    }
}

/// In test builds: whether what others are writing is left unseen.
fn is_overlooked() -> bool {
    test_hooks::weakened(Weakening::Unserialised) || test_hooks::weakened(Weakening::Overlooked)
}

/// Appends the verdict behind `previous`, the newest, which gets its mark.
fn append(new: &NewVerdict, previous: Option<FoundVerdict>, plain: PlainFrame) -> Written {
    if new.replaces == Replaces::Passing {
        plain.step(|| check_passing(previous.as_ref()));
    }
    test_hooks::pause(Pause::WriterBeforeInsert, plain);

    // Only now: whoever waited for the lock gets the higher id, and the highest id is the newest
    // verdict.
    let sequence = plain.step(|| catalog::own_relation("verdict_id"));
    let mut id = clock::next_id(sequence, plain);
    if let Some(verdict) = previous.filter(|verdict| verdict.id >= id) {
        // Verdicts have been replicated or restored without the sequence.
        plain.step(|| catch_up(verdict.id));
        id = clock::next_id(sequence, plain);
    }
    let mut recorded_at = clock::now(plain);
    if let Some(verdict) = previous {
        // The clock may have been set back; "newest" must not depend on it.
        recorded_at = recorded_at.max(verdict.recorded_at + 1);
    }
    let expires_at = clock::after(recorded_at, new.valid_for, plain);
    // A short-lived denial must outlive the long-lived approval that it replaces.
    let horizon = previous.map_or(expires_at, |verdict| expires_at.max(verdict.horizon));
    let leaf = leaf_making::for_writing(recorded_at, horizon, plain);
    // Before the new verdict is there: a predecessor that was consumed meanwhile must still be
    // found, to be marked.
    if let Some(verdict) = previous {
        if new.replaces == Replaces::Passing {
            let holders = leaf::holders(&verdict, plain);
            plain.step(|| notice_holders(verdict.id, holders));
        }
        mark(new.key, verdict, id, plain);
    }
    let text = |value: &'static str| Span::of_static(value).to_varlena(plain);
    let span = |value: Span| value.to_varlena(plain);
    leaf_write::append(
        &leaf,
        [
            Some((Col::Id, Datum::from(id))),
            Some((Col::HookId, Datum::from(new.key.hook_id))),
            Some((Col::SubjectHash, Datum::from(new.key.hash))),
            Some((Col::RecordedAt, Datum::from(recorded_at))),
            Some((Col::ExpiresAt, Datum::from(expires_at))),
            Some((Col::Horizon, Datum::from(horizon))),
            Some((Col::Outcome, text(new.outcome.as_str()))),
            new.outcome
                .cause()
                .map(|cause| (Col::Cause, text(cause.as_str()))),
            Some((Col::Via, text(new.via.as_str()))),
            Some((Col::Subject, span(new.key.subject))),
            new.digest.map(|digest| (Col::Digest, span(digest))),
            previous
                .filter(|_| new.replaces == Replaces::Passing)
                .map(|verdict| (Col::Revokes, Datum::from(verdict.id))),
            new.err_code.map(|code| (Col::ErrCode, Datum::from(code))),
            new.err_msg.map(|message| (Col::ErrMsg, span(message))),
            new.err_detail.map(|detail| (Col::ErrDetail, span(detail))),
            new.reason.map(|reason| (Col::Reason, span(reason))),
            new.http_status
                .map(|status| (Col::HttpStatus, Datum::from(status))),
            new.response.map(|response| (Col::Response, span(response))),
            new.response_bytes
                .map(|bytes| (Col::ResponseBytes, Datum::from(bytes))),
            Some((Col::RecordedBy, span(new.recorded_by))),
        ],
        plain,
    );
    // A row inserted by the same statement must see the verdict, and a second call must be able to
    // supersede it.
    clock::end_of_command(plain);
    Written {
        id,
        recorded_at,
        expires_at,
    }
}

/// Sets the sequence of ids behind this one.
fn catch_up(id: i64) -> Result<(), Report> {
    identity::as_extension_owner(|| {
        sql::run(
            "SELECT pg_catalog.setval('verdict.verdict_id', greatest(s.last_value, $1)) FROM verdict.verdict_id AS s",
            &[id.into()],
        )
    })
}

/// Marks `previous` as superseded. It may have been consumed since it was read: then its current
/// version is marked.
fn mark(key: Key, previous: FoundVerdict, by: i64, plain: PlainFrame) {
    const TRIES: usize = 1000;
    let mut verdict = previous;
    for _ in 0..TRIES {
        if leaf_write::supersede(&verdict, by, plain) == LockOutcome::Locked {
            return;
        }
        match lookup::open(key, clock::now(plain), plain) {
            Some(current) if current.id == previous.id && current.superseded_by.is_none() => {
                verdict = current;
            }
            // Another writer has superseded it: only possible when writers are not serialised (test
            // builds).
            Some(_) => return,
            // Behind the scan: an update moved it while we read.
            None => {}
        }
    }
    plain.step(|| {
        Err::<(), _>(Report::new(
            SqlState::TooComplex,
            format!(
                "verdict {} changes faster than it can be superseded",
                previous.id
            ),
        ))
    });
}

fn check_passing(previous: Option<&FoundVerdict>) -> Result<(), Report> {
    let refuse = |what: String| {
        Err(Report::new(SqlState::NotInPrerequisiteState, what)
            .hint("To refuse a subject that has no approval, use verdict.deny(hook, subject)."))
    };
    match previous {
        None => refuse("there is no verdict to revoke for this subject".into()),
        Some(verdict) if verdict.revoked => {
            refuse(format!("verdict {} has already been revoked", verdict.id))
        }
        Some(verdict) if verdict.outcome.text() == Outcome::Denied.as_str() => refuse(format!(
            "the newest verdict {} is a denial: there is nothing to revoke",
            verdict.id
        )),
        Some(_) => Ok(()),
    }
}

/// Tells who revokes whose messages are being stored by this approval right now: they will be
/// waited for.
fn notice_holders(id: i64, holders: [u32; leaf::HOLDERS_CAP]) -> Result<(), Report> {
    let xids: Vec<String> = holders
        .iter()
        .filter(|xid| **xid != 0)
        .map(u32::to_string)
        .collect();
    if xids.is_empty() {
        return Ok(());
    }
    let who = identity::as_extension_owner(|| {
        sql::one::<String>(
            "SELECT pg_catalog.string_agg(coalesce(
                 pg_catalog.format('process %s (user %s, application \"%s\", %s)', l.pid, a.usename,
                     a.application_name, a.state),
                 'a prepared transaction'), '; ')
             FROM pg_catalog.pg_locks AS l
             LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
             WHERE l.locktype = 'transactionid' AND l.granted
                 AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
                 AND l.transactionid::pg_catalog.text = ANY ($1)",
            &[xids.into()],
        )
    })?;
    if let Some(who) = who {
        ereport(
            pgrx::PgLogLevel::NOTICE,
            &format!(
                "verdict {id} is held by {who}; waiting for it, at most verdict.revoke_timeout"
            ),
        );
    }
    Ok(())
}
