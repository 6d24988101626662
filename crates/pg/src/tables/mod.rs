//! Our own tables, read and written without SPI.

pub mod leaf;
pub mod leaf_index;
pub mod leaf_scan;
pub mod leaf_write;
pub mod own_table;
pub mod stored;
pub mod table;
pub mod version;
