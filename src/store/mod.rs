//! The store of verdicts: daily leaves, look-up, recording and retiring.

pub mod hooks;
pub mod leaf_making;
pub mod leaf_worker;
pub mod leaves;
pub mod lookup;
pub mod retire;
pub mod sql;
pub mod status;
pub mod writer;
