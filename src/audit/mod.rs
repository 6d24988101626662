//! What is written down: incidents in a table, rejections in the server's log, and how much an observing guard has judged.

pub mod incident;
pub mod leaks;
pub mod log_line;
pub mod reconcile;
pub mod tally;

use crate::pg::transaction;

/// Called by `_PG_init`, once.
pub fn init() {
    transaction::register(tally::HOOKS);
}
