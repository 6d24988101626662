//! The list of leaves, newest first.
//!
//! `verdict.leaves` says for each leaf where it starts and ends, and until when it can decide
//! something (its horizon). A backend caches the list until PostgreSQL invalidates the relcache
//! entry of the registry, of a leaf, or of a leaf's index.

use pg::leaf::Leaf;
use pg::report::Report;
use pg::{catalog, relcache, table};
use std::cell::RefCell;

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
    for leaf in registered()?.into_iter().rev() {
        newest_first.extend(Leaf::resolve(
            &leaf.name,
            leaf.starts,
            leaf.ends,
            leaf.horizon,
        )?);
    }
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

/// The leaf that `moment` belongs to, as far as this backend knows.
pub fn holding(moment: i64) -> Option<Leaf> {
    LEAVES.with_borrow(|leaves| {
        leaves
            .newest_first
            .iter()
            .find(|leaf| leaf.starts <= moment && moment < leaf.ends)
            .copied()
    })
}

/// A leaf's row of the registry.
pub struct Registered {
    pub name: String,
    /// In microseconds since 2000-01-01 UTC, as the others.
    pub starts: i64,
    pub ends: i64,
    pub horizon: i64,
}

/// All leaves in the registry, oldest first, as they are committed now, whatever the transaction's
/// snapshot is.
///
/// # Errors
///
/// Undefined object when the extension's SQL is not installed.
pub fn registered() -> Result<Vec<Registered>, Report> {
    let mut found = Vec::new();
    table::for_each("leaves", |row| {
        found.push(read(row)?);
        Ok(())
    })?;
    found.sort_by_key(|leaf: &Registered| leaf.starts);
    Ok(found)
}

fn read(row: &table::OwnRow) -> Result<Registered, Report> {
    Ok(Registered {
        name: row.text("name")?,
        starts: row.required_micros("starts")?,
        ends: row.required_micros("ends")?,
        horizon: row.required_micros("horizon")?,
    })
}
