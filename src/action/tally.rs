//! Counts the rows that an observing guard has judged. At its end, each transaction writes one row
//! of `verdict.observed` per guard. `verdict.readiness` takes the M of "N of M" from it.
//!
//! When a savepoint is rolled back, its counts are forgotten: its rows are gone, too.

use pg::own_table::Value;
use pg::report::Report;
use pg::transaction::Hooks;
use pg::{catalog, clock, own_table};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Guard → rows judged.
type Counts = BTreeMap<i32, i64>;

thread_local! {
    /// Counts with their nest level: one entry for the transaction, and one for each open savepoint
    /// that has counted something.
    static LEVELS: RefCell<Vec<(i32, Counts)>> = const { RefCell::new(Vec::new()) };
}

pub const HOOKS: Hooks = Hooks {
    has_work: || !is_empty(),
    before_commit: write,
    at_end: forget,
    savepoint_kept: keep,
    savepoint_rolled_back: drop_level,
};

/// Counts a row at the current nest level.
pub fn count(guard_id: i32, nest_level: i32) {
    LEVELS.with_borrow_mut(|levels| {
        if levels.last().is_none_or(|(level, _)| *level < nest_level) {
            levels.push((nest_level, Counts::new()));
        }
        if let Some((_, counts)) = levels.last_mut() {
            *counts.entry(guard_id).or_insert(0) += 1;
        }
    });
}

/// A savepoint is released: its counts are added to those of the level above.
fn keep(nest_level: i32) {
    LEVELS.with(|levels| {
        let Ok(mut levels) = levels.try_borrow_mut() else {
            return;
        };
        let Some((_, ended)) = levels.pop_if(|(level, _)| *level >= nest_level) else {
            return;
        };
        match levels.last_mut() {
            Some((level, counts)) if *level >= nest_level - 1 => {
                for (guard, count) in ended {
                    *counts.entry(guard).or_insert(0) += count;
                }
            }
            _ => levels.push((nest_level - 1, ended)),
        }
    });
}

/// A savepoint is rolled back: its counts go.
fn drop_level(nest_level: i32) {
    LEVELS.with(|levels| {
        if let Ok(mut levels) = levels.try_borrow_mut() {
            levels.retain(|(level, _)| *level < nest_level);
        }
    });
}

/// Whether nothing was counted.
fn is_empty() -> bool {
    LEVELS.with_borrow(Vec::is_empty)
}

/// Writes the transaction's counts, just before it commits.
///
/// # Errors
///
/// The append's own.
fn write() -> Result<(), Report> {
    if !catalog::has_own("observed") {
        // The installed SQL is older than the library, or this transaction has dropped the
        // extension and `verdict.observed` with it.
        forget();
        return Ok(());
    }
    let now = clock::current();
    for (_, counts) in LEVELS.take() {
        for (guard_id, judged) in counts {
            own_table::append(
                "observed",
                &[
                    ("guard_id", Value::of(guard_id)),
                    ("at", Value::moment(now)),
                    ("judged", Value::of(judged)),
                ],
            )?;
        }
    }
    Ok(())
}

/// Runs at the end of a transaction.
fn forget() {
    LEVELS.with(|levels| {
        if let Ok(mut levels) = levels.try_borrow_mut() {
            levels.clear();
        }
    });
}
