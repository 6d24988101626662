//! Finding a subject's newest verdict in one leaf.

use super::leaf::{COLUMNS, Col, FoundVerdict, Leaf};
use super::version;
use crate::catalogs::relcache;
use crate::frame::native;
use crate::frame::plain::PlainFrame;
use crate::frame::span::Span;
use pgrx::pg_sys::{self, Datum, Oid, Relation, TransactionId};

/// Whose verdicts are seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sees {
    /// What is committed at this instant, and our own. It needs no ProcArray visit, takes no
    /// predicate locks, and does not depend on the isolation level: a verdict newer than the
    /// transaction's snapshot counts.
    Committed,
    /// Those that are being written, too: a writer has to wait for them.
    Underway,
}

/// What a leaf holds for a subject.
#[derive(Clone, Copy)]
#[allow(clippy::large_enum_variant)] // plain frames hold it: nothing may be boxed
pub enum Probed {
    Nothing,
    Newest(FoundVerdict),
    /// This transaction is writing a verdict of the subject.
    WrittenBy(TransactionId),
}

/// The newest verdict of (hook, subject) in one leaf: that with the highest id, wherever it lies in
/// the heap.
///
/// The leaf's lock stays to the end of the transaction when the verdict is in it, so that it is not
/// retired, and no row of it gets another place. An index is used only if it is the right one after
/// the lock was taken: whoever puts another one in its place waits, before the old one gets no more
/// entries, for all who hold a lock on the leaf.
pub fn newest(
    leaf: &Leaf,
    (hook_id, subject, hash): (i32, Span, i64),
    sees: Sees,
    plain: PlainFrame,
) -> Probed {
    // SAFETY: relation, scan and slot are opened and closed in order; on ERROR the resource owner
    // releases them.
    unsafe {
        let heap = native::try_table_open(leaf.oid, pg_sys::RowShareLock as i32);
        if heap.is_null() {
            return Probed::Nothing;
        }
        let leaf = if leaf.generation == relcache::generation() {
            *leaf
        } else {
            plain.step(|| leaf.up_to_date())
        };
        let mut snapshot = snapshot(sees);
        let mut scan = Scan::begin(heap, &leaf, hash, &mut snapshot);
        let probed = first_or_highest(&mut scan, &leaf, (hook_id, subject, hash), plain);
        scan.end();
        let lock = match probed {
            Probed::Newest(_) => pg_sys::NoLock,
            Probed::Nothing | Probed::WrittenBy(_) => pg_sys::RowShareLock,
        };
        native::table_close(heap, lock as i32);
        probed
    }
}

/// # Safety
///
/// Frames are plain; the scan has begun.
unsafe fn first_or_highest(
    scan: &mut Scan,
    leaf: &Leaf,
    (hook_id, subject, hash): (i32, Span, i64),
    plain: PlainFrame,
) -> Probed {
    let mut best: Option<FoundVerdict> = None;
    // SAFETY: as said.
    while let Some(row) = unsafe { scan.next(leaf, plain) } {
        let is_the_subjects = row.int8(Col::SubjectHash) == Some(hash)
            && row.int4(Col::HookId) == Some(hook_id)
            && row
                .span(Col::Subject, plain)
                .is_some_and(|stored| stored.bytes() == subject.bytes());
        if !is_the_subjects {
            continue;
        }
        if let Some(writer) = scan.written_by() {
            // A version that is merely being spent has its verdict beside it: whoever marks that
            // waits for the spender.
            if row.datum(Col::ConsumedAt).is_some() && row.datum(Col::SupersededBy).is_none() {
                continue;
            }
            return Probed::WrittenBy(writer);
        }
        let id = row.int8(Col::Id).unwrap_or(0);
        if best.is_none_or(|found| id > found.id) {
            best = Some(row.found(leaf, plain));
        }
        if scan.by_id {
            break;
        }
    }
    best.map_or(Probed::Nothing, Probed::Newest)
}

fn snapshot(sees: Sees) -> pg_sys::SnapshotData {
    pg_sys::SnapshotData {
        snapshot_type: match sees {
            Sees::Committed => pg_sys::SnapshotType::SNAPSHOT_SELF,
            Sees::Underway => pg_sys::SnapshotType::SNAPSHOT_DIRTY,
        },
        ..Default::default()
    }
}

/// All verdicts of one hash: by the leaf's index, or, while it has none, by reading it whole.
struct Scan {
    snapshot: *const pg_sys::SnapshotData,
    slot: *mut pg_sys::TupleTableSlot,
    source: Source,
    by_id: bool,
}

enum Source {
    Index(pg_sys::IndexScanDesc, Relation),
    Heap(pg_sys::SysScanDesc),
}

impl Scan {
    /// # Safety
    ///
    /// Frames are plain; `heap` is open and is the leaf; `snapshot` outlives the scan.
    unsafe fn begin(
        heap: Relation,
        leaf: &Leaf,
        hash: i64,
        snapshot: &mut pg_sys::SnapshotData,
    ) -> Self {
        // SAFETY: as said; the key is for an int8 column.
        unsafe {
            let mut key = std::mem::zeroed::<pg_sys::ScanKeyData>();
            let mut key_on = |attnum: i16| {
                native::ScanKeyInit(
                    &mut key,
                    attnum,
                    pg_sys::BTEqualStrategyNumber as u16,
                    Oid::from(pg_sys::F_INT8EQ),
                    Datum::from(hash),
                );
            };
            match leaf.index {
                Some(found) => {
                    key_on(1);
                    let index = native::index_open(found.oid, pg_sys::AccessShareLock as i32);
                    let slot = native::table_slot_create(heap, std::ptr::null_mut());
                    #[cfg(not(feature = "pg18"))]
                    let scan = native::index_beginscan(heap, index, snapshot, 1, 0);
                    #[cfg(feature = "pg18")]
                    let scan =
                        native::index_beginscan(heap, index, snapshot, std::ptr::null_mut(), 1, 0);
                    native::index_rescan(scan, &mut key, 1, std::ptr::null_mut(), 0);
                    Self {
                        snapshot,
                        slot,
                        source: Source::Index(scan, index),
                        by_id: found.by_id,
                    }
                }
                None => {
                    key_on(leaf.attnums[Col::SubjectHash as usize]);
                    let slot = native::MakeSingleTupleTableSlot(
                        (*heap).rd_att,
                        &raw const pg_sys::TTSOpsHeapTuple,
                    );
                    let none = pg_sys::InvalidOid;
                    let scan = native::systable_beginscan(heap, none, false, snapshot, 1, &mut key);
                    Self {
                        snapshot,
                        slot,
                        source: Source::Heap(scan),
                        by_id: false,
                    }
                }
            }
        }
    }

    /// The next row: the index is read from its end, where the young ones are.
    ///
    /// # Safety
    ///
    /// Frames are plain; the row is used before the next call.
    unsafe fn next(&mut self, leaf: &Leaf, plain: PlainFrame) -> Option<Slot> {
        // SAFETY: as said.
        unsafe {
            let found = match self.source {
                Source::Index(scan, _) => native::index_getnext_slot(
                    scan,
                    pg_sys::ScanDirection::BackwardScanDirection,
                    self.slot,
                ),
                Source::Heap(scan) => {
                    let tuple = native::systable_getnext(scan);
                    if !tuple.is_null() {
                        native::ExecStoreHeapTuple(tuple, self.slot, false);
                    }
                    !tuple.is_null()
                }
            };
            found.then(|| Slot::read(self.slot, leaf, plain))
        }
    }

    /// Who is writing the row that the scan stands on, if that is somebody else who is still at it.
    fn written_by(&self) -> Option<TransactionId> {
        // SAFETY: the snapshot lives as long as the scan. Only a dirty one gets an xmin, anew for
        // each row.
        let xmin = unsafe { (*self.snapshot).xmin };
        (xmin != pg_sys::InvalidTransactionId).then_some(xmin)
    }

    /// # Safety
    ///
    /// Frames are plain; called once.
    unsafe fn end(self) {
        // SAFETY: as said.
        unsafe {
            match self.source {
                Source::Index(scan, index) => {
                    native::index_endscan(scan);
                    native::ExecDropSingleTupleTableSlot(self.slot);
                    native::index_close(index, pg_sys::AccessShareLock as i32);
                }
                Source::Heap(scan) => {
                    native::ExecDropSingleTupleTableSlot(self.slot);
                    native::systable_endscan(scan);
                }
            }
        }
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
    unsafe fn read(slot: *mut pg_sys::TupleTableSlot, leaf: &Leaf, _plain: PlainFrame) -> Self {
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

    fn span(&self, col: Col, plain: PlainFrame) -> Option<Span> {
        self.datum(col).map(|datum| Span::of_varlena(datum, plain))
    }

    /// As [`Slot::span`], copied: the tuple's page is let go when the scan ends.
    fn kept(&self, col: Col, plain: PlainFrame) -> Option<Span> {
        self.span(col, plain).map(|span| span.keep(plain))
    }

    fn found(&self, leaf: &Leaf, plain: PlainFrame) -> FoundVerdict {
        // SAFETY: the slot is a heap slot that holds a tuple; it is read, not kept.
        let own = unsafe {
            let mut should_free = false;
            let tuple = native::ExecFetchSlotHeapTuple(self.slot, false, &mut should_free);
            version::is_ours((*tuple).t_data)
        };
        FoundVerdict {
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
