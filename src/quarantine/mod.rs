//! Rows that were left out of their statement and wait for a reviewer.

mod bulk;
mod held;
pub mod hold;
mod restore;
pub mod review;
mod settle;
