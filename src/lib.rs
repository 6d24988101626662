//! pg_verdict: rows without an approval are refused.
//!
//! A chat server asks a webhook before it sends a message. `store` keeps the answers as verdicts, `watch` puts guards
//! on tables, `enforce` is the trigger that refuses, flags, holds or discards each row without an approval, `quarantine`
//! gives held rows to a reviewer, and `audit` keeps what was found. What decides is in `crates/verdict`,
//! which knows nothing of PostgreSQL; what touches PostgreSQL's memory is in `pg`.

mod args;
mod audit;
mod enforce;
mod entry;
mod guc;
mod pg;
mod quarantine;
mod report;
mod selftest;
mod store;
mod watch;

pgrx::pg_module_magic!();

#[pgrx::pg_guard]
pub extern "C-unwind" fn _PG_init() {
    pg::startup::forget_backtraces();
    guc::define();
    pg::relcache::register();
    pg::transaction::init();
    audit::init();
    quarantine::init();
    enforce::init();
    watch::init();
}
