//! A column that incidents do not show stays hidden when it is renamed.

use crate::guard::registry::Guard;
use pg::catalog::Relation;
use pg::report::Report;
use pg::{identity, sql};
use pgrx::JsonB;

/// Writes the new name into the registry when a redacted column of this table was renamed.
///
/// # Errors
///
/// SPI's own.
pub fn follow(guard: &Guard, table: &Relation, old: &str, new: &str) -> Result<(), Report> {
    let is_renamed = guard.redact.iter().any(|name| name == old)
        && table.column(old).is_none()
        && table.column(new).is_some();
    if !is_renamed {
        return Ok(());
    }
    let names = guard
        .redact
        .iter()
        .map(|name| if name == old { new } else { name });
    let names: Vec<&str> = names.collect();
    identity::as_extension_owner(|| {
        sql::run(
            "UPDATE verdict.guards SET redact = $2 WHERE id = $1",
            &[guard.id.into(), JsonB(names.into()).into()],
        )
    })
}
