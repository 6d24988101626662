//! A held row as `verdict.quarantine` keeps it, and what becomes of it.

use pg::catalog::Name;
use pg::identity;
use pg::report::{Report, SqlState};
use pg::sql;
use pgrx::pg_sys::Oid;
use pgrx::spi::{self, SpiTupleTable};
use pgrx::{FromDatum, IntoDatum, Spi};
use verdict::HeldState;

/// A row that is held and locked: nobody else decides about it until this transaction ends.
pub struct HeldRow {
    pub id: i64,
    pub table: Name,
    /// The table in the database that `origin` names, and who owned it: what is known of them.
    pub table_oid: Option<Oid>,
    pub table_owner: Option<String>,
    pub origin: Option<String>,
    pub hook_id: i32,
    pub subject: Option<String>,
    pub digest: Option<Vec<u8>>,
    pub columns: Vec<HeldColumn>,
    /// It is an update: each column has the value that it had.
    pub is_update: bool,
}

pub struct HeldColumn {
    pub name: String,
    pub type_name: String,
    pub value: Option<String>,
    pub old_value: Option<String>,
}

/// A column that is NOT NULL.
fn required<T: FromDatum + IntoDatum>(row: &SpiTupleTable, n: usize) -> spi::Result<T> {
    row.get(n)?.ok_or(spi::Error::InvalidPosition)
}

/// Reads and locks a held row. Waits for a reviewer who is deciding about it.
///
/// # Errors
///
/// 42704 for an unknown id; 55000 with who decided and when for one that is not held any more.
pub fn lock(id: i64) -> Result<HeldRow, Report> {
    let found = identity::as_extension_owner(|| {
        Spi::connect_mut(|client| {
            let rows = client.update(
                "SELECT state, relation_schema, relation_name, hook_id, subject, digest, columns, types,
                        row_values, old_values, operation, decided_by, decided_at::pg_catalog.text, relation_oid, relation_owner, origin
                 FROM verdict.quarantine WHERE id = $1 FOR UPDATE",
                Some(1),
                &[id.into()],
            )?;
            if rows.is_empty() {
                return Ok(None);
            }
            let row = rows.first();
            let text = |n| required::<String>(&row, n);
            let old_values = row.get::<Vec<Option<String>>>(10)?;
            let names: Vec<String> = required(&row, 7)?;
            let types: Vec<String> = required(&row, 8)?;
            let values: Vec<Option<String>> = required(&row, 9)?;
            let columns = names
                .into_iter()
                .enumerate()
                .zip(types)
                .zip(values)
                .map(|(((i, name), type_name), value)| HeldColumn {
                    name,
                    type_name,
                    value,
                    old_value: old_values.as_ref().and_then(|old| old.get(i).cloned().flatten()),
                })
                .collect();
            let held = HeldRow {
                id,
                table: Name {
                    schema: text(2)?,
                    table: text(3)?,
                },
                table_oid: row.get(14)?,
                table_owner: row.get(15)?,
                origin: row.get(16)?,
                hook_id: required(&row, 4)?,
                subject: row.get(5)?,
                digest: row.get(6)?,
                columns,
                is_update: text(11)? == "update",
            };
            let decided = row.get::<String>(12)?.zip(row.get::<String>(13)?);
            Ok(Some((text(1)?, held, decided)))
        })
        .map_err(sql::failed)
    })?;
    match found {
        None => Err(Report::new(
            SqlState::UndefinedObject,
            format!("argument \"id\": there is no held row {id}"),
        )
        .hint("See verdict.quarantine.")),
        Some((state, held, _)) if state == HeldState::Held.as_str() => Ok(held),
        Some((state, _, decided)) => {
            let (by, at) = decided.unwrap_or_else(|| ("nobody".to_owned(), "-infinity".to_owned()));
            Err(Report::new(
                SqlState::NotInPrerequisiteState,
                format!("row {id} was {state} by {by} at {at}"),
            ))
        }
    }
}

/// Writes down what was decided, by whom and why.
///
/// # Errors
///
/// SPI's own.
pub fn decide(
    id: i64,
    state: HeldState,
    reason: &str,
    verdict_id: Option<i64>,
) -> Result<(), Report> {
    identity::as_extension_owner(|| {
        sql::run(
            "UPDATE verdict.quarantine SET state = $2, reason = $3, verdict_id = coalesce($4, verdict_id),
                 decided_at = pg_catalog.clock_timestamp(), decided_by = $5
             WHERE id = $1",
            &[
                id.into(),
                state.as_str().into(),
                reason.into(),
                verdict_id.into(),
                identity::session_user().into(),
            ],
        )
    })
}
