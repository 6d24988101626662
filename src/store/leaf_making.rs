//! Makes leaves and raises their horizons, in a separate transaction wherever possible. Otherwise
//! other recorders would have to wait for the recorder's open transaction.

use super::leaves::{self, holding};
use pg::call::Call;
use pg::catalog::{self, SCHEMA};
use pg::leaf::{Leaf, LockOutcome};
use pg::own_table::Value;
use pg::plain::{PlainFrame, catching_longjmp};
use pg::report::{Report, SqlState};
use pg::{clock, identity, lock, own_table, relcache, sql, table, trigger, worker};
use pgrx::pg_sys::Datum;
use std::cell::Cell;

/// A leaf holds one UTC day.
const LEAF_WIDTH: i64 = DAY;

/// In microseconds.
pub const DAY: i64 = 86_400_000_000;

/// When the next day's leaf could not be made, a recorder waits this long before it asks again: a
/// minute.
const PATIENCE: i64 = 60_000_000;

thread_local! {
    static ASK_AGAIN: Cell<i64> = const { Cell::new(i64::MIN) };
}

/// The leaf for a verdict that is recorded at `moment` and may decide something until `horizon`.
/// Makes the leaf and raises its horizon, if needed.
pub fn for_writing(moment: i64, horizon: i64, plain: PlainFrame) -> Leaf {
    prepare(moment, horizon, plain);
    plain.step(|| {
        holding(moment).ok_or_else(|| {
            Report::new(SqlState::NotInPrerequisiteState, "the leaf for this verdict is not there, though it was just made")
                .hint("Look at verdict.leaves: does a row name a table that was dropped by hand? Delete that row.")
        })
    })
}

/// Makes a worker call [`make_ready`]. When the worker fails, the leaf is missing afterwards, and
/// the server's log says why.
///
/// # Errors
///
/// None itself; a cancelled statement stays cancelled.
fn order_worker(starts: i64, horizon: i64) -> Result<(), Report> {
    worker::run_in_this_database(c"verdict_leaf_worker", &format!("{starts} {horizon}"));
    Ok(())
}

/// Makes sure that the leaf of `moment` exists with this horizon, and if possible the next day's
/// leaf: nobody should have to wait for it at midnight.
///
/// A background worker does this in a separate transaction. When no worker is free, or when this
/// transaction has created the extension, this session does it. Then other recorders who need the
/// same leaf wait until this transaction ends.
pub fn prepare(moment: i64, horizon: i64, plain: PlainFrame) {
    plain.step(leaves::refresh);
    let has_next = holding(moment + LEAF_WIDTH).is_some();
    if is_ready(moment, horizon) && (has_next || moment < ASK_AGAIN.get()) {
        return;
    }
    let starts = moment.div_euclid(LEAF_WIDTH) * LEAF_WIDTH;
    lock::enter_asking(plain);
    plain.step(leaves::refresh);
    if !is_ready(moment, horizon) || holding(moment + LEAF_WIDTH).is_none() {
        plain.step(|| order_worker(starts, horizon));
        lock::accept_invalidations(plain);
        plain.step(leaves::refresh);
    }
    lock::leave_asking(plain);
    if holding(moment + LEAF_WIDTH).is_none() {
        ASK_AGAIN.set(moment + PATIENCE);
    }
    if is_ready(moment, horizon) {
        return;
    }
    lock::enter_making(plain);
    plain.step(leaves::refresh);
    if is_ready(moment, horizon) {
        lock::leave_making(plain);
        return;
    }
    plain.step(|| make_ready(starts, horizon));
    clock::end_of_command(plain);
    plain.step(leaves::refresh);
}

fn is_ready(moment: i64, horizon: i64) -> bool {
    holding(moment).is_some_and(|leaf| leaf.horizon >= horizon)
}

/// Makes the leaf that starts at `starts` and the next one, and raises the horizon of the first, in
/// this transaction.
///
/// # Errors
///
/// What the statements raise; 42710 when a table has the leaf's name but is not registered.
pub fn make_ready(starts: i64, horizon: i64) -> Result<(), Report> {
    for starts in [starts, starts + LEAF_WIDTH] {
        if holding(starts).is_none() {
            make(starts)?;
        }
    }
    raise_horizon(starts, horizon)
}

/// The name, if [`make`] could have given it: statements contain the name unquoted.
///
/// # Errors
///
/// 55000 for any other name: somebody has changed the registry by hand.
pub fn timestamped(name: &str) -> Result<String, Report> {
    let digits = name.strip_prefix("verdicts_").unwrap_or_default();
    if digits.len() >= 8 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(name.to_owned());
    }
    Err(Report::new(
        SqlState::NotInPrerequisiteState,
        format!("verdict.leaves names \"{name}\", which is not the name of a leaf"),
    ))
}

/// The horizon of a leaf for a verdict that may decide until `needed`: whole days after the leaf's
/// end.
fn coarse(leaf_ends: i64, needed: i64) -> i64 {
    if needed == i64::MAX {
        return needed;
    }
    let behind = needed.saturating_sub(leaf_ends).max(0);
    leaf_ends.saturating_add((behind / DAY + 1).saturating_mul(DAY))
}

/// Raises a leaf's horizon in whole days: once per longer validity, not once per verdict. Reads the
/// newest row of the registry, whatever the transaction's snapshot is. An old row could leave the
/// horizon too low, and the leaf would be retired too early.
fn raise_horizon(starts: i64, needed: i64) -> Result<(), Report> {
    loop {
        let mut behind = None;
        table::for_each_to_change("leaves", |row| {
            if row.micros("starts") == Some(starts)
                && row
                    .micros("horizon")
                    .is_some_and(|horizon| horizon < needed)
            {
                behind = row.micros("ends").map(|ends| (row.tid(), ends));
            }
            Ok(())
        })?;
        let Some((tid, ends)) = behind else {
            return Ok(());
        };
        let horizon = Value::moment(coarse(ends, needed));
        if own_table::update("leaves", tid, &[("horizon", horizon)])? == LockOutcome::Locked {
            // For an SQL statement, the trigger on the table would do this.
            relcache::invalidate(catalog::own_relation("leaves")?);
            catching_longjmp(clock::end_of_command);
            return Ok(());
        }
    }
}

fn make(starts: i64) -> Result<(), Report> {
    let ends = starts + LEAF_WIDTH;
    let name = leaf_name(starts);
    if catalog::find(SCHEMA, &name).is_some() {
        return Err(Report::new(
            SqlState::DuplicateObject,
            format!("relation {SCHEMA}.{name} exists but is not in {SCHEMA}.leaves"),
        )
        .hint("It may be left over from a partial restore: insert its row into verdict.leaves, or drop it."));
    }
    identity::as_extension_owner(|| {
        make_table(&name, starts)?;
        sql::run(
            "INSERT INTO verdict.leaves (name, starts, ends, horizon) VALUES ($1, $2, $3, $4)",
            &[
                name.as_str().into(),
                clock::timestamp(starts).into(),
                clock::timestamp(ends).into(),
                clock::timestamp(coarse(ends, ends)).into(),
            ],
        )
    })
}

/// Makes the table of a leaf, as the extension's owner.
fn make_table(name: &str, starts: i64) -> Result<(), Report> {
    // CREATE TABLE LIKE and ATTACH, never PARTITION OF: that would take AccessExclusiveLock on the
    // parent, and two recorders that both have it open would deadlock.
    let statements = [
        format!(
            "CREATE TABLE verdict.{name} (LIKE verdict.verdicts INCLUDING ALL) USING heap WITH (fillfactor = 85)"
        ),
        format!("REVOKE ALL ON TABLE verdict.{name} FROM PUBLIC"),
        // A mark is written by an update: a subscriber that receives it must be able to find the
        // row.
        format!("ALTER TABLE verdict.{name} REPLICA IDENTITY FULL"),
        // With the id in the index, the newest of many verdicts of one subject is found without
        // reading the others.
        format!("CREATE INDEX {name}_subject ON verdict.{name} (subject_hash, id)"),
        format!(
            "ALTER TABLE verdict.verdicts ATTACH PARTITION verdict.{name} FOR VALUES FROM ('{}') TO ('{}')",
            utc(starts),
            utc(starts + LEAF_WIDTH)
        ),
    ];
    for statement in &statements {
        sql::run(statement, &[])?;
    }
    Ok(())
}

/// `verdict.follow_leaf()`: AFTER INSERT on `verdict.leaves`, ALWAYS. A replication worker brings a
/// leaf's row and then its verdicts. So the trigger makes the leaf's table.
pub fn follow(call: Call, plain: PlainFrame) -> Datum {
    if trigger::is_apply() {
        // Only after the end of the command does this session see the row that fired the trigger.
        clock::end_of_command(plain);
    }
    plain.step(|| {
        call.trigger().ok_or_else(trigger::not_a_row_trigger)?;
        if !trigger::is_apply() {
            // A dump that is being restored brings the tables itself.
            return Ok(());
        }
        let registered = leaves::registered()?;
        identity::as_extension_owner(|| {
            registered.iter().try_for_each(|leaf| {
                let name = timestamped(&leaf.name)?;
                match catalog::find(SCHEMA, &name) {
                    Some(_) => Ok(()),
                    None => make_table(&name, leaf.starts),
                }
            })
        })
    });
    Datum::null()
}

/// `verdicts_20261124` for the leaf that starts on that UTC day.
fn leaf_name(starts: i64) -> String {
    let (year, month, day) = civil(starts.div_euclid(DAY));
    format!("verdicts_{year:04}{month:02}{day:02}")
}

/// `2026-11-24 00:00:00+00` for the start of a UTC day.
fn utc(starts: i64) -> String {
    let (year, month, day) = civil(starts.div_euclid(DAY));
    format!("{year:04}-{month:02}-{day:02} 00:00:00+00")
}

/// Year, month and day of a day number counted from 2000-01-01.
fn civil(day: i64) -> (i32, i32, i32) {
    let julian = day as i32 + pgrx::pg_sys::POSTGRES_EPOCH_JDATE as i32;
    clock::julian_to_date(julian)
}
