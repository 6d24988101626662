//! One leaf of `verdict.verdicts`: what it is, the verdict that was found in it, and the lock on
//! that.
//!
//! Leaves are ordinary heap tables (made with `USING heap`), so heap's own functions are called.

use super::leaf_index::{self, LeafIndex};
use crate::backend::test_hooks::{self, Weakening};
use crate::catalogs::catalog;
use crate::catalogs::relcache;
use crate::frame::native;
use crate::frame::plain::PlainFrame;
use crate::frame::span::Span;
use crate::report::Report;
use pgrx::pg_sys::{self, ItemPointerData, Oid};

/// The columns of a verdict, in an order of ours. A leaf's attribute numbers are looked up by these
/// names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Col {
    Id,
    HookId,
    SubjectHash,
    RecordedAt,
    ExpiresAt,
    Horizon,
    SupersededBy,
    ConsumedAt,
    ConsumedBy,
    Revokes,
    ErrCode,
    HttpStatus,
    ResponseBytes,
    Outcome,
    Cause,
    Via,
    Subject,
    Digest,
    ErrMsg,
    ErrDetail,
    Reason,
    Response,
    RecordedBy,
}

pub const COLUMNS: [&str; 23] = [
    "id",
    "hook_id",
    "subject_hash",
    "recorded_at",
    "expires_at",
    "horizon",
    "superseded_by",
    "consumed_at",
    "consumed_by",
    "revokes",
    "err_code",
    "http_status",
    "response_bytes",
    "outcome",
    "cause",
    "via",
    "subject",
    "digest",
    "err_msg",
    "err_detail",
    "reason",
    "response",
    "recorded_by",
];

/// What a leaf is and where its columns are. `Copy`, so that plain frames can hold one.
#[derive(Clone, Copy, Debug)]
pub struct Leaf {
    pub oid: Oid,
    /// `None`: somebody has dropped it, and the leaf is read whole until there is another.
    pub(crate) index: Option<LeafIndex>,
    /// Of [`crate::catalogs::relcache`], when all this was read.
    pub(crate) generation: u64,
    /// First moment that belongs to the leaf, microseconds since 2000-01-01 UTC.
    pub starts: i64,
    /// First moment that no longer does.
    pub ends: i64,
    /// Latest moment at which one of its verdicts, or one that it superseded, could still decide
    /// something.
    pub horizon: i64,
    pub(crate) attnums: [i16; COLUMNS.len()],
}

impl Leaf {
    /// Finds the leaf's columns and index. `None` when the table is gone (dropped by hand, or left
    /// out of a restore).
    pub fn resolve(name: &str, starts: i64, ends: i64, horizon: i64) -> Option<Self> {
        let oid = catalog::find(catalog::SCHEMA, name)?;
        relcache::watch(oid);
        let unknown = Self {
            oid,
            index: None,
            generation: 0,
            starts,
            ends,
            horizon,
            attnums: [0; COLUMNS.len()],
        };
        unknown.up_to_date().ok()
    }

    /// The leaf as it is now: another index may be in its place.
    ///
    /// # Errors
    ///
    /// Undefined object when the table is gone.
    pub(crate) fn up_to_date(self) -> Result<Self, Report> {
        let generation = relcache::generation();
        let facts = catalog::relation(self.oid)?;
        let attnums = COLUMNS.map(|column| facts.column(column).map_or(0, |found| found.attnum));
        let [hash, id] = [Col::SubjectHash, Col::Id].map(|col| attnums[col as usize]);
        Ok(Self {
            index: leaf_index::find(self.oid, hash, id),
            generation,
            attnums,
            ..self
        })
    }

    pub(crate) fn attnum(&self, col: Col) -> usize {
        self.attnums[col as usize] as usize
    }
}

/// A verdict as the look-up found it, `Copy`. `err_msg` lives as long as the caller's memory
/// context.
#[derive(Clone, Copy)]
pub struct FoundVerdict {
    pub leaf: Leaf,
    pub(crate) tid: ItemPointerData,
    pub(crate) own: bool,
    pub id: i64,
    pub recorded_at: i64,
    pub expires_at: i64,
    pub horizon: i64,
    pub superseded_by: Option<i64>,
    pub consumed: bool,
    pub revoked: bool,
    pub outcome: Span,
    pub cause: Option<Span>,
    pub digest: Option<[u8; 32]>,
    pub err_code: Option<i32>,
    pub err_msg: Option<Span>,
}

/// How a lock or mark went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockOutcome {
    /// The row is ours until the transaction ends.
    Locked,
    /// Somebody changed it first: look again.
    Changed,
}

/// Locks the verdict FOR SHARE until the transaction ends, so that no writer can supersede it
/// before.
///
/// FOR KEY SHARE would not do: a writer's mark takes NO KEY UPDATE, which does not conflict with
/// it. A verdict of our own transaction needs no lock: nobody else can see it, and its writers wait
/// for us.
pub fn lock(found: &FoundVerdict, _plain: PlainFrame) -> LockOutcome {
    if found.own || test_hooks::weakened(Weakening::NoLock) {
        return LockOutcome::Locked;
    }
    let mode = if test_hooks::weakened(Weakening::KeyShare) {
        pg_sys::LockTupleMode::LockTupleKeyShare
    } else {
        pg_sys::LockTupleMode::LockTupleShare
    };
    // SAFETY: the leaf is open and RowShare-locked since `newest`; the buffer that heap_lock_tuple
    // pins is released.
    let result = unsafe {
        let heap = native::table_open(found.leaf.oid, pg_sys::NoLock as i32);
        let mut tuple = pg_sys::HeapTupleData {
            t_self: found.tid,
            ..Default::default()
        };
        let mut buffer = pg_sys::InvalidBuffer as pg_sys::Buffer;
        let mut failure = pg_sys::TM_FailureData::default();
        let result = native::heap_lock_tuple(
            heap,
            &mut tuple,
            native::GetCurrentCommandId(true),
            mode,
            pg_sys::LockWaitPolicy::LockWaitBlock,
            false,
            &mut buffer,
            &mut failure,
        );
        native::ReleaseBuffer(buffer);
        native::table_close(heap, pg_sys::NoLock as i32);
        result
    };
    match result {
        pg_sys::TM_Result::TM_Ok => LockOutcome::Locked,
        _ if test_hooks::weakened(Weakening::NoRecheck) => LockOutcome::Locked,
        _ => LockOutcome::Changed,
    }
}

/// How many holders of a verdict [`holders`] names.
pub const HOLDERS_CAP: usize = 8;

/// The transactions that have locked or updated the verdict, as far as its tuple says; 0 fills the
/// rest. Some may have ended since.
pub fn holders(found: &FoundVerdict, _plain: PlainFrame) -> [u32; HOLDERS_CAP] {
    let mut holders = [0; HOLDERS_CAP];
    // SAFETY: the leaf is open and locked since `newest`; the header is read while its page is
    // pinned and locked; members is palloc'ed by the callee and has as many elements as it says.
    unsafe {
        let heap = native::table_open(found.leaf.oid, pg_sys::NoLock as i32);
        let mut tuple = pg_sys::HeapTupleData {
            t_self: found.tid,
            ..Default::default()
        };
        let mut buffer = pg_sys::InvalidBuffer as pg_sys::Buffer;
        let any = &raw mut pg_sys::SnapshotAnyData;
        if native::heap_fetch(heap, any, &mut tuple, &mut buffer, false) {
            // The two belong together: whoever locks the row at this moment writes both under the
            // page's lock.
            native::LockBuffer(buffer, pg_sys::BUFFER_LOCK_SHARE as i32);
            let infomask = u32::from((*tuple.t_data).t_infomask);
            let xmax = (*tuple.t_data).t_choice.t_heap.t_xmax;
            native::LockBuffer(buffer, pg_sys::BUFFER_LOCK_UNLOCK as i32);
            native::ReleaseBuffer(buffer);
            if infomask & pg_sys::HEAP_XMAX_INVALID != 0 {
            } else if infomask & pg_sys::HEAP_XMAX_IS_MULTI != 0 {
                let mut members = std::ptr::null_mut();
                let only_locks = infomask & pg_sys::HEAP_XMAX_LOCK_ONLY != 0;
                let multi = pg_sys::MultiXactId::from(xmax.into_inner());
                let count = native::GetMultiXactIdMembers(multi, &mut members, false, only_locks);
                for (i, holder) in holders.iter_mut().take(count.max(0) as usize).enumerate() {
                    *holder = (*members.add(i)).xid.into_inner();
                }
            } else {
                holders[0] = xmax.into_inner();
            }
        }
        native::table_close(heap, pg_sys::NoLock as i32);
    }
    holders
}
