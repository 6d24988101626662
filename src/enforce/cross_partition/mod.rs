//! An UPDATE that moves a row to another partition: a DELETE there and an INSERT here, in
//! PostgreSQL's eyes.

pub mod after;
pub mod before;
