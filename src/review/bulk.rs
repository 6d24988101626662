//! `verdict.release_all` and `verdict.refuse_all`: decide about many held rows, each in a
//! savepoint.

use super::decision::{self, Approval};
use crate::args;
use pg::authors;
use pg::catalog::{self, Relation};
use pg::identity;
use pg::log::ereport;
use pg::memory;
use pg::report::{Report, SqlState};
use pg::savepoint::{self, Failure};
use pg::span::Span;
use pg::sql::{self, or_raise};
use pg::transaction;
use pgrx::datum::TimestampWithTimeZone;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::Oid;
use pgrx::{PgLogLevel, name, pg_extern};

/// Rows that were decided about, and why the others were not.
type Decided = TableIterator<
    'static,
    (
        name!(id, i64),
        name!(decided, bool),
        name!(problem, Option<String>),
    ),
>;

/// Which held rows are meant.
struct Filter<'a> {
    relation: Relation,
    finding: Option<&'a str>,
    subject: Option<&'a str>,
    held_before: Option<TimestampWithTimeZone>,
    at_most: i32,
}

/// How many rows are decided about between two lines of progress.
const PROGRESS: usize = 1_000;

#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)] // the SQL function's own
pub fn release_all(
    relation: Option<Oid>,
    reason: Option<&str>,
    finding: Option<&str>,
    subject: Option<&str>,
    held_before: Option<TimestampWithTimeZone>,
    at_most: Option<i32>,
    adapt: Option<bool>,
) -> Decided {
    or_raise((|| {
        transaction::must_be_writable()?;
        let filter = filter(relation, finding, subject, held_before, at_most)?;
        let reason = args::not_blank("reason", reason)?;
        let adapt = args::required("adapt", adapt)?;
        let ids = ids(&filter)?;
        let release_each = || {
            each(&ids, |id| {
                let reason = Span::copy(reason.as_bytes());
                savepoint::attempt(|plain| {
                    decision::release_row(id, reason, adapt, Approval::Reviewer, plain)
                })
            })
        };
        if ids.is_empty() {
            return release_each();
        }
        authors::once(&filter.relation, filter.relation.owner, release_each)
    })())
}

#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)] // the SQL function's own
pub fn refuse_all(
    relation: Option<Oid>,
    reason: Option<&str>,
    finding: Option<&str>,
    subject: Option<&str>,
    held_before: Option<TimestampWithTimeZone>,
    at_most: Option<i32>,
    deny: Option<bool>,
) -> Decided {
    or_raise((|| {
        transaction::must_be_writable()?;
        let filter = filter(relation, finding, subject, held_before, at_most)?;
        let reason = args::not_blank("reason", reason)?;
        let word = match args::required("deny", deny)? {
            true => Approval::Reviewer,
            false => Approval::None,
        };
        each(&ids(&filter)?, |id| {
            let reason = Span::copy(reason.as_bytes());
            savepoint::attempt(|plain| decision::refuse_row(id, reason, word, plain))
        })
    })())
}

fn filter<'a>(
    relation: Option<Oid>,
    finding: Option<&'a str>,
    subject: Option<&'a str>,
    held_before: Option<TimestampWithTimeZone>,
    at_most: Option<i32>,
) -> Result<Filter<'a>, Report> {
    if let Some(word) = finding {
        args::word::<verdict::Finding>("finding", Some(word))?;
    }
    let at_most = args::required("at_most", at_most)?;
    if at_most < 0 {
        return Err(Report::new(
            SqlState::InvalidParameter,
            format!("argument \"at_most\" must be 0 or more, not {at_most}"),
        ));
    }
    Ok(Filter {
        // Rows are held for the guarded table, not for its partitions.
        relation: catalog::relation(catalog::root(args::required("relation", relation)?))?,
        finding,
        subject,
        held_before,
        at_most,
    })
}

fn each(
    ids: &[i64],
    decide: impl Fn(i64) -> Result<Option<i64>, Failure>,
) -> Result<Decided, Report> {
    let mut rows = Vec::new();
    for &id in ids {
        let outcome = memory::scratch(|| decide(id));
        if outcome
            .as_ref()
            .is_err_and(|failure| failure.is_out_of_locks())
        {
            // Each verdict takes a lock until the transaction ends, and the lock table is full: the
            // other rows would fail in the same way.
            ereport(
                PgLogLevel::NOTICE,
                &format!(
                    "stopped after {} rows: the lock table is full. Commit, and call again for the rest.",
                    rows.len()
                ),
            );
            break;
        }
        rows.push((
            id,
            outcome.is_ok(),
            outcome.err().map(|failure| failure.to_string()),
        ));
        if rows.len() % PROGRESS == 0 {
            ereport(PgLogLevel::NOTICE, &format!("{} rows so far", rows.len()));
        }
    }
    Ok(TableIterator::new(rows))
}

fn ids(filter: &Filter) -> Result<Vec<i64>, Report> {
    let ids = identity::as_extension_owner(|| {
        sql::one::<Vec<i64>>(
            "SELECT pg_catalog.array_agg(q.id ORDER BY q.id) FROM (
                 SELECT id FROM verdict.quarantine
                 WHERE state = 'held' AND relation_schema = $1
                     AND relation_name = $2
                     AND ($3 IS NULL OR finding = $3)
                     AND ($4 IS NULL OR subject ~~ $4)
                     AND ($5 IS NULL OR held_at < $5)
                 ORDER BY id LIMIT $6) AS q",
            &[
                filter.relation.name.schema.as_str().into(),
                filter.relation.name.table.as_str().into(),
                filter.finding.into(),
                filter.subject.into(),
                filter.held_before.into(),
                i64::from(filter.at_most).into(),
            ],
        )
    })?;
    Ok(ids.unwrap_or_default())
}
