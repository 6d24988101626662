//! PostgreSQL behind safe functions, and the only unsafe code. Knows pg_verdict's schema, not its
//! meaning.
//!
//! A function that takes a [`plain::PlainFrame`] may raise by `longjmp`. All others raise through
//! pgrx, and run inside [`plain::PlainFrame::step`] or a `#[pg_extern]`.
//!
//! The rooms are in the order of the floors, the ground first: a file names only what is declared
//! above its own room.

pub mod report;
mod frame;
mod catalogs;
mod backend;
mod row;
mod tables;
pub mod authors;
pub mod call;

pub use backend::{
    clock, deferred, lock, lock_timeout, rewrite_hook, session, sql, statement, test_hooks,
    transaction, worker,
};
pub use catalogs::{
    cached, catalog, condition, condition_text, defaults, expression, identity, relcache, types,
};
pub use frame::{list, log, memory, native, plain, savepoint, settings, span, startup, text};
pub use row::{columns, ddl_event, foreign_key, json, row_text, row_version, rows, trigger, tuple};
pub use tables::{leaf, leaf_index, leaf_scan, leaf_write, own_table, stored, table, version};

/// For the macros: what they expand to names it.
#[doc(hidden)]
pub use pgrx;
