//! Break-glass: the guards of a table are open for a while, for a reason, and everything that
//! passes is written down.

use crate::args::{self, table_argument};
use crate::guard::registry;
use crate::guc;
use pg::catalog::Relation;
use pg::identity;
use pg::log::ereport;
use pg::report::{Report, SqlState};
use pg::sql::{self, or_raise};
use pg::transaction;
use pgrx::datum::{Interval, TimestampWithTimeZone};
use pgrx::pg_sys::Oid;
use pgrx::{PgLogLevel, pg_extern};

#[pg_extern(sql = false)]
pub fn break_glass(
    relation: Option<Oid>,
    reason: Option<&str>,
    duration: Option<Interval>,
) -> TimestampWithTimeZone {
    or_raise((|| {
        transaction::must_be_writable()?;
        let relation = guarded_table(relation)?;
        let reason = args::not_blank("reason", reason)?;
        let duration = checked(args::required("duration", duration)?)?;
        let until = identity::as_extension_owner(|| {
            sql::required::<TimestampWithTimeZone>(
                "INSERT INTO verdict.glass (relation_schema, relation_name, broken_at, until, broken_by, reason)
                 SELECT $1, $2, n.now, n.now + $3, $4, $5
                 FROM (SELECT pg_catalog.clock_timestamp() AS now) AS n RETURNING until",
                &[
                    relation.name.schema.as_str().into(),
                    relation.name.table.as_str().into(),
                    duration.into(),
                    identity::session_user().into(),
                    reason.into(),
                ],
            )
        })?;
        log(&relation, &format!("glass broken until {until}"), reason);
        Ok(until)
    })())
}

#[pg_extern(sql = false)]
pub fn restore_glass(relation: Option<Oid>) {
    or_raise((|| {
        transaction::must_be_writable()?;
        let relation = table_argument(relation)?;
        let restored = identity::as_extension_owner(|| {
            sql::required::<i64>(
                "WITH restored AS (
                     UPDATE verdict.glass SET restored_at = pg_catalog.clock_timestamp(), restored_by = $3
                     WHERE relation_schema = $1 AND relation_name = $2
                         AND restored_at IS NULL AND until > pg_catalog.clock_timestamp()
                     RETURNING 1)
                 SELECT pg_catalog.count(*) FROM restored",
                &[
                    relation.name.schema.as_str().into(),
                    relation.name.table.as_str().into(),
                    identity::session_user().into(),
                ],
            )
        })?;
        if restored == 0 {
            return Err(Report::new(
                SqlState::NotInPrerequisiteState,
                format!("the glass of table {} is not broken", relation.name),
            ));
        }
        log(&relation, "glass restored", "");
        Ok(())
    })());
}

/// # Errors
///
/// 42704 for a table without a guard.
fn guarded_table(relation: Option<Oid>) -> Result<Relation, Report> {
    let relation = table_argument(relation)?;
    if !registry::guards_of(&relation.name)?.is_empty() {
        return Ok(relation);
    }
    Err(Report::new(
        SqlState::UndefinedObject,
        format!("table {} has no guard: nothing to break", relation.name),
    )
    .hint("See verdict.guards."))
}

/// # Errors
///
/// 22023 for a duration that is not positive, or longer than `verdict.break_glass_max`.
fn checked(duration: Interval) -> Result<Interval, Report> {
    let most = guc::break_glass_max_s();
    let usable = sql::one::<bool>(
        "SELECT pg_catalog.isfinite($1) AND $1 > '0'::pg_catalog.interval
             AND $1 <= pg_catalog.make_interval(secs => $2)",
        &[duration.into(), f64::from(most).into()],
    )?;
    if usable == Some(true) {
        return Ok(duration);
    }
    let given = sql::required::<String>("SELECT $1::pg_catalog.text", &[duration.into()])?;
    Err(Report::new(
        SqlState::InvalidParameter,
        format!(
            "argument \"duration\" must be more than zero and at most {most} s, not \"{given}\""
        ),
    )
    .hint("The ceiling is verdict.break_glass_max, which a superuser can change."))
}

fn log(relation: &Relation, what: &str, reason: &str) {
    let who = identity::session_user();
    let why = if reason.is_empty() {
        String::new()
    } else {
        format!(": {reason}")
    };
    let line = format!("verdict: {what} for table {} by {who}{why}", relation.name);
    ereport(PgLogLevel::LOG, &line);
}
