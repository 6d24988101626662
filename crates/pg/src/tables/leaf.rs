//! One leaf of `verdict.verdicts`: its columns and index, a verdict that was found in it, and the
//! lock on the verdict.
//!
//! Leaves are heap tables (made with `USING heap`), and so heap's own functions are called.

use super::leaf_index::{self, LeafIndex};
use super::unreadable;
use crate::backend::test_hooks::{self, Weakening};
use crate::catalogs::catalog::{self, Relation};
use crate::catalogs::relcache;
use crate::frame::native;
use crate::frame::plain::PlainFrame;
use crate::frame::span::Span;
use crate::report::Report;
use pgrx::pg_sys::{self, ItemPointerData, Oid};

/// The columns of a verdict, in our order. A leaf's attribute numbers are looked up by these names.
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

/// Names and types of the columns, in the order of [`Col`].
pub const COLUMNS: [(&str, Oid); 23] = [
    ("id", pg_sys::INT8OID),
    ("hook_id", pg_sys::INT4OID),
    ("subject_hash", pg_sys::INT8OID),
    ("recorded_at", pg_sys::TIMESTAMPTZOID),
    ("expires_at", pg_sys::TIMESTAMPTZOID),
    ("horizon", pg_sys::TIMESTAMPTZOID),
    ("superseded_by", pg_sys::INT8OID),
    ("consumed_at", pg_sys::TIMESTAMPTZOID),
    ("consumed_by", pg_sys::INT4OID),
    ("revokes", pg_sys::INT8OID),
    ("err_code", pg_sys::INT4OID),
    ("http_status", pg_sys::INT4OID),
    ("response_bytes", pg_sys::INT4OID),
    ("outcome", pg_sys::TEXTOID),
    ("cause", pg_sys::TEXTOID),
    ("via", pg_sys::TEXTOID),
    ("subject", pg_sys::TEXTOID),
    ("digest", pg_sys::BYTEAOID),
    ("err_msg", pg_sys::TEXTOID),
    ("err_detail", pg_sys::TEXTOID),
    ("reason", pg_sys::TEXTOID),
    ("response", pg_sys::BYTEAOID),
    ("recorded_by", pg_sys::TEXTOID),
];

/// A leaf and the attribute numbers of its columns. `Copy`, so that plain frames can hold it.
#[derive(Clone, Copy, Debug)]
pub struct Leaf {
    pub oid: Oid,
    /// `None` when somebody has dropped the index. Then the whole leaf is read until there is
    /// another one.
    pub(crate) index: Option<LeafIndex>,
    /// The [`crate::catalogs::relcache`] generation at which this was read.
    pub(crate) generation: u64,
    /// First moment that belongs to the leaf, in microseconds since 2000-01-01 UTC.
    pub starts: i64,
    /// First moment after the leaf.
    pub ends: i64,
    /// Latest moment at which a verdict of the leaf, or a verdict that it superseded, could still
    /// decide something.
    pub horizon: i64,
    pub(crate) attnums: [i16; COLUMNS.len()],
}

impl Leaf {
    /// Finds the leaf's columns and index. `None` when the table is gone (dropped by hand, or left
    /// out of a restore).
    ///
    /// # Errors
    ///
    /// VD009 when a column is gone, or of another type.
    pub fn resolve(
        name: &str,
        starts: i64,
        ends: i64,
        horizon: i64,
    ) -> Result<Option<Self>, Report> {
        let Some(oid) = catalog::find(catalog::SCHEMA, name) else {
            return Ok(None);
        };
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
        let generation = relcache::generation();
        match catalog::relation(oid) {
            Ok(facts) => unknown.read(generation, &facts).map(Some),
            // Somebody has dropped it since.
            Err(_) => Ok(None),
        }
    }

    /// The leaf as it is now: its index may have been replaced.
    ///
    /// # Errors
    ///
    /// Undefined object when the table is gone; VD009 when a column is gone or has another type.
    pub(crate) fn up_to_date(self) -> Result<Self, Report> {
        // Taken before the catalog is read: a change meanwhile increases it.
        let generation = relcache::generation();
        self.read(generation, &catalog::relation(self.oid)?)
    }

    fn read(self, generation: u64, facts: &Relation) -> Result<Self, Report> {
        let mut attnums = [0; COLUMNS.len()];
        for (attnum, (name, type_oid)) in attnums.iter_mut().zip(COLUMNS) {
            let found = facts.column(name);
            let found = found.filter(|column| column.base_type == type_oid);
            *attnum = found
                .ok_or_else(|| {
                    unreadable(&format!(
                        "column \"{name}\" of leaf {} is missing or of another type",
                        facts.name
                    ))
                })?
                .attnum;
        }
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

/// The result of a lock or a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockOutcome {
    /// This transaction has the row until it ends.
    Locked,
    /// Another session has changed the row first: look again.
    Changed,
}

/// Locks the verdict FOR SHARE until the transaction ends: no writer can supersede it before.
///
/// FOR KEY SHARE is too weak: a writer's mark takes NO KEY UPDATE, which does not conflict with it.
/// A verdict of this transaction needs no lock: nobody else can see it, and other writers of the
/// subject wait for this transaction.
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

/// The transactions that have locked or updated the verdict, as its tuple says. The rest is filled
/// with
/// 0. Some of them may have ended.
pub fn holders(found: &FoundVerdict, _plain: PlainFrame) -> [u32; HOLDERS_CAP] {
    let mut holders = [0; HOLDERS_CAP];
    // SAFETY: the leaf is open and locked since `newest`; the header is read while its page is
    // pinned and locked; the callee has palloc'ed `members` with as many elements as it returns.
    unsafe {
        let heap = native::table_open(found.leaf.oid, pg_sys::NoLock as i32);
        let mut tuple = pg_sys::HeapTupleData {
            t_self: found.tid,
            ..Default::default()
        };
        let mut buffer = pg_sys::InvalidBuffer as pg_sys::Buffer;
        let any = &raw mut pg_sys::SnapshotAnyData;
        if native::heap_fetch(heap, any, &mut tuple, &mut buffer, false) {
            // A session that locks the row writes both fields under the page's lock: read them
            // together.
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
