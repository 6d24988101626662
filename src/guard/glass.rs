//! Whether the glass of a table is broken. While it is broken, the table's guards are open.

use pg::catalog::{self, Name};
use pg::log::ereport;
use pg::report::Report;
use pg::{clock, table};
use pgrx::PgLogLevel;
use std::cell::Cell;

/// Until when the guards of this table are open, in microseconds since 2000-01-01 UTC; `i64::MIN`
/// when they are closed.
///
/// # Errors
///
/// Undefined object when the extension's SQL is not installed.
pub fn broken_until(name: &Name) -> Result<i64, Report> {
    let mut until = i64::MIN;
    if !catalog::has_own("glass") {
        // The installed SQL is older than the library.
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
    /// The latest closing that this session has logged.
    static TOLD: Cell<i64> = const { Cell::new(i64::MIN) };
}

/// Glass closes when its time is over, and no statement runs at that moment. The first finding
/// after that logs the closing, once per session.
pub fn tell_closed(until: i64, table: &Name) {
    if until > TOLD.get() {
        TOLD.set(until);
        let at = clock::timestamp(until);
        ereport(
            PgLogLevel::LOG,
            &format!("verdict: glass expired for table {table} at {at}"),
        );
    }
}
