//! Rows outside of any trigger: a caller's value, made from JSON, or stored already.
//!
//! Nobody's code runs here: no cast, no domain's check, no function of a user's. That is why it
//! does not matter who asks.

use super::columns::RowSlot;
use super::trigger;
use crate::catalogs::catalog::{self, Relation};
use crate::catalogs::identity;
use crate::frame::memory;
use crate::frame::native;
use crate::frame::plain::PlainFrame;
use crate::frame::settings;
use crate::report::{Report, SqlState};
use pgrx::Spi;
use pgrx::pg_sys::{self, Datum, Oid};
use std::ffi::CStr;

/// Values for the columns of a table, in the order of their attribute numbers, in the caller's
/// memory context.
#[derive(Clone, Copy)]
pub struct Values {
    values: *const Datum,
    nulls: *const bool,
}

/// Reads the columns `names` of a JSON object, as `jsonb_populate_record` would; all others are
/// NULL. A domain's value is read as its base type's: the domain's checks are somebody's code, and
/// no guard asks them.
///
/// # Errors
///
/// 22023: no object, or a type that a user's code reads; PostgreSQL's own, for a value that is not
/// of its column's type.
fn from_json(
    relation: &Relation,
    natts: usize,
    names: &[String],
    json: &str,
) -> Result<Values, Report> {
    let refuse =
        |what: String| Report::new(SqlState::InvalidParameter, format!("argument \"r\" {what}"));
    if !json.starts_with('{') {
        return Err(
            refuse("must be a JSON object of columns and values".to_owned())
                .hint("For example to_jsonb(m) for a row m of the table."),
        );
    }
    let read: Vec<_> = names
        .iter()
        .filter_map(|name| relation.column(name))
        .collect();
    let foreign = read
        .iter()
        .find(|column| !catalog::is_read_by_postgres(column.base_type));
    if let Some(column) = foreign {
        return Err(refuse(format!(
            "cannot be JSON: column \"{}\" is of type {}, and reading its values may run code of that type's owner",
            column.name,
            catalog::type_name(column.type_oid)
        ))
        .hint("Give a row: SELECT e.* FROM messages AS m, verdict.explain(m) AS e."));
    }
    let columns: Vec<String> = read
        .iter()
        .map(|column| {
            let (base, typmod) = catalog::base_type_with(column.type_oid, column.typmod);
            let type_name = catalog::type_name_with(base, typmod);
            format!("{} {type_name}", catalog::quote(&column.name))
        })
        .collect();
    let statement = format!(
        "SELECT r.* FROM pg_catalog.jsonb_to_record($1::pg_catalog.jsonb) AS r ({})",
        columns.join(", ")
    );
    let query = || {
        Spi::connect(|client| {
            let found = client.select(&statement, Some(1), &[json.into()])?;
            let row = found.first();
            let values = read.iter().enumerate().map(|(i, column)| {
                let value = row.get_datum_by_ordinal(i + 1)?;
                // SAFETY: a value of that type, copied to the context in which SPI was opened.
                Ok(value.map(|value| unsafe { outlives_spi(value, column.base_type) }))
            });
            values.collect::<Result<Vec<Option<Datum>>, pgrx::spi::Error>>()
        })
    };
    let found = identity::as_extension_owner(|| {
        settings::reading(query).map_err(|error| refuse(error.to_string()))
    })?;
    let (mut values, mut nulls) = (vec![Datum::null(); natts], vec![true; natts]);
    for (column, value) in read.iter().zip(found) {
        if let Some(value) = value {
            let place = column.attnum as usize - 1;
            (values[place], nulls[place]) = (value, false);
        }
    }
    Ok(Values {
        values: memory::copied(&values),
        nulls: memory::copied(&nulls),
    })
}

/// # Safety
///
/// SPI is connected; the value is of that type.
unsafe fn outlives_spi(value: Datum, type_oid: Oid) -> Datum {
    let (mut length, mut by_value) = (0, false);
    // SAFETY: see above.
    unsafe {
        pg_sys::get_typlenbyval(type_oid, &mut length, &mut by_value);
        pg_sys::SPI_datumTransfer(value, by_value, i32::from(length))
    }
}

/// A table that is held open, so that no statement of this session changes it meanwhile, and a row
/// of it in a slot.
#[derive(Clone, Copy)]
pub struct TableRow {
    relation: pg_sys::Relation,
    slot: *mut pg_sys::TupleTableSlot,
}

impl TableRow {
    /// Opens the table, until [`TableRow::close`]. There is no row yet.
    pub fn open(table: Oid, _plain: PlainFrame) -> Self {
        // SAFETY: the slot lives in the current memory context; on ERROR the resource owner closes
        // the table.
        unsafe {
            let relation = native::table_open(table, pg_sys::AccessShareLock as i32);
            let slot = native::MakeSingleTupleTableSlot(
                (*relation).rd_att,
                &raw const pg_sys::TTSOpsHeapTuple,
            );
            Self { relation, slot }
        }
    }

    /// Puts in a row made of a JSON object: `given` says which columns are read, and the object.
    /// The others are NULL.
    pub fn put_json(
        self,
        given: impl FnOnce() -> Result<(Vec<String>, String), Report>,
        plain: PlainFrame,
    ) {
        let made = plain.step(|| {
            let (names, json) = given()?;
            // SAFETY: an open relation.
            let (oid, natts) =
                unsafe { ((*self.relation).rd_id, (*(*self.relation).rd_att).natts) };
            from_json(&catalog::relation(oid)?, natts as usize, &names, &json)
        });
        // SAFETY: a value for each attribute of the table, of the attribute's type.
        unsafe {
            let tuple = native::heap_form_tuple((*self.relation).rd_att, made.values, made.nulls);
            native::ExecStoreHeapTuple(tuple, self.slot, false);
        }
    }

    /// Puts in a composite value, which must be a row of the table as it is.
    pub fn put_value(self, value: Datum, plain: PlainFrame) {
        // SAFETY: a composite by its SQL type; tuple and slot live in the current memory context.
        unsafe {
            let header = native::pg_detoast_datum(value.cast_mut_ptr())
                .cast::<pg_sys::HeapTupleHeaderData>();
            let is_of = (*header).t_choice.t_datum.datum_typeid;
            let table_type = (*(*self.relation).rd_rel).reltype;
            if is_of != table_type || !has_shape_of(header, (*self.relation).rd_att) {
                plain.step(|| {
                    Err::<(), _>(Report::new(
                        SqlState::WrongObjectType,
                        "argument \"r\" is not a row of the table as it is now",
                    ))
                });
            }
            let tuple = native::palloc0(std::mem::size_of::<pg_sys::HeapTupleData>())
                .cast::<pg_sys::HeapTupleData>();
            (*tuple).t_data = header;
            (*tuple).t_len = pgrx::varsize_any(header.cast()) as u32;
            native::ExecStoreHeapTuple(tuple, self.slot, false);
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

    /// As [`trigger::under_condition`], for whoever asks: a condition that would run a user's code
    /// is none of ours.
    pub fn under_condition_of(self, name: &CStr, plain: PlainFrame) -> bool {
        trigger::under_own_condition(self.relation, name, self.slot(), plain)
    }

    pub fn close(self, _plain: PlainFrame) {
        // SAFETY: both were opened by `open`. The lock stays until the transaction ends.
        unsafe {
            native::ExecDropSingleTupleTableSlot(self.slot);
            native::table_close(self.relation, pg_sys::NoLock as i32);
        }
    }
}

/// Whether the bytes of a composite value can be read as this row type. Nothing in a value says
/// which shape its table had when it was made, and a function in the same statement may have
/// altered the table since: to read on would be to follow lengths that are none.
///
/// # Safety
///
/// `header` is a detoasted composite value; `desc` is the table's. PlainFrame: nothing of Rust's.
unsafe fn has_shape_of(
    header: *const pg_sys::HeapTupleHeaderData,
    desc: pg_sys::TupleDesc,
) -> bool {
    // SAFETY: no byte behind `len` is read.
    unsafe {
        let start = header.cast::<u8>();
        let len = pgrx::varsize_any(header.cast());
        let count = u32::from((*header).t_infomask2) & pg_sys::HEAP_NATTS_MASK;
        let has_nulls = u32::from((*header).t_infomask) & pg_sys::HEAP_HASNULL != 0;
        let mut at = usize::from((*header).t_hoff);
        let bitmap = std::mem::offset_of!(pg_sys::HeapTupleHeaderData, t_bits);
        let bitmap_fits = !has_nulls || bitmap + (count as usize).div_ceil(8) <= at;
        if count as i32 > (*desc).natts || at > len || !bitmap_fits {
            return false;
        }
        for i in 0..count as usize {
            if has_nulls && *start.add(bitmap + i / 8) & (1 << (i % 8)) == 0 {
                continue;
            }
            let attribute = catalog::attribute(desc, i as i32 + 1);
            let align = match attribute.attalign as u8 {
                b's' => 2,
                b'i' => 4,
                b'd' => 8,
                _ => 1,
            };
            // A varlena of one byte's header is not aligned, and shows it by a byte that is no
            // padding.
            let is_short = attribute.attlen == -1 && at < len && *start.add(at) != 0;
            if !is_short {
                at = at.next_multiple_of(align);
            }
            if at >= len {
                return false;
            }
            at += match attribute.attlen {
                -1 => match *start.add(at) {
                    // Kept elsewhere: nothing in a composite value is.
                    1 => return false,
                    short if short & 1 == 1 => usize::from(short >> 1),
                    _ if at + 4 > len => return false,
                    _ => pgrx::varsize_any(start.add(at).cast()).max(4),
                },
                -2 => {
                    let rest = std::slice::from_raw_parts(start.add(at), len - at);
                    let mut end = 0;
                    while end < rest.len() && rest.as_ptr().add(end).read() != 0 {
                        end += 1;
                    }
                    end + 1
                }
                fixed => fixed as usize,
            };
            if at > len {
                return false;
            }
        }
        // No more than padding is left.
        len - at < 8
    }
}

/// Calls `visit` for each row of one table (not of its partitions) that this statement sees,
/// without SQL: no code of the table's owner runs.
///
/// # Errors
///
/// Those of `visit`.
pub fn for_each(
    table: Oid,
    mut visit: impl FnMut(TableRow) -> Result<(), Report>,
) -> Result<(), Report> {
    // SAFETY: open, scan and close in order; an error in between is cleaned up by the resource
    // owner.
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

/// Whether there is any row in the table or its partitions that this transaction or a committed one
/// has written.
///
/// # Errors
///
/// None of its own.
pub fn is_any(table: Oid) -> Result<bool, Report> {
    for member in crate::catalogs::catalog::tree(table, pg_sys::AccessShareLock) {
        if crate::catalogs::catalog::relation(member)?.kind
            != crate::catalogs::catalog::RelationKind::Table
        {
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
