//! What is written down: incidents in a table, rejections in the server's log, and how much an observing guard has judged.

pub mod incident;
mod leaks;
pub mod log_line;
mod reconcile;
pub mod tally;
