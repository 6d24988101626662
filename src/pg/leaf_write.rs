//! Writing to a leaf: appending a verdict, and the two marks that a verdict may get.

use super::entry::Plain;
use super::leaf::{Col, Found, Held, Leaf};
use super::native;
use pgrx::pg_sys::{self, Datum, ItemPointerData};

/// Writes the mark of the verdict that replaces this one. Waits for the guards that hold it.
pub fn supersede(found: &Found, by: i64, plain: Plain) -> Held {
    update(found, [(Col::SupersededBy, Datum::from(by))], plain)
}

/// Spends the verdict for a row of guard `guard_id`. A second spender waits and then sees `Changed`.
pub fn consume(found: &Found, guard_id: i32, now: i64, plain: Plain) -> Held {
    update(
        found,
        [
            (Col::ConsumedAt, Datum::from(now)),
            (Col::ConsumedBy, Datum::from(guard_id)),
        ],
        plain,
    )
}

fn update<const N: usize>(found: &Found, changes: [(Col, Datum); N], _plain: Plain) -> Held {
    // SAFETY: the tuple is fetched by the TID of the look-up (it cannot be vacuumed away: it is live, or dead too
    // recently while our snapshot exists); arrays have natts elements; heap_update checks that it is still current.
    unsafe {
        let heap = native::table_open(found.leaf.oid, pg_sys::RowExclusiveLock as i32);
        let desc = (*heap).rd_att;
        let natts = (*desc).natts as usize;
        let mut old = pg_sys::HeapTupleData {
            t_self: found.tid,
            ..Default::default()
        };
        let mut buffer = pg_sys::InvalidBuffer as pg_sys::Buffer;
        if !native::heap_fetch(
            heap,
            &raw mut pg_sys::SnapshotAnyData,
            &mut old,
            &mut buffer,
            false,
        ) {
            native::table_close(heap, pg_sys::NoLock as i32);
            return Held::Changed;
        }
        let (values, nulls, replace) = (
            zeroed::<Datum>(natts),
            zeroed::<bool>(natts),
            zeroed::<bool>(natts),
        );
        for (col, value) in changes {
            let attnum = found.leaf.attnum(col);
            *values.add(attnum - 1) = value;
            *replace.add(attnum - 1) = true;
        }
        let new = native::heap_modify_tuple(&mut old, desc, values, nulls, replace);
        native::ReleaseBuffer(buffer);
        let (result, indexes) = heap_update(heap, found.tid, new);
        if result == pg_sys::TM_Result::TM_Ok && indexes {
            insert_index_entries(heap, new);
        }
        // Marks are few and their locks must last as long as the transaction.
        native::table_close(heap, pg_sys::NoLock as i32);
        if result == pg_sys::TM_Result::TM_Ok {
            Held::Yes
        } else {
            Held::Changed
        }
    }
}

/// Appends a verdict. `cells` name the columns that are not NULL.
pub fn append<const N: usize>(leaf: &Leaf, cells: [Option<(Col, Datum)>; N], _plain: Plain) {
    // SAFETY: arrays have natts elements; the datums are of the columns' types (sql/tables/verdicts.sql).
    unsafe {
        let heap = native::table_open(leaf.oid, pg_sys::RowExclusiveLock as i32);
        let desc = (*heap).rd_att;
        let natts = (*desc).natts as usize;
        let (values, nulls) = (zeroed::<Datum>(natts), zeroed::<bool>(natts));
        for attnum in 0..natts {
            *nulls.add(attnum) = true;
        }
        for (col, value) in cells.into_iter().flatten() {
            if let Some(position) = leaf.attnum(col).checked_sub(1) {
                *values.add(position) = value;
                *nulls.add(position) = false;
            }
        }
        let tuple = native::heap_form_tuple(desc, values, nulls);
        native::heap_insert(
            heap,
            tuple,
            native::GetCurrentCommandId(true),
            0,
            std::ptr::null_mut(),
        );
        insert_index_entries(heap, tuple);
        native::table_close(heap, pg_sys::NoLock as i32);
    }
}

/// # Safety
///
/// Frames are plain; `heap` is open in RowExclusiveLock and `new` is a tuple of it.
unsafe fn heap_update(
    heap: pg_sys::Relation,
    tid: ItemPointerData,
    new: pg_sys::HeapTuple,
) -> (pg_sys::TM_Result::Type, bool) {
    let mut tid = tid;
    let mut failure = pg_sys::TM_FailureData::default();
    let mut mode = pg_sys::LockTupleMode::LockTupleNoKeyExclusive;
    // SAFETY: see above. A heap-only successor needs no index entries (nearly always: fillfactor leaves room).
    unsafe {
        let cid = native::GetCurrentCommandId(true);
        #[cfg(feature = "pg15")]
        {
            let result = native::heap_update(
                heap,
                &mut tid,
                new,
                cid,
                std::ptr::null_mut(),
                true,
                &mut failure,
                &mut mode,
            );
            (result, !pg_sys::HeapTupleHeaderIsHeapOnly((*new).t_data))
        }
        #[cfg(not(feature = "pg15"))]
        {
            let mut indexes = pg_sys::TU_UpdateIndexes::TU_None;
            let null = std::ptr::null_mut();
            let result = native::heap_update(
                heap,
                &mut tid,
                new,
                cid,
                null,
                true,
                &mut failure,
                &mut mode,
                &mut indexes,
            );
            (result, indexes != pg_sys::TU_UpdateIndexes::TU_None)
        }
    }
}

/// Enters a tuple in every index that the leaf has, also those that a DBA has added.
///
/// # Safety
///
/// Frames are plain; `tuple` has just been stored in `heap`.
unsafe fn insert_index_entries(heap: pg_sys::Relation, tuple: pg_sys::HeapTuple) {
    // SAFETY: a minimal executor state, as PostgreSQL's own logical replication worker builds it.
    unsafe {
        let estate = native::CreateExecutorState();
        native::MakePerTupleExprContext(estate);
        let info = zeroed::<pg_sys::ResultRelInfo>(1);
        (*info).type_ = pg_sys::NodeTag::T_ResultRelInfo;
        native::InitResultRelInfo(info, heap, 0, std::ptr::null_mut(), 0);
        native::ExecOpenIndices(info, false);
        let slot =
            native::MakeSingleTupleTableSlot((*heap).rd_att, &raw const pg_sys::TTSOpsHeapTuple);
        native::ExecStoreHeapTuple(tuple, slot, false);
        #[cfg(feature = "pg15")]
        native::ExecInsertIndexTuples(
            info,
            slot,
            estate,
            false,
            false,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
        );
        #[cfg(not(feature = "pg15"))]
        native::ExecInsertIndexTuples(
            info,
            slot,
            estate,
            false,
            false,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            false,
        );
        native::ExecDropSingleTupleTableSlot(slot);
        native::ExecCloseIndices(info);
        native::FreeExecutorState(estate);
    }
}

/// # Safety
///
/// Frames are plain; `T` is valid when all its bytes are zero.
unsafe fn zeroed<T>(count: usize) -> *mut T {
    // SAFETY: palloc0 returns aligned zeroed memory of that size.
    unsafe { native::palloc0(count * std::mem::size_of::<T>()).cast() }
}
