//! Constraints that would wait for the end of the transaction.

use super::sql;
use crate::catalogs::catalog::{self, Relation};
use crate::report::Report;
use pgrx::pg_sys;

/// Has the table's constraints checked at once from now on, until the transaction ends: in a
/// security-restricted operation no trigger can be deferred.
///
/// # Errors
///
/// What a constraint says to rows that wait for it already.
pub fn check_now(relation: &Relation) -> Result<(), Report> {
    let found = sql::one::<bool>(
        "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_trigger AS t
             WHERE t.tgrelid = ANY ($1) AND t.tgdeferrable)",
        &[catalog::parts(relation, pg_sys::NoLock).into()],
    )?;
    if found == Some(true) {
        sql::run("SET CONSTRAINTS ALL IMMEDIATE", &[])?;
    }
    Ok(())
}
