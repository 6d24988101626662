//! Rows that were left out of their statement and wait for a reviewer.

pub mod bulk;
pub mod held;
pub mod hold;
pub mod restore;
pub mod review;
pub mod settle;

use crate::pg::transaction;

/// Called by `_PG_init`, once.
pub fn init() {
    transaction::register(hold::HOOKS);
}
