//! `verdict.reconcile` and `verdict.flag_leaks`.

use super::leaks::{Scope, problem};
use crate::args::{self, table_argument};
use crate::guard::cache;
use crate::judge::flag;
use crate::store::hooks::Hook;
use pg::authors;
use pg::catalog::quote;
use pg::deferred;
use pg::identity::{self, Restriction};
use pg::log::ereport;
use pg::memory;
use pg::report::{Report, SqlState};
use pg::savepoint;
use pg::sql::{self, or_raise};
use pg::statement::Statement;
use pg::transaction;
use pgrx::datum::TimestampWithTimeZone;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::{self, ItemPointerData, Oid};
use pgrx::{IntoDatum, PgLogLevel, name, pg_extern};
use std::collections::{BTreeMap, HashMap};

type Reconciled = TableIterator<
    'static,
    (
        name!(problem, String),
        name!(subject, Option<String>),
        name!(verdict_id, Option<i64>),
        name!(leaf, Option<Oid>),
        name!(row_at, Option<ItemPointerData>),
    ),
>;

#[pg_extern(sql = false)]
pub fn reconcile(
    hook: Option<&str>,
    relation: Option<Oid>,
    since: Option<TimestampWithTimeZone>,
    time_column: Option<&str>,
) -> Reconciled {
    or_raise((|| {
        let scope = Scope::check(hook, relation, since, time_column)?;
        let mut unstored = match scope.is_partition() {
            // Its rows are not all that there are: what is not among them may be stored elsewhere.
            true => HashMap::new(),
            false => approved(&scope.hook, since)?,
        };
        let mut rows = Vec::new();
        scope.for_each_row(|seen, row, leaf| {
            if let Some(id) = seen.verdict_id {
                unstored.remove(&id);
            }
            if let Some(finding) = seen.finding {
                let subject = seen.key.map(|key| key.subject.text().to_owned());
                rows.push((
                    problem(finding).to_owned(),
                    subject,
                    seen.verdict_id,
                    Some(leaf),
                    Some(row.tid()),
                ));
            }
            Ok(())
        })?;
        let mut never: Vec<_> = unstored.into_iter().collect();
        never.sort();
        rows.extend(never.into_iter().map(|(id, subject)| {
            (
                "approved, never stored".to_owned(),
                Some(subject),
                Some(id),
                None,
                None,
            )
        }));
        Ok(TableIterator::new(rows))
    })())
}

/// The standing approvals of a hook: id and subject.
fn approved(
    hook: &Hook,
    since: Option<TimestampWithTimeZone>,
) -> Result<HashMap<i64, String>, Report> {
    identity::as_extension_owner(|| {
        sql::rows(
            "SELECT id, subject FROM verdict.verdicts
                 WHERE hook_id = $1 AND outcome = 'approved'
                     AND superseded_by IS NULL
                     AND ($2 IS NULL OR recorded_at >= $2)",
            &[hook.id.into(), since.into()],
            |row| Ok((row.required(1)?, row.required(2)?)),
        )
        .map(|rows| rows.into_iter().collect())
    })
}

type Flagged = TableIterator<
    'static,
    (
        name!(problem, String),
        name!(found, i64),
        name!(flagged, i64),
    ),
>;

#[pg_extern(sql = false)]
pub fn flag_leaks(
    relation: Option<Oid>,
    hook: Option<&str>,
    since: Option<TimestampWithTimeZone>,
    time_column: Option<&str>,
    dry_run: Option<bool>,
) -> Flagged {
    or_raise((|| {
        let table = table_argument(relation)?;
        let owner = table.owner;
        let scope = Scope::check(hook, relation, since, time_column)?;
        let dry_run = args::required("dry_run", dry_run)?;
        if !dry_run {
            transaction::must_be_writable()?;
        }
        let mut counts = BTreeMap::<&'static str, (i64, i64)>::new();
        let mut leaks = Vec::new();
        scope.for_each_row(|seen, row, leaf| {
            if let Some(finding) = seen.finding {
                counts.entry(problem(finding)).or_default().0 += 1;
                leaks.push((finding, leaf, row.tid()));
            }
            Ok(())
        })?;
        if !dry_run {
            authors::must_be_trusted(&table, owner)?;
            deferred::check_now(&table)?;
            let mut refused = 0;
            let mut why = None;
            for (done, (finding, leaf, row_at)) in leaks.into_iter().enumerate() {
                let outcome = memory::scratch(|| {
                    let statement = set_flag(&scope.hook, leaf, row_at, owner)?;
                    Ok(savepoint::attempt(|plain| statement.run_as(owner, plain)))
                })?;
                match outcome {
                    Ok(rows) => {
                        counts.entry(problem(finding)).or_default().1 +=
                            i64::try_from(rows).unwrap_or(0);
                    }
                    Err(failure) => {
                        refused += 1;
                        why.get_or_insert(failure);
                    }
                }
                if (done + 1) % PROGRESS == 0 {
                    ereport(PgLogLevel::NOTICE, &format!("{} rows so far", done + 1));
                }
            }
            if let Some(why) = why {
                ereport(
                    PgLogLevel::WARNING,
                    &format!("{refused} rows could not be flagged, the first because of: {why}"),
                );
            }
        }
        let rows = counts
            .into_iter()
            .map(|(problem, (found, flagged))| (problem.to_owned(), found, flagged));
        Ok(TableIterator::new(rows.collect::<Vec<_>>()))
    })())
}

/// How many rows are flagged between two lines of progress.
const PROGRESS: usize = 10_000;

/// The statement that flags one row; it changes none when the row was changed or deleted meanwhile.
fn set_flag(
    hook: &Hook,
    leaf: Oid,
    row_at: ItemPointerData,
    owner: Oid,
) -> Result<Statement, Report> {
    let guards = cache::guards_on(leaf)?;
    let cached = guards
        .iter()
        .find(|cached| cached.info.hook_id == hook.id && cached.guard.flag.is_some());
    let Some((cached, (column, _))) =
        cached.and_then(|cached| Some((cached, cached.guard.flag.as_ref()?)))
    else {
        return Err(Report::new(
            SqlState::NotInPrerequisiteState,
            format!("the guard for hook \"{}\" has no flag column", hook.name),
        )
        .hint(
            "Give it one: verdict.alter_guard(relation, hook, flag_column => …, flag_value => …).",
        ));
    };
    let type_oid = cached
        .flag_type
        .map_or(pg_sys::InvalidOid, |flag| flag.type_oid);
    let value = identity::as_role(owner, Restriction::SecurityRestricted, || {
        flag::value(cached)
    })?;
    let text = format!(
        "UPDATE ONLY {} SET {} = $1 WHERE ctid = $2",
        cached.table,
        quote(column)
    );
    let parameters = [(type_oid, value), (pg_sys::TIDOID, row_at.into_datum())];
    Ok(Statement::new(&text, &parameters, &cached.table.schema))
}
