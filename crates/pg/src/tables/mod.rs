//! Our own tables, read and written without SPI.

pub mod leaf;
pub mod leaf_index;
pub mod leaf_scan;
pub mod leaf_write;
pub mod own_table;
pub mod stored;
pub mod table;
pub mod version;

use crate::report::{Report, SqlState};

/// VD009 for a table of ours that has another form than its SQL gave it: nothing is guessed.
fn unreadable(what: &str) -> Report {
    Report::new(SqlState::GuardMisconfigured, format!("VD009: {what}"))
        .hint("Was the table changed by hand, or by a newer version of pg_verdict?")
}
