//! Writes to our own tables without SQL: a role that stores a message needs no right on them, and
//! no planner runs.

use super::leaf::LockOutcome;
use super::stored::{Indexes, Stored};
use super::unreadable;
use super::version;
use crate::catalogs::catalog;
use crate::frame::native;
use crate::frame::plain::{self, PlainFrame};
use crate::report::Report;
use crate::row::row_text;
use pgrx::IntoDatum;
use pgrx::pg_sys::{self, Datum, ItemPointerData, Oid};

/// The most columns that one of our tables has.
const COLUMNS_CAP: usize = 32;

/// A value and its type, which must be the column's.
#[derive(Clone, Copy)]
pub struct Value {
    datum: Option<Datum>,
    type_oid: Oid,
}

impl Value {
    /// Any value that pgrx can turn into a datum; `None` is NULL.
    pub fn of<T: IntoDatum>(value: T) -> Self {
        Self {
            type_oid: T::type_oid(),
            datum: value.into_datum(),
        }
    }

    pub fn text(text: &str) -> Self {
        Self::of(text)
    }

    /// A timestamptz, of microseconds since 2000-01-01 UTC.
    pub fn moment(micros: i64) -> Self {
        Self {
            datum: Some(Datum::from(micros)),
            type_oid: pg_sys::TIMESTAMPTZOID,
        }
    }

    /// A text[]; `None` is NULL.
    pub fn text_array(texts: Option<Vec<Option<String>>>) -> Self {
        Self {
            datum: texts.map(row_text::text_array),
            type_oid: pg_sys::TEXTARRAYOID,
        }
    }
}

/// Appends a row to `verdict.<table>` from a step; columns that are not named are NULL.
///
/// # Errors
///
/// Undefined object when the extension's SQL is not installed; VD009 for a column of another type.
pub fn append(table: &str, cells: &[(&str, Value)]) -> Result<(), Report> {
    let (oid, cells) = resolved(table, cells)?;
    plain::catching_longjmp(|plain| insert(oid, cells, plain));
    Ok(())
}

/// Changes a row of `verdict.<table>` from a step.
///
/// # Errors
///
/// As [`append`].
pub fn update(
    table: &str,
    tid: ItemPointerData,
    changes: &[(&str, Value)],
) -> Result<LockOutcome, Report> {
    let (oid, changes) = resolved(table, changes)?;
    Ok(plain::catching_longjmp(|plain| {
        let mut known = [(0, Datum::null()); COLUMNS_CAP];
        for (place, change) in known.iter_mut().zip(changes.into_iter().flatten()) {
            *place = change;
        }
        replace(oid, tid, known, plain)
    }))
}

type Cells = [Option<(usize, Datum)>; COLUMNS_CAP];

/// The cells by attribute number. A column that this version of the SQL does not have is left out.
fn resolved(table: &str, cells: &[(&str, Value)]) -> Result<(Oid, Cells), Report> {
    let oid = catalog::own_relation(table)?;
    let facts = catalog::relation(oid)?;
    let mut known = [None; COLUMNS_CAP];
    for (place, (name, value)) in known.iter_mut().zip(cells) {
        let Some(column) = facts.column(name) else {
            continue;
        };
        if column.base_type != value.type_oid {
            return Err(unreadable(&format!(
                "column \"{name}\" of verdict.{table} is of type {}, not {}",
                catalog::type_name(column.type_oid),
                catalog::type_name(value.type_oid)
            )));
        }
        *place = value.datum.map(|datum| (column.attnum as usize, datum));
    }
    Ok((oid, known))
}

/// Inserts a row. `cells` are (attribute number, value), with 0 for a column that does not exist.
pub(crate) fn insert<const N: usize>(
    table: Oid,
    cells: [Option<(usize, Datum)>; N],
    plain: PlainFrame,
) {
    // SAFETY: arrays have natts elements; the datums are of the columns' types (sql/tables).
    unsafe {
        let heap = native::table_open(table, pg_sys::RowExclusiveLock as i32);
        let desc = (*heap).rd_att;
        let natts = (*desc).natts as usize;
        let (values, nulls) = (zeroed::<Datum>(natts), zeroed::<bool>(natts));
        for attnum in 0..natts {
            *nulls.add(attnum) = true;
        }
        for (attnum, value) in cells.into_iter().flatten() {
            if let Some(position) = attnum.checked_sub(1) {
                *values.add(position) = value;
                *nulls.add(position) = false;
            }
        }
        let tuple = native::heap_form_tuple(desc, values, nulls);
        let stored = Stored::begin(heap, tuple);
        stored.check_constraints();
        native::heap_insert(
            heap,
            tuple,
            native::GetCurrentCommandId(true),
            0,
            std::ptr::null_mut(),
        );
        stored.enter(Indexes::All, plain);
        stored.end();
        native::table_close(heap, pg_sys::NoLock as i32);
    }
}

/// Updates the row at `tid`. `changes` are (attribute number, value), with 0 for a column that does
/// not exist.
pub(crate) fn replace<const N: usize>(
    table: Oid,
    tid: ItemPointerData,
    changes: [(usize, Datum); N],
    plain: PlainFrame,
) -> LockOutcome {
    // SAFETY: the tuple is fetched by the TID of a look-up that has kept its lock on the table, and
    // so the row has not moved. It cannot be vacuumed away: it is live, or died too recently while
    // our snapshot exists. Arrays have natts elements. heap_update checks that the row is still
    // current.
    unsafe {
        let heap = native::table_open(table, pg_sys::RowExclusiveLock as i32);
        let desc = (*heap).rd_att;
        let natts = (*desc).natts as usize;
        let mut old = pg_sys::HeapTupleData {
            t_self: tid,
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
            return LockOutcome::Changed;
        }
        if version::is_of_command(old.t_data, native::GetCurrentCommandId(false)) {
            // This statement has stored the row itself, and would not see it.
            native::CommandCounterIncrement();
        }
        let (values, nulls, replace) = (
            zeroed::<Datum>(natts),
            zeroed::<bool>(natts),
            zeroed::<bool>(natts),
        );
        for (attnum, value) in changes {
            if let Some(position) = attnum.checked_sub(1) {
                *values.add(position) = value;
                *replace.add(position) = true;
            }
        }
        let new = native::heap_modify_tuple(&mut old, desc, values, nulls, replace);
        native::ReleaseBuffer(buffer);
        if has_checks(desc) {
            let stored = Stored::begin(heap, new);
            stored.check_constraints();
            stored.end();
        }
        let (result, indexes) = heap_update(heap, tid, new);
        if result == pg_sys::TM_Result::TM_Ok && indexes != Indexes::None {
            let stored = Stored::begin(heap, new);
            stored.enter(indexes, plain);
            stored.end();
        }
        // Marks are few, and their locks must last until the transaction ends.
        native::table_close(heap, pg_sys::NoLock as i32);
        if result == pg_sys::TM_Result::TM_Ok {
            LockOutcome::Locked
        } else {
            LockOutcome::Changed
        }
    }
}

/// Whether the table has CHECK constraints. NOT NULL needs no check: our changes never set NULL.
///
/// # Safety
///
/// `desc` is an open relation's.
unsafe fn has_checks(desc: pg_sys::TupleDesc) -> bool {
    // SAFETY: as above.
    unsafe {
        let constraints = (*desc).constr;
        !constraints.is_null() && (*constraints).num_check > 0
    }
}

/// # Safety
///
/// Frames are plain; `heap` is open in RowExclusiveLock and `new` is a tuple of it.
unsafe fn heap_update(
    heap: pg_sys::Relation,
    tid: ItemPointerData,
    new: pg_sys::HeapTuple,
) -> (pg_sys::TM_Result::Type, Indexes) {
    let mut tid = tid;
    let mut failure = pg_sys::TM_FailureData::default();
    let mut mode = pg_sys::LockTupleMode::LockTupleNoKeyExclusive;
    // SAFETY: see above. A heap-only version needs no index entries. This is nearly always the
    // case, because fillfactor leaves room.
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
            let indexes = match pg_sys::HeapTupleHeaderIsHeapOnly((*new).t_data) {
                true => Indexes::None,
                false => Indexes::All,
            };
            (result, indexes)
        }
        #[cfg(not(feature = "pg15"))]
        {
            use pg_sys::TU_UpdateIndexes;
            let mut indexes = TU_UpdateIndexes::TU_None;
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
            let indexes = match indexes {
                TU_UpdateIndexes::TU_None => Indexes::None,
                TU_UpdateIndexes::TU_Summarizing => Indexes::Summarizing,
                _ => Indexes::All,
            };
            (result, indexes)
        }
    }
}

/// # Safety
///
/// Frames are plain; `T` is valid when all its bytes are zero.
unsafe fn zeroed<T>(count: usize) -> *mut T {
    // SAFETY: palloc0 returns aligned zeroed memory of that size.
    unsafe { native::palloc0(count * std::mem::size_of::<T>()).cast() }
}
