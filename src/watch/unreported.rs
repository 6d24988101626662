//! What a statement may have touched when PostgreSQL does not report its commands. While a
//! materialized view is refreshed, PostgreSQL keeps no list of them.
//!
//! A statement that changes a table, or a trigger or rule on it, keeps a lock on the table until
//! the transaction ends. The lock is stronger than those of readers and writers. So the watch looks
//! at all tables with a baseline that this transaction has locked in this way. It does not look at
//! tables that others have locked, and so nobody waits for them.

use super::baseline;
use pg::report::Report;
use pg::{catalog, lock};
use pgrx::pg_sys::{NoLock, Oid, ShareUpdateExclusiveLock};

/// Guarded tables, their partitions and their inheritors, as far as this transaction may have
/// changed them.
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

/// Whether a statement with this tag never has commands: sql_drop reports what a DROP drops.
pub fn is_told_elsewhere(tag: &str) -> bool {
    tag.starts_with("DROP ")
}
