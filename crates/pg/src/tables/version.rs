//! Who has written a row version, as its header says.

use crate::frame::native;
use pgrx::pg_sys::{self, CommandId, HeapTupleHeader};

/// Whether this transaction has written the version.
///
/// # Safety
///
/// The version's page is pinned; the caller's frames are plain.
pub(crate) unsafe fn is_ours(header: HeapTupleHeader) -> bool {
    // SAFETY: as above.
    unsafe {
        let frozen = pg_sys::HEAP_XMIN_FROZEN;
        // A frozen version keeps the transaction id of its writer. By now, this id may belong to
        // another transaction, even to ours.
        u32::from((*header).t_infomask) & frozen != frozen
            && native::TransactionIdIsCurrentTransactionId((*header).t_choice.t_heap.t_xmin)
    }
}

/// Whether a command of this transaction has written the version that `command` cannot see: the
/// same command, or a later one.
///
/// # Safety
///
/// As [`is_ours`].
pub(crate) unsafe fn is_of_command(header: HeapTupleHeader, command: CommandId) -> bool {
    // SAFETY: as above; only a version of ours has a command number.
    unsafe { is_ours(header) && native::HeapTupleHeaderGetCmin(header) >= command }
}
