//! While a statement rewrites a guarded table, no other code may write into the new table.

use super::baseline;
use crate::guard::registry;
use pg::report::{About, Report, SqlState};
use pg::{catalog, identity, sql};
use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::Oid;

/// Refuses writes into the new table that will replace this one. If the table is guarded, nobody's
/// code may write.
///
/// # Errors
///
/// VD010.
pub fn takes_no_rows(relation: Oid) -> Result<(), Report> {
    if !["guards", "baselines"].into_iter().all(catalog::has_own) {
        return Ok(());
    }
    let facts = catalog::relation(relation)?;
    let above = catalog::ancestors(relation);
    let root = match above.last() {
        None => facts.name.clone(),
        Some(root) => catalog::relation(*root)?.name,
    };
    let seen = baseline::all()?;
    let is_seen = seen
        .iter()
        .any(|seen| seen.relation == relation || above.contains(&seen.relation));
    let registered = registry::registered()?;
    if !is_seen && !registered.iter().any(|watched| watched.table == root) {
        return Ok(());
    }
    Err(Report::new(
        SqlState::Weakened,
        format!(
            "VD010: table {} is being rewritten, and only the statement that does it may write the new rows",
            facts.name
        ),
    )
    .detail("No guard would judge what is written there.")
    .hint("Look at the functions in the table's defaults, constraints and indexes, and in the statement.")
    .about(About {
        schema: Some(facts.name.schema),
        table: Some(facts.name.table),
        constraint: None,
    }))
}

/// Refuses when the new table of a rewrite was attached: rows would reach it through the table
/// above.
///
/// # Errors
///
/// VD010; SPI's own.
pub fn is_no_partition(attached: &[Oid]) -> Result<(), Report> {
    refuse_found(
        "SELECT c.relrewrite FROM pg_catalog.pg_class AS c WHERE c.oid = ANY ($1)
             AND c.relrewrite <> 0::pg_catalog.oid",
        &[attached.to_vec().into()],
    )
}

/// As [`is_no_partition`], when PostgreSQL does not report which table was attached.
///
/// # Errors
///
/// VD010; SPI's own.
pub fn is_nowhere_a_partition() -> Result<(), Report> {
    refuse_found(
        "SELECT c.relrewrite FROM pg_catalog.pg_class AS c
         WHERE c.relispartition AND c.relrewrite <> 0::pg_catalog.oid",
        &[],
    )
}

fn refuse_found(statement: &str, arguments: &[DatumWithOid]) -> Result<(), Report> {
    let rewritten = identity::as_extension_owner(|| {
        sql::with_latest_snapshot(|| sql::rows(statement, arguments, |row| row.required(1)))
    })?;
    rewritten.into_iter().try_for_each(takes_no_rows)
}
