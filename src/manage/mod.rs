//! What a DBA does: guards are made, changed, repaired and taken off.

pub mod alter;
pub mod arguments;
pub mod glass;
pub mod guard;
pub mod registering;
pub mod rehome;
pub mod repair;
pub mod soft;
pub mod triggers;
