//! A guard as it is registered, and as a backend caches it: columns, triggers, glass.

pub mod cache;
pub mod glass;
pub mod info;
pub mod load;
pub mod mapping;
pub mod reads;
pub mod registry;
pub mod trigger_kind;
