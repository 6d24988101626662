//! Frames that PostgreSQL may jump out of, and the values that they may hold. All other code of
//! this crate builds on them.

pub mod list;
pub mod log;
pub mod memory;
pub mod native;
pub mod plain;
pub mod savepoint;
pub mod settings;
pub mod span;
pub mod startup;
pub mod text;
