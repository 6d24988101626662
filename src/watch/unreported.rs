//! What a statement may have touched whose commands PostgreSQL does not tell: it keeps no list of
//! them while a materialized view is refreshed.
//!
//! Whatever changes a table or what hangs on it keeps a lock on that table, stronger than those of
//! readers and writers, to the end of the transaction. So all that was seen whole and is locked
//! that way is looked at. Tables on which others work are not: nobody waits for them.

use super::baseline;
use pg::report::Report;
use pg::{catalog, lock};
use pgrx::pg_sys::{NoLock, Oid, ShareUpdateExclusiveLock};

/// Guarded tables, their partitions and what inherits from them, as far as this transaction may
/// have changed them.
///
/// # Errors
///
/// Undefined object when the extension's SQL is not installed.
pub fn tables() -> Result<Vec<Oid>, Report> {
    let mut found = Vec::new();
    for seen in baseline::all()?.iter() {
        for member in catalog::tree(seen.relation, NoLock) {
            if lock::is_held(member, ShareUpdateExclusiveLock) && !found.contains(&member) {
                found.push(member);
            }
        }
    }
    Ok(found)
}

/// Whether an empty list of commands is no news: a DROP has none, what it drops is told at
/// sql_drop.
pub fn is_told_elsewhere(tag: &str) -> bool {
    tag.starts_with("DROP ")
}
