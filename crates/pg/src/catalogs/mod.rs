//! The catalogs: relations, types, roles, expressions; and how a backend notices that they changed.

pub mod cached;
pub mod catalog;
pub mod condition;
pub mod condition_text;
pub mod defaults;
pub mod expression;
pub mod identity;
pub mod relcache;
pub mod types;
