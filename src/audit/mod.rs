//! Questions that an auditor asks: what is stored without an approval, and what would become of a
//! row.

pub mod explain;
pub mod leaks;
pub mod reconcile;
