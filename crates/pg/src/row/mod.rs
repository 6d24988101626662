//! Rows and triggers: slots, columns, texts, and what a trigger is told.

pub mod columns;
pub mod ddl_event;
pub mod foreign_key;
pub mod json;
pub mod row_text;
pub mod row_version;
pub mod rows;
pub mod trigger;
pub mod tuple;
