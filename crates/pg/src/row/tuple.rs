//! What a stored tuple's header says.

use pgrx::pg_sys::{self, Relation};

/// `t_ctid`'s offset in a version that was moved (MovedPartitionsOffsetNumber).
pub(crate) const MOVED: u16 = 0xFFFD;

/// A statement of this transaction, by the number that its rows bear. Later statements have higher
/// numbers, and a trigger's has a higher one than the statement that fired the trigger.
pub use pgrx::pg_sys::CommandId;

/// # Safety
///
/// `relation` is open.
pub(crate) unsafe fn is_heap(relation: Relation) -> bool {
    // SAFETY: as said.
    unsafe { (*(*relation).rd_rel).relam == pg_sys::HEAP_TABLE_AM_OID }
}
