//! Held rows, and what their reviewer decides.

pub mod bulk;
pub mod decision;
pub mod held;
pub mod restore;
pub mod settle;
