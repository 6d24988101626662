//! Which leaves there are, newest first, and how a new one is made.
//!
//! `verdict.leaves` says where each leaf starts and ends and up to when it can decide something (its horizon).
//! The list is kept per backend until a relcache invalidation.

use crate::pg::catalog::{self, SCHEMA};
use crate::pg::entry::{Call, Plain};
use crate::pg::leaf::Leaf;
use crate::pg::{clock, identity, lock, relcache, sql, table, trigger};
use crate::report::{Report, SqlState};
use pgrx::pg_sys::Datum;
use std::cell::RefCell;

/// A leaf holds one UTC day.
pub const LEAF_WIDTH: i64 = DAY;

const DAY: i64 = 86_400_000_000;

struct Leaves {
    generation: u64,
    newest_first: Vec<Leaf>,
}

thread_local! {
    static LEAVES: RefCell<Leaves> = const { RefCell::new(Leaves { generation: 0, newest_first: Vec::new() }) };
}

/// Reads the list again if anything has changed since it was read.
///
/// # Errors
///
/// Undefined object when the extension's SQL is not installed.
pub fn refresh() -> Result<(), Report> {
    let generation = relcache::generation();
    if LEAVES.with_borrow(|leaves| leaves.generation == generation) {
        return Ok(());
    }
    relcache::watch(catalog::own_relation("leaves")?);
    relcache::watch(catalog::own_relation("verdicts")?);
    let mut newest_first = Vec::new();
    table::for_each("leaves", |row| {
        let (Some(starts), Some(ends), Some(horizon)) = (
            row.micros("starts"),
            row.micros("ends"),
            row.micros("horizon"),
        ) else {
            return Ok(());
        };
        newest_first.extend(Leaf::resolve(&row.text("name"), starts, ends, horizon));
        Ok(())
    })?;
    newest_first.sort_by_key(|leaf| std::cmp::Reverse(leaf.starts));
    LEAVES.set(Leaves {
        generation,
        newest_first,
    });
    Ok(())
}

/// The `i`-th leaf, newest first.
pub fn get(i: usize) -> Option<Leaf> {
    LEAVES.with_borrow(|leaves| leaves.newest_first.get(i).copied())
}

/// The names of all leaves in the registry, oldest first.
///
/// # Errors
///
/// Undefined object when the extension's SQL is not installed.
pub fn names_oldest_first() -> Result<Vec<String>, Report> {
    let mut named = Vec::new();
    table::for_each("leaves", |row| {
        named.push((row.micros("starts").unwrap_or(i64::MAX), row.text("name")));
        Ok(())
    })?;
    named.sort();
    Ok(named.into_iter().map(|(_, name)| name).collect())
}

/// The name, if it is one that [`make`] gives: it goes into statements.
///
/// # Errors
///
/// 55000 for any other: the registry was written by hand.
pub fn timestamped(name: &str) -> Result<String, Report> {
    let digits = name.strip_prefix("verdicts_").unwrap_or_default();
    if digits.len() >= 8 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(name.to_owned());
    }
    Err(Report::new(
        SqlState::NotInPrerequisiteState,
        format!("verdict.leaves names \"{name}\", which is no leaf of pg_verdict's making"),
    ))
}

fn holding(moment: i64) -> Option<Leaf> {
    LEAVES.with_borrow(|leaves| {
        leaves
            .newest_first
            .iter()
            .find(|leaf| leaf.starts <= moment && moment < leaf.ends)
            .copied()
    })
}

/// The leaf for a verdict recorded at `moment` that may decide something until `horizon`.
///
/// Makes the leaf when there is none, and tomorrow's ahead of time, so that at midnight no recorder waits
/// for another's transaction. Raises the leaf's horizon in whole days: once per longer validity, not per verdict.
pub fn for_writing(moment: i64, horizon: i64, plain: Plain) -> Leaf {
    plain.step(refresh);
    let starts = moment.div_euclid(LEAF_WIDTH) * LEAF_WIDTH;
    if holding(moment).is_none() {
        lock::maker_of_leaf(starts, false, plain);
        lock::accept_invalidations(plain);
        plain.step(refresh);
        if holding(moment).is_none() {
            plain.step(|| make(starts));
        }
    }
    if holding(moment + LEAF_WIDTH).is_none()
        && lock::maker_of_leaf(starts + LEAF_WIDTH, true, plain)
    {
        lock::accept_invalidations(plain);
        plain.step(refresh);
        if holding(moment + LEAF_WIDTH).is_none() {
            plain.step(|| make(starts + LEAF_WIDTH));
        }
    }
    plain.step(|| {
        refresh()?;
        let leaf = holding(moment).ok_or_else(|| {
            Report::new(SqlState::NotInPrerequisiteState, "the leaf for this verdict is not there, though it was just made")
                .hint("Look at verdict.leaves: does a row name a table that was dropped by hand? Delete that row.")
        })?;
        if horizon > leaf.horizon {
            raise_horizon(&leaf, horizon)?;
        }
        Ok(leaf)
    })
}

/// The horizon that a leaf gets for a verdict that may decide until `needed`: whole days behind the leaf's end.
fn coarse(leaf_ends: i64, needed: i64) -> i64 {
    if needed == i64::MAX {
        return needed;
    }
    let behind = needed.saturating_sub(leaf_ends).max(0);
    leaf_ends.saturating_add((behind / DAY + 1).saturating_mul(DAY))
}

fn raise_horizon(leaf: &Leaf, needed: i64) -> Result<(), Report> {
    let horizon = coarse(leaf.ends, needed);
    identity::as_extension_owner(|| {
        sql::run(
            "UPDATE verdict.leaves SET horizon = $2 WHERE starts = $1 AND horizon < $2",
            &[
                clock::timestamp(leaf.starts).into(),
                clock::timestamp(horizon).into(),
            ],
        )
    })
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
    // CREATE TABLE LIKE and ATTACH, never PARTITION OF: that would take AccessExclusiveLock on the parent, and two
    // recorders that both hold it open would deadlock.
    let statements = [
        format!(
            "CREATE TABLE verdict.{name} (LIKE verdict.verdicts INCLUDING ALL) USING heap WITH (fillfactor = 85)"
        ),
        format!("REVOKE ALL ON TABLE verdict.{name} FROM PUBLIC"),
        // Marks are updates: a subscriber that gets them must be able to find the row.
        format!("ALTER TABLE verdict.{name} REPLICA IDENTITY FULL"),
        format!("CREATE INDEX {name}_subject ON verdict.{name} (subject_hash)"),
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

/// `verdict.follow_leaf()`: AFTER INSERT on `verdict.leaves`, ALWAYS. Where a replication worker brings the row of a leaf, the
/// verdicts that belong into it follow: its table is made.
pub fn follow(call: Call, plain: Plain) -> Datum {
    if trigger::is_apply() {
        // The row that fired the trigger is not to be seen before its command has ended.
        clock::end_of_command(plain);
    }
    plain.step(|| {
        call.trigger().ok_or_else(trigger::not_a_row_trigger)?;
        if !trigger::is_apply() {
            // A dump that is restored brings the tables itself.
            return Ok(());
        }
        let mut missing = Vec::new();
        table::for_each("leaves", |row| {
            let name = timestamped(&row.text("name"))?;
            if catalog::find(SCHEMA, &name).is_none() {
                missing.push((name, row.micros("starts").unwrap_or(0)));
            }
            Ok(())
        })?;
        identity::as_extension_owner(|| {
            missing
                .iter()
                .try_for_each(|(name, starts)| make_table(name, *starts))
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
