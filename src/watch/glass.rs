//! Break-glass: the guards of a table are open for a while, for a reason, and everything that passes is written down.

use crate::pg::catalog::Name;
use crate::pg::table;
use crate::report::Report;

/// Until when the guards of this table are open, in microseconds since 2000-01-01 UTC; `i64::MIN` when they are not.
///
/// # Errors
///
/// Undefined object when the extension's SQL is not installed.
pub fn of(name: &Name) -> Result<i64, Report> {
    let mut until = i64::MIN;
    table::for_each("glass", |row| {
        if row.text("relation_schema") == name.schema
            && row.text("relation_name") == name.table
            && row.micros("restored_at").is_none()
        {
            until = until.max(row.micros("until").unwrap_or(i64::MIN));
        }
        Ok(())
    })?;
    Ok(until)
}
