//! What the header of a row version says of its writer.

use crate::frame::native;
use pgrx::pg_sys::{self, CommandId, HeapTupleHeader};

/// Whether this transaction has written the version.
///
/// # Safety
///
/// The version's page is pinned; the caller's frames are plain.
pub(crate) unsafe fn is_ours(header: HeapTupleHeader) -> bool {
    // SAFETY: as said.
    unsafe {
        let frozen = pg_sys::HEAP_XMIN_FROZEN;
        // A frozen version keeps the number of its writer, which another transaction may have by
        // now: ours.
        u32::from((*header).t_infomask) & frozen != frozen
            && native::TransactionIdIsCurrentTransactionId((*header).t_choice.t_heap.t_xmin)
    }
}

/// Whether the version was written by a command of ours that `command` cannot see: the same, or a
/// later one.
///
/// # Safety
///
/// As [`is_ours`].
pub(crate) unsafe fn is_of_command(header: HeapTupleHeader, command: CommandId) -> bool {
    // SAFETY: as said; only a version of ours has a command number.
    unsafe { is_ours(header) && native::HeapTupleHeaderGetCmin(header) >= command }
}
