//! Whether the glass of a table is broken: then its guards are open.

use pg::catalog::{self, Name};
use pg::log::ereport;
use pg::report::Report;
use pg::{clock, table};
use pgrx::PgLogLevel;
use std::cell::Cell;

/// Until when the guards of this table are open, in microseconds since 2000-01-01 UTC; `i64::MIN`
/// when they are not.
///
/// # Errors
///
/// Undefined object when the extension's SQL is not installed.
pub fn broken_until(name: &Name) -> Result<i64, Report> {
    let mut until = i64::MIN;
    if !catalog::has_own("glass") {
        // The SQL is older than the library.
        return Ok(until);
    }
    table::for_each("glass", |row| {
        if row.relation()? == *name && row.micros("restored_at").is_none() {
            until = until.max(row.required_micros("until")?);
        }
        Ok(())
    })?;
    Ok(until)
}

thread_local! {
    /// The last closing that this session has told the log of.
    static TOLD: Cell<i64> = const { Cell::new(i64::MIN) };
}

/// Glass closes by itself, and nobody is there to see it: the first finding afterwards tells, once
/// per session.
pub fn tell_closed(until: i64, table: &Name) {
    if until > TOLD.get() {
        TOLD.set(until);
        let at = clock::timestamp(until);
        ereport(
            PgLogLevel::LOG,
            &format!("verdict: glass of table {table} closed by itself at {at}"),
        );
    }
}
