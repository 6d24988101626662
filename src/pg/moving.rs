//! Whether a row version has left for another partition: PostgreSQL marks it when a cross-partition UPDATE deletes it.

use super::columns::RowSlot;
use super::entry::Plain;
use super::native;
use pgrx::itemptr::item_pointer_get_block_number_no_check;
use pgrx::pg_sys::{self, ItemPointerData, Oid};

/// `t_ctid`'s offset in a version that was moved (MovedPartitionsOffsetNumber).
pub(super) const MOVED: u16 = 0xFFFD;

/// A row version that an update is about to replace.
#[derive(Clone, Copy)]
pub struct Version {
    leaf: Oid,
    tid: ItemPointerData,
}

impl Version {
    pub fn of(leaf: Oid, row: RowSlot) -> Self {
        // SAFETY: the slot holds a stored row.
        let tid = unsafe { (*row.0).tts_tid };
        Self { leaf, tid }
    }

    pub fn is(self, other: Self) -> bool {
        let place = |tid: ItemPointerData| (tid.ip_blkid.bi_hi, tid.ip_blkid.bi_lo, tid.ip_posid);
        self.leaf == other.leaf && place(self.tid) == place(other.tid)
    }

    /// Whether this transaction has sent it to another partition, and has not taken that back.
    pub fn has_moved(self, _plain: Plain) -> bool {
        // SAFETY: this transaction has locked the leaf, or dropped it. The version was seen by it and cannot be vacuumed away,
        // unless the leaf was truncated here; its header is read under the pin that heap_fetch keeps.
        unsafe {
            let heap = native::try_table_open(self.leaf, pg_sys::NoLock as i32);
            if heap.is_null() {
                return false;
            }
            let block = item_pointer_get_block_number_no_check(self.tid);
            let blocks =
                native::RelationGetNumberOfBlocksInFork(heap, pg_sys::ForkNumber::MAIN_FORKNUM);
            if block >= blocks {
                native::table_close(heap, pg_sys::NoLock as i32);
                return false;
            }
            let is_heap = (*(*heap).rd_rel).relam == pg_sys::HEAP_TABLE_AM_OID;
            let mut tuple = pg_sys::HeapTupleData {
                t_self: self.tid,
                ..Default::default()
            };
            let mut buffer = pg_sys::InvalidBuffer as pg_sys::Buffer;
            let snapshot = &raw mut pg_sys::SnapshotAnyData;
            // Another access method leaves no such mark: there the last update's word must do.
            let mut moved = !is_heap;
            if is_heap && native::heap_fetch(heap, snapshot, &mut tuple, &mut buffer, false) {
                let header = tuple.t_data;
                if (*header).t_ctid.ip_posid == MOVED {
                    let multi = u32::from((*header).t_infomask) & pg_sys::HEAP_XMAX_IS_MULTI != 0;
                    let xid = if multi {
                        native::HeapTupleGetUpdateXid(header)
                    } else {
                        (*header).t_choice.t_heap.t_xmax
                    };
                    moved = native::TransactionIdIsCurrentTransactionId(xid);
                }
                native::ReleaseBuffer(buffer);
            }
            native::table_close(heap, pg_sys::NoLock as i32);
            moved
        }
    }
}
