//! Row versions that move to another partition. PostgreSQL marks a version when a cross-partition
//! UPDATE deletes it.

use super::columns::RowSlot;
use super::trigger::Fired;
use super::tuple::{CommandId, MOVED, is_heap};
use crate::frame::native;
use crate::frame::plain::PlainFrame;
use pgrx::itemptr::item_pointer_get_block_number_no_check;
use pgrx::pg_sys::{self, ItemPointerData, Oid, Relation};

/// A row version that an update is about to replace, or has moved away.
#[derive(Clone, Copy)]
pub struct RowVersion {
    partition: Oid,
    tid: ItemPointerData,
}

/// The statement that a BEFORE trigger has fired for. This is not the transaction's current
/// command, because a trigger may have started another one.
pub fn statement_at_work(_plain: PlainFrame) -> CommandId {
    /// A number that no command has. It stands for a statement that runs without a snapshot;
    /// PostgreSQL itself runs none.
    const UNKNOWN: CommandId = CommandId::MAX;
    // SAFETY: the active snapshot belongs to the running statement, and has the command number that
    // the statement writes.
    unsafe {
        match native::ActiveSnapshotSet() {
            true => (*native::GetActiveSnapshot()).curcid,
            false => UNKNOWN,
        }
    }
}

impl RowVersion {
    pub fn of(partition: Oid, row: RowSlot) -> Self {
        // SAFETY: the slot holds a stored row.
        let tid = unsafe { (*row.0).tts_tid };
        Self { partition, tid }
    }

    pub fn is(self, other: Self) -> bool {
        let place = |tid: ItemPointerData| (tid.ip_blkid.bi_hi, tid.ip_blkid.bi_lo, tid.ip_posid);
        self.partition == other.partition && place(self.tid) == place(other.tid)
    }

    /// Whether this statement has moved the version to another partition. An access method other
    /// than heap leaves no mark: then the answer is yes.
    pub fn is_sent_by(self, statement: CommandId, _plain: PlainFrame) -> bool {
        // SAFETY: this transaction has locked the partition, or dropped it. It has seen the
        // version, which cannot be vacuumed away unless the partition was truncated here. The
        // header is read while heap_fetch keeps its page pinned, and under the page's lock.
        unsafe {
            let heap = native::try_table_open(self.partition, pg_sys::NoLock as i32);
            if heap.is_null() {
                return false;
            }
            let mut sent = !is_heap(heap);
            if !sent && self.is_within(heap) {
                let mut tuple = pg_sys::HeapTupleData {
                    t_self: self.tid,
                    ..Default::default()
                };
                let mut buffer = pg_sys::InvalidBuffer as pg_sys::Buffer;
                let snapshot = &raw mut pg_sys::SnapshotAnyData;
                if native::heap_fetch(heap, snapshot, &mut tuple, &mut buffer, false) {
                    let header = tuple.t_data;
                    // A session that locks the version changes its xmax under the page's lock.
                    native::LockBuffer(buffer, pg_sys::BUFFER_LOCK_SHARE as i32);
                    let mut sender = pg_sys::InvalidTransactionId;
                    if (*header).t_ctid.ip_posid == MOVED {
                        let multi =
                            u32::from((*header).t_infomask) & pg_sys::HEAP_XMAX_IS_MULTI != 0;
                        sender = if multi {
                            native::HeapTupleGetUpdateXid(header)
                        } else {
                            (*header).t_choice.t_heap.t_xmax
                        };
                    }
                    native::LockBuffer(buffer, pg_sys::BUFFER_LOCK_UNLOCK as i32);
                    // While this transaction has deleted the version, no other one changes its
                    // command number.
                    sent = native::TransactionIdIsCurrentTransactionId(sender)
                        && native::HeapTupleHeaderGetCmax(header) == statement;
                    native::ReleaseBuffer(buffer);
                }
            }
            native::table_close(heap, pg_sys::NoLock as i32);
            sent
        }
    }

    /// The version as a row of the table that the trigger fired on, whose columns may have other
    /// attribute numbers. It lives in the current memory context. `None` when it can no longer be
    /// read.
    pub fn as_row_of(self, fired: Fired, _plain: PlainFrame) -> Option<RowSlot> {
        // SAFETY: as `is_sent_by`. Two partitions of one tree have the same columns by name. The
        // copies of the descriptor and of the tuple live in this call's memory context.
        unsafe {
            let heap = native::try_table_open(self.partition, pg_sys::NoLock as i32);
            if heap.is_null() {
                return None;
            }
            let mut row = None;
            if self.is_within(heap) {
                let slot = native::table_slot_create(heap, std::ptr::null_mut());
                let mut tid = self.tid;
                let snapshot = &raw mut pg_sys::SnapshotAnyData;
                let fetch = (*(*heap).rd_tableam).tuple_fetch_row_version;
                if fetch.is_some_and(|fetch| fetch(heap, &mut tid, snapshot, slot)) {
                    let mut must_free = false;
                    let tuple = native::ExecFetchSlotHeapTuple(slot, true, &mut must_free);
                    let desc = native::CreateTupleDescCopy((*fired.table()).rd_att);
                    let map = native::convert_tuples_by_name((*heap).rd_att, desc);
                    let tuple = match map.is_null() {
                        true => native::heap_copytuple(tuple),
                        false => native::execute_attr_map_tuple(tuple, map),
                    };
                    let here =
                        native::MakeSingleTupleTableSlot(desc, &raw const pg_sys::TTSOpsHeapTuple);
                    row = Some(RowSlot(native::ExecStoreHeapTuple(tuple, here, false)));
                }
                native::ExecDropSingleTupleTableSlot(slot);
            }
            native::table_close(heap, pg_sys::NoLock as i32);
            row
        }
    }

    /// Whether the table still has the version's page. The table may have been truncated.
    ///
    /// # Safety
    ///
    /// `heap` is open; the caller's frames are plain.
    unsafe fn is_within(self, heap: Relation) -> bool {
        // SAFETY: as above.
        unsafe {
            let main = pg_sys::ForkNumber::MAIN_FORKNUM;
            let blocks = native::RelationGetNumberOfBlocksInFork(heap, main);
            item_pointer_get_block_number_no_check(self.tid) < blocks
        }
    }
}
