//! An UPDATE that moves a row to another partition. PostgreSQL executes it as a DELETE in the old
//! partition and an INSERT in the new one.

pub mod after;
pub mod before;
