//! One leaf of `verdict.verdicts`, natively: probe its index, lock, mark and append a row.
//!
//! Leaves are ordinary heap tables (made with `USING heap`), so heap's own functions are called.

use super::entry::Plain;
use super::span::Span;
use super::test_hooks::{self, Weakness};
use super::{catalog, native};
use pgrx::pg_sys::{self, Datum, ItemPointerData, Oid};

/// The columns of a verdict, in an order of ours. A leaf's attribute numbers are looked up by these names.
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
    pub index: Oid,
    /// First moment that belongs to the leaf, microseconds since 2000-01-01 UTC.
    pub starts: i64,
    /// First moment that no longer does.
    pub ends: i64,
    /// Latest moment at which one of its verdicts, or one that it superseded, could still decide something.
    pub horizon: i64,
    attnums: [i16; COLUMNS.len()],
}

impl Leaf {
    /// Finds the leaf's columns. `None` when the table or its index is gone (dropped by hand, or left out of a restore).
    pub fn resolve(name: &str, starts: i64, ends: i64, horizon: i64) -> Option<Self> {
        let oid = catalog::find(catalog::SCHEMA, name)?;
        let index = catalog::find(catalog::SCHEMA, &format!("{name}_subject"))?;
        let facts = catalog::relation(oid).ok()?;
        let attnums = COLUMNS.map(|column| facts.column(column).map_or(0, |found| found.attnum));
        Some(Self {
            oid,
            index,
            starts,
            ends,
            horizon,
            attnums,
        })
    }

    pub(super) fn attnum(&self, col: Col) -> usize {
        self.attnums[col as usize] as usize
    }
}

/// A verdict as the look-up found it, `Copy`. `err_msg` lives as long as the caller's memory context.
#[derive(Clone, Copy)]
pub struct Found {
    pub leaf: Leaf,
    pub(super) tid: ItemPointerData,
    own: bool,
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
pub enum Held {
    /// The row is ours until the transaction ends.
    Yes,
    /// Somebody changed it first: look again.
    Changed,
}

/// The newest verdict of (hook, subject) in one leaf, under SnapshotSelf: committed by now, or our own.
///
/// A row that nobody superseded or spent is the newest: every writer marks its predecessor. The index is read from the
/// end, where young rows lie, and the scan stops at the first such row; else the highest id counts.
pub fn newest(leaf: &Leaf, hook_id: i32, hash: i64, subject: Span, plain: Plain) -> Option<Found> {
    // SAFETY: relations, slot and scan are opened and closed in order; on ERROR the resource owner releases them.
    unsafe {
        let heap = native::try_table_open(leaf.oid, pg_sys::RowShareLock as i32);
        if heap.is_null() {
            return None;
        }
        let index = native::index_open(leaf.index, pg_sys::AccessShareLock as i32);
        let slot = native::table_slot_create(heap, std::ptr::null_mut());
        let mut key = std::mem::zeroed::<pg_sys::ScanKeyData>();
        native::ScanKeyInit(
            &mut key,
            1,
            pg_sys::BTEqualStrategyNumber as u16,
            Oid::from(pg_sys::F_INT8EQ),
            Datum::from(hash),
        );
        let scan = begin_scan(heap, index);
        native::index_rescan(scan, &mut key, 1, std::ptr::null_mut(), 0);
        let mut best: Option<Found> = None;
        while native::index_getnext_slot(scan, pg_sys::ScanDirection::BackwardScanDirection, slot) {
            let row = Slot::read(slot, leaf, plain);
            let same_subject = |stored: Span| {
                stored.bytes() == subject.bytes() && row.int4(Col::HookId) == Some(hook_id)
            };
            if row.int8(Col::SubjectHash) != Some(hash)
                || row
                    .span(Col::Subject, plain)
                    .is_none_or(|stored| !same_subject(stored))
            {
                continue;
            }
            let id = row.int8(Col::Id).unwrap_or(0);
            if best.is_none_or(|found| id > found.id) {
                best = Some(row.found(leaf, plain));
            }
            // On a subscriber a verdict that was spent there keeps no mark: the publisher's does not find it, for it
            // differs. So one that is spent may not be the last.
            if row.int8(Col::SupersededBy).is_none() && row.datum(Col::ConsumedAt).is_none() {
                break;
            }
        }
        native::index_endscan(scan);
        native::ExecDropSingleTupleTableSlot(slot);
        native::index_close(index, pg_sys::AccessShareLock as i32);
        // A leaf that holds the verdict must not be retired under us: its lock stays to the end of the transaction.
        let lock = if best.is_some() {
            pg_sys::NoLock
        } else {
            pg_sys::RowShareLock
        };
        native::table_close(heap, lock as i32);
        best
    }
}

/// Locks the verdict FOR SHARE until the transaction ends, so that no writer can supersede it before.
///
/// FOR KEY SHARE would not do: a writer's mark takes NO KEY UPDATE, which does not conflict with it.
/// A verdict of our own transaction needs no lock: nobody else can see it, and its writers wait for us.
pub fn lock(found: &Found, _plain: Plain) -> Held {
    if found.own || test_hooks::weakened(Weakness::NoLock) {
        return Held::Yes;
    }
    let mode = if test_hooks::weakened(Weakness::KeyShare) {
        pg_sys::LockTupleMode::LockTupleKeyShare
    } else {
        pg_sys::LockTupleMode::LockTupleShare
    };
    // SAFETY: the leaf is open and RowShare-locked since `newest`; the buffer that heap_lock_tuple pins is released.
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
        pg_sys::TM_Result::TM_Ok => Held::Yes,
        _ if test_hooks::weakened(Weakness::NoRecheck) => Held::Yes,
        _ => Held::Changed,
    }
}

/// How many holders of a verdict [`holders`] names.
pub const HOLDERS_CAP: usize = 8;

/// The transactions that have locked or updated the verdict, as far as its tuple says; 0 fills the rest. Some may have
/// ended since.
pub fn holders(found: &Found, _plain: Plain) -> [u32; HOLDERS_CAP] {
    let mut holders = [0; HOLDERS_CAP];
    // SAFETY: the leaf is open and locked since `newest`; the header is read while its page is pinned; members is
    // palloc'ed by the callee and has as many elements as it says.
    unsafe {
        let heap = native::table_open(found.leaf.oid, pg_sys::NoLock as i32);
        let mut tuple = pg_sys::HeapTupleData {
            t_self: found.tid,
            ..Default::default()
        };
        let mut buffer = pg_sys::InvalidBuffer as pg_sys::Buffer;
        let any = &raw mut pg_sys::SnapshotAnyData;
        if native::heap_fetch(heap, any, &mut tuple, &mut buffer, false) {
            let infomask = u32::from((*tuple.t_data).t_infomask);
            let xmax = (*tuple.t_data).t_choice.t_heap.t_xmax;
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

/// # Safety
///
/// Frames are plain and both relations are open.
unsafe fn begin_scan(heap: pg_sys::Relation, index: pg_sys::Relation) -> pg_sys::IndexScanDesc {
    // SnapshotSelf: what is committed at this instant, or ours. It needs no ProcArray visit, takes no predicate
    // locks, and does not depend on the isolation level: a verdict newer than the transaction's snapshot counts.
    let snapshot = &raw mut pg_sys::SnapshotSelfData;
    // SAFETY: see above.
    unsafe {
        #[cfg(not(feature = "pg18"))]
        return native::index_beginscan(heap, index, snapshot, 1, 0);
        #[cfg(feature = "pg18")]
        return native::index_beginscan(heap, index, snapshot, std::ptr::null_mut(), 1, 0);
    }
}

/// A tuple of a leaf while the scan stands on it.
struct Slot {
    slot: *mut pg_sys::TupleTableSlot,
    attnums: [i16; COLUMNS.len()],
}

impl Slot {
    /// # Safety
    ///
    /// Frames are plain; `slot` holds a tuple of `leaf`.
    unsafe fn read(slot: *mut pg_sys::TupleTableSlot, leaf: &Leaf, _plain: Plain) -> Self {
        let last = leaf.attnums.iter().copied().max().unwrap_or(0);
        // SAFETY: deforms attributes 1..=last, which the leaf has.
        unsafe { native::slot_getsomeattrs_int(slot, i32::from(last)) };
        Self {
            slot,
            attnums: leaf.attnums,
        }
    }

    fn datum(&self, col: Col) -> Option<Datum> {
        let position = (self.attnums[col as usize] as usize).checked_sub(1)?;
        // SAFETY: attributes up to the highest attnum are deformed.
        unsafe {
            let isnull = *(*self.slot).tts_isnull.add(position);
            (!isnull).then(|| *(*self.slot).tts_values.add(position))
        }
    }

    fn int8(&self, col: Col) -> Option<i64> {
        self.datum(col).map(|datum| datum.value() as i64)
    }

    fn int4(&self, col: Col) -> Option<i32> {
        self.datum(col).map(|datum| datum.value() as i32)
    }

    fn span(&self, col: Col, plain: Plain) -> Option<Span> {
        self.datum(col).map(|datum| Span::of_varlena(datum, plain))
    }

    /// As [`Slot::span`], copied: the tuple's page is let go when the scan ends.
    fn kept(&self, col: Col, plain: Plain) -> Option<Span> {
        self.span(col, plain).map(|span| span.keep(plain))
    }

    fn found(&self, leaf: &Leaf, plain: Plain) -> Found {
        // SAFETY: the slot is a buffer heap slot that holds a tuple; it is read, not kept.
        let own = unsafe {
            let mut should_free = false;
            let tuple = native::ExecFetchSlotHeapTuple(self.slot, false, &mut should_free);
            native::TransactionIdIsCurrentTransactionId((*(*tuple).t_data).t_choice.t_heap.t_xmin)
        };
        Found {
            leaf: *leaf,
            // SAFETY: a filled slot has the TID of its tuple.
            tid: unsafe { (*self.slot).tts_tid },
            own,
            id: self.int8(Col::Id).unwrap_or(0),
            recorded_at: self.int8(Col::RecordedAt).unwrap_or(i64::MIN),
            expires_at: self.int8(Col::ExpiresAt).unwrap_or(i64::MIN),
            horizon: self.int8(Col::Horizon).unwrap_or(i64::MIN),
            superseded_by: self.int8(Col::SupersededBy),
            consumed: self.datum(Col::ConsumedAt).is_some(),
            revoked: self.datum(Col::Revokes).is_some(),
            outcome: self.kept(Col::Outcome, plain).unwrap_or(Span::EMPTY),
            cause: self.kept(Col::Cause, plain),
            digest: self
                .span(Col::Digest, plain)
                .and_then(|span| span.bytes().try_into().ok()),
            err_code: self.int4(Col::ErrCode),
            err_msg: self.kept(Col::ErrMsg, plain),
        }
    }
}
