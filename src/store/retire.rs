//! `verdict.retire()`: drops leaves that can decide nothing any more and are past their retention,
//! and old incidents.

use super::leaf_making::{DAY, timestamped};
use super::leaves::{self, Registered};
use crate::guc;
use pg::plain::catching_longjmp;
use pg::report::Report;
use pg::sql::{self, or_raise};
use pg::transaction;
use pg::{catalog, clock, identity, lock, settings};
use pgrx::iter::TableIterator;
use pgrx::{name, pg_extern};

type Retired = TableIterator<
    'static,
    (
        name!(leaf, String),
        name!(retired, bool),
        name!(reason, String),
    ),
>;

/// What keeps a leaf, or `None` when it may go. By what is committed now: an old snapshot may not
/// know how far its horizon is.
fn kept_by(leaf: &Registered) -> Result<Option<&'static str>, Report> {
    let now = clock::current();
    if leaf.horizon >= now {
        return Ok(Some("a verdict of it may still decide something"));
    }
    if leaf.ends + i64::from(guc::retention_days()) * DAY >= now {
        return Ok(Some("kept as evidence (verdict.retention_days)"));
    }
    let name = timestamped(&leaf.name)?;
    let held = sql::one::<bool>(
        &format!(
            "SELECT EXISTS (SELECT 1 FROM verdict.{name} AS v JOIN verdict.hooks AS h
                 ON h.id = v.hook_id WHERE h.legal_hold)"
        ),
        &[],
    )?;
    Ok((held == Some(true)).then_some("a hook of its verdicts is under legal hold"))
}

#[pg_extern(sql = false)]
pub fn retire() -> Retired {
    let mut rows = Vec::new();
    or_raise(transaction::must_be_writable());
    or_raise(identity::as_extension_owner(|| {
        // Dropping a partition needs its parent alone for a moment. Rather give up than queue in
        // front of auditors.
        settings::set(c"lock_timeout", c"2s");
        // Another call may be dropping what the registry still has.
        catching_longjmp(lock::retirer);
        for leaf in leaves::registered()? {
            match kept_by(&leaf)? {
                Some(reason) => rows.push((leaf.name, false, reason.to_owned())),
                None => {
                    sql::run(
                        &format!("DROP TABLE verdict.{}", timestamped(&leaf.name)?),
                        &[],
                    )?;
                    sql::run(
                        "DELETE FROM verdict.leaves WHERE name = $1",
                        &[leaf.name.as_str().into()],
                    )?;
                    rows.push((leaf.name, true, "past its horizon and retention".to_owned()));
                }
            }
        }
        for (table, statement) in OLD_ROWS {
            if !catalog::has_own(table) {
                // The SQL is older than the library.
                continue;
            }
            let days = format!("{} days", guc::incident_retention_days());
            let gone = sql::required::<i64>(statement, &[days.as_str().into()])?;
            if gone > 0 {
                rows.push((
                    table.to_owned(),
                    true,
                    format!("{gone} rows past verdict.incident_retention_days"),
                ));
            }
        }
        Ok(())
    }));
    TableIterator::new(rows)
}

/// Row images are personal data: they go after a time. A row that is still held never does, nor
/// what belongs to a hook under legal hold; while there is such a hook, neither do incidents of a
/// guard that is gone, which no longer say whose they are.
const OLD_ROWS: [(&str, &str); 3] = [
    (
        "incidents",
        "WITH gone AS (DELETE FROM verdict.incidents AS i
             WHERE at < (pg_catalog.clock_timestamp() - $1::pg_catalog.interval)
                 AND NOT EXISTS (SELECT 1 FROM verdict.hooks AS h
                     LEFT JOIN verdict.guards AS g ON g.id = i.guard_id
                     WHERE h.legal_hold AND coalesce(g.hook_id = h.id, true))
             RETURNING 1) SELECT pg_catalog.count(*) FROM gone",
    ),
    (
        "quarantine",
        "WITH gone AS (DELETE FROM verdict.quarantine AS q
             WHERE NOT EXISTS (SELECT 1 FROM verdict.hooks AS h
                     WHERE h.legal_hold AND h.id = q.hook_id)
                 AND state <> 'held' AND decided_at <
                 (pg_catalog.clock_timestamp() - $1::pg_catalog.interval)
             RETURNING 1) SELECT pg_catalog.count(*) FROM gone",
    ),
    (
        "observed",
        "WITH gone AS (DELETE FROM verdict.observed
             WHERE at < (pg_catalog.clock_timestamp() - $1::pg_catalog.interval)
             RETURNING 1) SELECT pg_catalog.count(*) FROM gone",
    ),
];
