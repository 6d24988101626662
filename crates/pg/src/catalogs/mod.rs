//! What the catalogs say: relations, types, roles, expressions; and knowing when it is out of date.

pub mod cached;
pub mod catalog;
pub mod condition;
pub mod condition_text;
pub mod defaults;
pub mod expression;
pub mod identity;
pub mod relcache;
pub mod types;
