//! What a DBA does: guards come, change and go, and roles get their rights.

pub mod alter;
pub mod arguments;
pub mod glass;
pub mod guard;
pub mod registering;
pub mod rehome;
pub mod repair;
pub mod soft;
pub mod triggers;
