//! What becomes of a row with a finding: the error, the log line, the incident, the held row.

pub mod done;
pub mod hold;
pub mod incident;
pub mod log_line;
pub mod refusal;
pub mod tally;

use pg::transaction;

/// Called by `_PG_init`, once.
pub fn init() {
    transaction::register(tally::HOOKS);
    transaction::register(hold::HOOKS);
}
