//! pg_verdict: rows without an approval are refused.
//!
//! The rooms, in the order of the floors, the ground first. A file may name what is declared above
//! its own room, and nothing below it; `make lint` checks this.
//!
//! | room | what is in it |
//! |---|---|
//! | `crates/verdict` | pure: from bytes to an outcome, from a row's facts to a finding |
//! | `crates/pg` | PostgreSQL behind safe functions; all unsafe code |
//! | `guc`, `args`, `roles` | settings; checks that many functions' arguments share; who may do what |
//! | `store` | hooks and verdicts: look-up, recording, retiring |
//! | `guard` | a guard as it is registered, and as a backend caches it |
//! | `judge` | a row's facts and its verdict: the finding |
//! | `action` | what becomes of a row with a finding: error, log line, incident, held row |
//! | `enforce` | the trigger: before and after a row is stored, and between partitions |
//! | `watch` | drift, and the event triggers that refuse it |
//! | `manage` | what a DBA does: guard, alter_guard, repair, rename, rehome, break_glass |
//! | `review` | what a reviewer does with held rows |
//! | `audit` | what an auditor asks: reconcile, explain |
//! | `selftest` | tries to bypass a guard |
//! | `entry` | the entry points: every function that PostgreSQL calls by name |

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
