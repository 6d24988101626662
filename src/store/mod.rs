//! The store of verdicts: daily leaves, the look-up, and writing.

pub mod hooks;
pub mod leaf_making;
pub mod leaf_worker;
pub mod leaves;
pub mod lookup;
pub mod retire;
pub mod sql;
pub mod status;
pub mod writer;
