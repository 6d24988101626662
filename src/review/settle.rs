//! `verdict.settle`: verdicts that came late decide about the rows that were held for want of one.

use super::decision::{self, Approval};
use crate::args;
use crate::guard::registry;
use crate::store::hooks;
use crate::store::lookup::{self, Key};
use pg::authors;
use pg::catalog::{self, Name};
use pg::clock;
use pg::identity;
use pg::log::ereport;
use pg::memory;
use pg::plain::catching_longjmp;
use pg::report::Report;
use pg::savepoint;
use pg::span::Span;
use pg::sql::{self, or_raise};
use pg::transaction;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::Oid;
use pgrx::{PgLogLevel, name, pg_extern};
use std::collections::HashMap;
use verdict::{
    Decision, Digest, Finding, GuardedRow, HeldState, Locking, RowDigest, Terms, Timestamp, decide,
};

type Settled = TableIterator<
    'static,
    (
        name!(id, i64),
        name!(subject, Option<String>),
        name!(decision, String),
        name!(detail, Option<String>),
    ),
>;

/// A held row, as far as a verdict is looked for.
struct Waiting {
    id: i64,
    hook_id: i32,
    guard_id: i32,
    subject: String,
    digest: Option<Vec<u8>>,
    /// The verdict that it was held for.
    verdict_id: Option<i64>,
}

/// How many rows are read at once.
const BATCH: i64 = 1_000;

#[pg_extern(sql = false)]
pub fn settle(relation: Option<Oid>) -> Settled {
    or_raise((|| {
        transaction::must_be_writable()?;
        let relation = catalog::relation(catalog::root(args::required("relation", relation)?))?;
        let guards = guards_of(&relation.name)?;
        let (mut rows, mut waiting, mut last) = (Vec::new(), 0, 0);
        let mut settle_each = || {
            loop {
                let batch = after(&relation.name, last)?;
                let Some(end) = batch.last() else {
                    return Ok::<_, Report>(());
                };
                last = end.id;
                for row in batch {
                    match memory::scratch(|| settled(&row, &guards))? {
                        None => waiting += 1,
                        Some((state, detail)) => {
                            let decision = match state {
                                HeldState::Held => "stays held",
                                decided => decided.as_str(),
                            };
                            rows.push((
                                row.id,
                                Some(row.subject),
                                decision.to_owned(),
                                Some(detail),
                            ));
                        }
                    }
                }
            }
        };
        match after(&relation.name, 0)?.is_empty() {
            true => settle_each(),
            false => authors::once(&relation, relation.owner, settle_each),
        }?;
        if waiting > 0 {
            ereport(
                PgLogLevel::NOTICE,
                &format!("held rows that no verdict decides about yet: {waiting}"),
            );
        }
        Ok(TableIterator::new(rows))
    })())
}

/// Guard → whether it spends approvals, and whether it is bound to content.
fn guards_of(name: &Name) -> Result<HashMap<i32, (bool, bool)>, Report> {
    let guards = registry::guards_of(name)?.into_iter();
    let facts = guards.map(|guard| {
        let consumes = guard.locking == Locking::Consume;
        (guard.id, (consumes, !guard.content.is_empty()))
    });
    Ok(facts.collect())
}

/// What the newest verdict of a held row comes to.
struct Word {
    verdict_id: i64,
    decision: Decision,
}

/// `None` when there is no verdict, or the hook is gone.
fn newest_word(row: &Waiting, guards: &HashMap<i32, (bool, bool)>) -> Result<Option<Word>, Report> {
    let Some(hook) = hooks::by_id(row.hook_id)? else {
        return Ok(None);
    };
    // A guard that is gone spends nothing, and is bound to nothing.
    let (consume, bound) = guards.get(&row.guard_id).copied().unwrap_or_default();
    let terms = Terms {
        failed_continue: hook.failed_continue,
        consume,
    };
    let digest = row.digest.as_deref().and_then(Digest::from_bytes);
    let facts = GuardedRow {
        has_subject: true,
        digest: match digest {
            Some(digest) => RowDigest::Of(digest),
            None if bound => RowDigest::Unavailable,
            None => RowDigest::Unbound,
        },
    };
    let key = Key {
        hook_id: row.hook_id,
        hash: verdict::subject_hash(row.hook_id, &row.subject),
        subject: Span::copy(row.subject.as_bytes()),
    };
    let now = clock::current();
    let found = catching_longjmp(|plain| lookup::newest(key, now, plain));
    let standing = found.as_ref().and_then(lookup::standing);
    Ok(found.map(|found| Word {
        verdict_id: found.id,
        decision: decide(&facts, standing.as_ref(), terms, Timestamp(now)),
    }))
}

/// Does what the newest verdict says: what has become of the row, and why. `None` when no verdict
/// decides about it yet.
fn settled(
    row: &Waiting,
    guards: &HashMap<i32, (bool, bool)>,
) -> Result<Option<(HeldState, String)>, Report> {
    let Some(Word {
        verdict_id,
        decision,
    }) = newest_word(row, guards)?
    else {
        return Ok(None);
    };
    let (state, why) = match decision {
        Decision::Approved => (HeldState::Released, "approved"),
        Decision::FailedOpen => (HeldState::Released, "failed, which the hook lets pass"),
        // It was denied when it came, and is held so that somebody looks at it.
        Decision::Found(_) if row.verdict_id == Some(verdict_id) => return Ok(None),
        Decision::Found(finding @ (Finding::Denied | Finding::Revoked)) => {
            (HeldState::Refused, finding.as_str())
        }
        Decision::Found(_) => return Ok(None),
    };
    let word = Approval::Recorded(verdict_id);
    let reason = Span::copy(format!("settled by verdict {verdict_id}: {why}").as_bytes());
    let done = savepoint::attempt(|plain| match state {
        HeldState::Refused => decision::refuse_row(row.id, reason, word, plain),
        HeldState::Released | HeldState::Held => {
            decision::release_row(row.id, reason, false, word, plain)
        }
    });
    Ok(Some(match done {
        Ok(_) => (state, reason.text().to_owned()),
        Err(problem) => (HeldState::Held, problem.to_string()),
    }))
}

fn after(name: &Name, last: i64) -> Result<Vec<Waiting>, Report> {
    identity::as_extension_owner(|| {
        sql::rows(
            "SELECT id, hook_id, guard_id, subject, digest, verdict_id FROM verdict.quarantine
                 WHERE state = 'held' AND relation_schema = $1
                     AND relation_name = $2 AND id > $3
                     AND subject IS NOT NULL
                 ORDER BY id LIMIT $4",
            &[
                name.schema.as_str().into(),
                name.table.as_str().into(),
                last.into(),
                BATCH.into(),
            ],
            |row| {
                Ok(Waiting {
                    id: row.required(1)?,
                    hook_id: row.required(2)?,
                    guard_id: row.required(3)?,
                    subject: row.required(4)?,
                    digest: row.get(5)?,
                    verdict_id: row.get(6)?,
                })
            },
        )
    })
}
