//! The backend at work: its transactions, locks, statements and clock.

pub mod clock;
pub mod deferred;
pub mod lock;
pub mod making;
pub mod patience;
pub mod session;
pub mod sql;
pub mod statement;
pub mod test_hooks;
pub mod transaction;
pub mod worker;
