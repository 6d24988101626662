//! The only unsafe code: PostgreSQL's side of everything, behind safe functions.
//!
//! Functions that take a [`plain::Plain`] may raise by `longjmp`; all others raise through pgrx and run
//! inside [`plain::Plain::step`] or a `#[pg_extern]`.

pub mod authors;
pub mod call;
pub mod catalog;
pub mod clock;
pub mod columns;
pub mod condition;
mod condition_text;
pub mod defaults;
pub mod deferred;
pub mod event;
pub mod expression;
pub mod foreign_key;
pub mod identity;
pub mod json;
pub mod leaf;
mod leaf_index;
pub mod leaf_scan;
pub mod leaf_write;
pub mod lock;
pub mod log;
pub mod making;
pub mod memory;
pub mod moving;
mod native;
pub mod own_table;
pub mod patience;
pub mod plain;
pub mod relcache;
pub mod remembered;
pub mod row_text;
pub mod rows;
pub mod savepoint;
pub mod session;
pub mod settings;
pub mod span;
pub mod sql;
pub mod startup;
pub mod statement;
mod stored;
pub mod table;
pub mod test_hooks;
mod text;
pub mod transaction;
pub mod trigger;
pub mod tuple;
mod types;
mod version;
pub mod worker;
