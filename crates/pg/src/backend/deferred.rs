//! Constraints that PostgreSQL would check at the end of the transaction.

use super::sql;
use crate::catalogs::catalog::{self, Relation};
use crate::report::Report;
use pgrx::pg_sys;

/// Makes PostgreSQL check the table's constraints at once, from now until the transaction ends. A
/// security-restricted operation cannot defer triggers.
///
/// # Errors
///
/// The error of a constraint about rows that it has not checked yet.
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
