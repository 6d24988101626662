//! Frames that PostgreSQL may jump out of, and what they hold: the ground that all other code here
//! stands on.

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
