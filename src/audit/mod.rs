//! What an auditor asks: which rows are stored without an approval, and what a guard would do with
//! a row.

pub mod explain;
pub mod leaks;
pub mod reconcile;
