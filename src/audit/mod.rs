//! What is written down: incidents in a table, rejections in the server's log, and how much an observing guard has judged.

pub mod incident;
pub mod log_line;
pub mod tally;
