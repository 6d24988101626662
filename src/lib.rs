//! pg_verdict: rows without an approval are refused.
//!
//! The rooms are in the order of the floors: a file may name what is declared above its own room, and
//! nothing below it. `make lint` keeps that.

mod report;

mod pg;

mod guc;

mod args;
mod roles;

mod store;

mod guard;

mod judge;

mod action;

mod enforce;

mod watch;

mod manage;

mod review;

mod audit;

mod selftest;

mod entry;

pgrx::pg_module_magic!();

#[pgrx::pg_guard]
pub extern "C-unwind" fn _PG_init() {
    pg::startup::forget_backtraces();
    pg::relcache::register();
    pg::transaction::init();
    guc::define();
    action::init();
    enforce::init();
    watch::init();
}
