//! Rows outside of any trigger: made from JSON, as the table's owner would read it, or stored already.

use super::catalog::Relation;
use super::columns::RowSlot;
use super::entry::Plain;
use super::identity::{self, Restriction};
use super::{memory, native, sql, trigger};
use crate::report::{Report, SqlState};
use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::{self, Datum, Oid};
use pgrx::{AnyElement, JsonB, Spi};
use std::ffi::CStr;

/// A composite value in the caller's memory context.
#[derive(Clone, Copy)]
pub struct Composite(Datum);

/// Reads a row of `relation` from a JSON object of columns and values, as `jsonb_populate_record` does: columns that are
/// not named are NULL. The types' input functions run with the rights of the table's owner.
///
/// # Errors
///
/// PostgreSQL's own, for a value that is not of its column's type.
pub fn from_json(relation: &Relation, json: &str) -> Result<Composite, Report> {
    let statement = format!(
        "SELECT pg_catalog.jsonb_populate_record(NULL::{}, $1::pg_catalog.jsonb)",
        relation.name
    );
    let value = identity::as_role(relation.owner, Restriction::SecurityRestricted, || {
        Spi::connect(|client| {
            let found = client.select(&statement, Some(1), &[json.into()])?;
            let value = found.first().get_datum_by_ordinal(1)?;
            // SAFETY: a composite is a varlena; copied to the context in which SPI was opened.
            Ok(value.map(|value| unsafe { pg_sys::SPI_datumTransfer(value, false, -1) }))
        })
        .map_err(|error: pgrx::spi::Error| {
            Report::new(SqlState::InvalidParameter, format!("argument r: {error}"))
        })
    })?;
    value.map(Composite).ok_or_else(|| {
        Report::new(
            SqlState::InvalidParameter,
            "argument r must be a JSON object of columns and values",
        )
        .hint("For example to_jsonb(m) for a row m of the table.")
    })
}

/// Writes a row of `relation` as a JSON object, as `to_jsonb` does. Casts and output functions of the columns' types run
/// with the rights of the table's owner.
///
/// # Errors
///
/// PostgreSQL's own.
pub fn to_json(relation: &Relation, row: AnyElement) -> Result<Option<JsonB>, Report> {
    // SAFETY: the value is of the type that it says.
    let row = unsafe { DatumWithOid::new(row.datum(), row.oid()) };
    identity::as_role(relation.owner, Restriction::SecurityRestricted, || {
        // Not `one`, which takes a transaction id: a standby has none to give.
        let rows = sql::rows("SELECT pg_catalog.to_jsonb($1)", &[row], |found| {
            found.get(1)
        })?;
        Ok(rows.into_iter().flatten().next())
    })
}

/// A row in a slot of its table, outside of any trigger.
#[derive(Clone, Copy)]
pub struct TableRow {
    relation: pg_sys::Relation,
    slot: *mut pg_sys::TupleTableSlot,
}

impl TableRow {
    /// Opens the table and puts a made row into a slot, until [`TableRow::close`].
    pub fn open(table: Oid, row: Composite, _plain: Plain) -> Self {
        // SAFETY: the composite is of the table's row type; tuple and slot live in the current memory context.
        unsafe {
            let relation = native::table_open(table, pg_sys::AccessShareLock as i32);
            let header = native::pg_detoast_datum(row.0.cast_mut_ptr())
                .cast::<pg_sys::HeapTupleHeaderData>();
            let tuple = native::palloc0(std::mem::size_of::<pg_sys::HeapTupleData>())
                .cast::<pg_sys::HeapTupleData>();
            (*tuple).t_data = header;
            (*tuple).t_len = pgrx::varsize_any(header.cast()) as u32;
            let slot = native::MakeSingleTupleTableSlot(
                (*relation).rd_att,
                &raw const pg_sys::TTSOpsHeapTuple,
            );
            native::ExecStoreHeapTuple(tuple, slot, false);
            Self { relation, slot }
        }
    }

    /// As a trigger would see it.
    pub fn slot(self) -> RowSlot {
        RowSlot(self.slot)
    }

    /// Where it is stored.
    pub fn tid(self) -> pg_sys::ItemPointerData {
        // SAFETY: the slot holds a tuple.
        unsafe { (*self.slot).tts_tid }
    }

    /// As [`trigger::under_condition`].
    pub fn under_condition_of(self, name: &CStr, plain: Plain) -> bool {
        trigger::under_condition(self.relation, name, self.slot(), plain)
    }

    pub fn close(self, _plain: Plain) {
        // SAFETY: both were opened by `open`.
        unsafe {
            native::ExecDropSingleTupleTableSlot(self.slot);
            native::table_close(self.relation, pg_sys::NoLock as i32);
        }
    }
}

/// Calls `visit` for each row of one table (not of its partitions) that this statement sees, without SQL: no code of the
/// table's owner runs.
///
/// # Errors
///
/// Those of `visit`.
pub fn for_each(
    table: Oid,
    mut visit: impl FnMut(TableRow) -> Result<(), Report>,
) -> Result<(), Report> {
    // SAFETY: open, scan and close in order; an error in between is cleaned up by the resource owner.
    unsafe {
        let relation = pg_sys::table_open(table, pg_sys::AccessShareLock as i32);
        let slot = pg_sys::table_slot_create(relation, std::ptr::null_mut());
        let snapshot = pg_sys::GetActiveSnapshot();
        let scan = pg_sys::table_beginscan(relation, snapshot, 0, std::ptr::null_mut());
        let mut outcome = Ok(());
        while outcome.is_ok()
            && pg_sys::table_scan_getnextslot(
                scan,
                pg_sys::ScanDirection::ForwardScanDirection,
                slot,
            )
        {
            pgrx::check_for_interrupts!();
            outcome = memory::scratch(|| visit(TableRow { relation, slot }));
        }
        pg_sys::table_endscan(scan);
        pg_sys::ExecDropSingleTupleTableSlot(slot);
        pg_sys::table_close(relation, pg_sys::NoLock as i32);
        outcome
    }
}

/// Whether there is any row in the table or its partitions that this transaction or a committed one has written.
///
/// # Errors
///
/// None of its own.
pub fn is_any(table: Oid) -> Result<bool, Report> {
    for member in super::catalog::tree(table, pg_sys::AccessShareLock) {
        if super::catalog::relation(member)?.kind != super::catalog::Kind::Table {
            continue;
        }
        // SAFETY: open, look at one row and close.
        let found = unsafe {
            let relation = pg_sys::table_open(member, pg_sys::AccessShareLock as i32);
            let slot = pg_sys::table_slot_create(relation, std::ptr::null_mut());
            let snapshot = &raw mut pg_sys::SnapshotSelfData;
            let scan = pg_sys::table_beginscan(relation, snapshot, 0, std::ptr::null_mut());
            let forward = pg_sys::ScanDirection::ForwardScanDirection;
            let found = pg_sys::table_scan_getnextslot(scan, forward, slot);
            pg_sys::table_endscan(scan);
            pg_sys::ExecDropSingleTupleTableSlot(slot);
            pg_sys::table_close(relation, pg_sys::NoLock as i32);
            found
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}
