//! The backend: its transactions, locks, statements and clock.

pub mod clock;
pub mod deferred;
pub mod lock;
pub mod lock_timeout;
pub mod rewrite_hook;
pub mod session;
pub mod sql;
pub mod statement;
pub mod test_hooks;
pub mod transaction;
pub mod worker;
