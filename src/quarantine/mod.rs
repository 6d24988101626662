//! Rows that were left out of their statement and wait for a reviewer.

pub mod hold;
