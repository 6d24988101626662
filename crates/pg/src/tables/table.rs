//! Reads our own configuration tables without SPI, by a heap scan.
//!
//! Columns are found by name, so that a newer library also works with the tables of an older SQL
//! version.

use super::unreadable;
use crate::catalogs::catalog::{self, Name};
use crate::report::Report;
use pgrx::pg_sys::{self, Datum};
use pgrx::{FromDatum, IntoDatum, JsonB};
use std::ffi::CStr;

/// One row while the scan is at it.
pub struct OwnRow<'a> {
    table: &'a str,
    desc: pg_sys::TupleDesc,
    tuple: pg_sys::HeapTuple,
    written_by: pg_sys::TransactionId,
}

impl OwnRow<'_> {
    /// The column's value; `None` when it is NULL, of another type, or not there: an older version
    /// of the SQL has fewer columns.
    pub fn get<T: FromDatum + IntoDatum>(&self, column: &str) -> Option<T> {
        let value = self.datum(column, T::type_oid())?;
        // SAFETY: the column's type is T.
        unsafe { T::from_polymorphic_datum(value, false, T::type_oid()) }
    }

    /// The value of a column that older versions of the SQL do not have. `None` for NULL, and when
    /// the column does not exist.
    ///
    /// # Errors
    ///
    /// VD009 when the column is of another type.
    pub fn newer<T: FromDatum + IntoDatum>(&self, column: &str) -> Result<Option<T>, Report> {
        match self.place(column) {
            None => Ok(None),
            Some(_) => self.nullable(column),
        }
    }

    /// The value of a column that every version of the SQL has; `None` when it is NULL.
    ///
    /// # Errors
    ///
    /// VD009 when the column is not there, or of another type.
    pub fn nullable<T: FromDatum + IntoDatum>(&self, column: &str) -> Result<Option<T>, Report> {
        match self.place(column) {
            Some((_, oid)) if base_type(oid) == T::type_oid() => Ok(self.get(column)),
            _ => Err(self.unreadable(column)),
        }
    }

    /// The transaction that has written the row, if it is another one that has not ended yet. Only
    /// [`for_each_by`] sees such rows.
    pub fn written_by(&self) -> Option<pg_sys::TransactionId> {
        (self.written_by != pg_sys::InvalidTransactionId).then_some(self.written_by)
    }

    /// The row's TID, for [`super::own_table::update`].
    pub fn tid(&self) -> pg_sys::ItemPointerData {
        // SAFETY: a tuple of the scan.
        unsafe { (*self.tuple).t_self }
    }

    /// A timestamptz column in microseconds since 2000-01-01 UTC.
    pub fn micros(&self, column: &str) -> Option<i64> {
        let value = self.datum(column, pg_sys::TIMESTAMPTZOID)?;
        Some(value.value() as i64)
    }

    /// An interval column.
    pub fn interval(&self, column: &str) -> Option<pg_sys::Interval> {
        let value = self.datum(column, pg_sys::INTERVALOID)?;
        // SAFETY: an interval is a pointer to 16 bytes, which are copied out.
        Some(unsafe { *value.cast_mut_ptr::<pg_sys::Interval>() })
    }

    /// A jsonb column.
    pub fn json(&self, column: &str) -> Option<serde_json::Value> {
        self.get::<JsonB>(column).map(|JsonB(value)| value)
    }

    /// The value of a column that is NOT NULL.
    ///
    /// # Errors
    ///
    /// VD009 when there is no value: nothing is guessed.
    pub fn required<T: FromDatum + IntoDatum>(&self, column: &str) -> Result<T, Report> {
        self.get(column).ok_or_else(|| self.unreadable(column))
    }

    /// As [`OwnRow::required`], of a text column.
    ///
    /// # Errors
    ///
    /// VD009.
    pub fn text(&self, column: &str) -> Result<String, Report> {
        self.required(column)
    }

    /// As [`OwnRow::required`], of a jsonb column.
    ///
    /// # Errors
    ///
    /// VD009.
    pub fn required_json(&self, column: &str) -> Result<serde_json::Value, Report> {
        self.json(column).ok_or_else(|| self.unreadable(column))
    }

    /// As [`OwnRow::required`], of a timestamptz column: microseconds since 2000-01-01 UTC.
    ///
    /// # Errors
    ///
    /// VD009.
    pub fn required_micros(&self, column: &str) -> Result<i64, Report> {
        self.micros(column).ok_or_else(|| self.unreadable(column))
    }

    fn unreadable(&self, column: &str) -> Report {
        unreadable(&format!(
            "column \"{column}\" of verdict.{} is missing, null or of another type",
            self.table
        ))
    }

    /// The table that the row is about, as the registry, the glass and the quarantine name it.
    ///
    /// # Errors
    ///
    /// VD009.
    pub fn relation(&self) -> Result<Name, Report> {
        Ok(Name {
            schema: self.text("relation_schema")?,
            table: self.text("relation_name")?,
        })
    }

    /// The column's value when it is there, not NULL, and of this type or a domain over it.
    fn datum(&self, column: &str, wanted: pg_sys::Oid) -> Option<Datum> {
        let (attnum, oid) = self.place(column)?;
        if oid != wanted && base_type(oid) != wanted {
            return None;
        }
        let mut isnull = false;
        // SAFETY: desc and tuple belong to the open scan, and have that attribute.
        let value = unsafe { pg_sys::heap_getattr(self.tuple, attnum, self.desc, &mut isnull) };
        (!isnull).then_some(value)
    }

    /// Attribute number and type of a column.
    fn place(&self, column: &str) -> Option<(i32, pg_sys::Oid)> {
        // SAFETY: desc belongs to the open scan.
        unsafe {
            (1..=(*self.desc).natts).find_map(|attnum| {
                let attribute = catalog::attribute(self.desc, attnum);
                let name = CStr::from_ptr(attribute.attname.data.as_ptr()).to_bytes();
                let is_it = !attribute.attisdropped && name == column.as_bytes();
                is_it.then_some((attnum, attribute.atttypid))
            })
        }
    }
}

/// The type below any domains.
fn base_type(oid: pg_sys::Oid) -> pg_sys::Oid {
    // SAFETY: looks types up in the syscache; raises through pgrx when one is gone.
    unsafe { pg_sys::getBaseType(oid) }
}

/// Calls `visit` for each row of `verdict.<table>` that is committed now or written by this
/// transaction.
///
/// # Errors
///
/// Those of `visit`, and an undefined object when the extension's table does not exist.
pub fn for_each(
    table: &str,
    visit: impl FnMut(&OwnRow) -> Result<(), Report>,
) -> Result<(), Report> {
    scan(table, None, pg_sys::AccessShareLock, visit)
}

/// As [`for_each`], for rows that may be changed afterwards by their TIDs: no row moves until the
/// transaction ends.
///
/// # Errors
///
/// As [`for_each`].
pub fn for_each_to_change(
    table: &str,
    visit: impl FnMut(&OwnRow) -> Result<(), Report>,
) -> Result<(), Report> {
    scan(table, None, pg_sys::RowExclusiveLock, visit)
}

/// As [`for_each_to_change`], for the rows whose int8 `column` equals `value`, by an index on it.
/// Sees what is committed at this moment, whatever the transaction's snapshot is. Also sees rows
/// that others are writing: [`OwnRow::written_by`].
///
/// # Errors
///
/// As [`for_each`].
pub fn for_each_by(
    table: &str,
    (index, column): (&str, &str),
    value: i64,
    visit: impl FnMut(&OwnRow) -> Result<(), Report>,
) -> Result<(), Report> {
    scan(
        table,
        Some((index, column, value)),
        pg_sys::RowExclusiveLock,
        visit,
    )
}

fn scan(
    table: &str,
    by: Option<(&str, &str, i64)>,
    lockmode: u32,
    mut visit: impl FnMut(&OwnRow) -> Result<(), Report>,
) -> Result<(), Report> {
    let oid = catalog::own_relation(table)?;
    let mut keys = Vec::new();
    let mut index_oid = pg_sys::InvalidOid;
    if let Some((index, column, value)) = by {
        index_oid = catalog::own_relation(index)?;
        let facts = catalog::relation(oid)?;
        let attnum = facts.column(column).map_or(0, |found| found.attnum);
        // SAFETY: zero is a valid key, which ScanKeyInit fills.
        let mut key = unsafe { std::mem::zeroed::<pg_sys::ScanKeyData>() };
        // SAFETY: the column is an int8 (sql/tables).
        unsafe {
            pg_sys::ScanKeyInit(
                &mut key,
                attnum,
                pg_sys::BTEqualStrategyNumber as u16,
                pg_sys::Oid::from(pg_sys::F_INT8EQ),
                Datum::from(value),
            );
        }
        keys.push(key);
    }
    // SAFETY: open, scan and close in order; an error in between is cleaned up by the resource
    // owner.
    unsafe {
        let relation = pg_sys::table_open(oid, lockmode as i32);
        let mut dirty = pg_sys::SnapshotData {
            snapshot_type: pg_sys::SnapshotType::SNAPSHOT_DIRTY,
            ..Default::default()
        };
        let snapshot = match by {
            Some(_) => &raw mut dirty,
            None => std::ptr::null_mut(),
        };
        let scan = pg_sys::systable_beginscan(
            relation,
            index_oid,
            by.is_some(),
            snapshot,
            keys.len() as i32,
            keys.as_mut_ptr(),
        );
        let mut outcome = Ok(());
        loop {
            let tuple = pg_sys::systable_getnext(scan);
            if tuple.is_null() || outcome.is_err() {
                break;
            }
            outcome = visit(&OwnRow {
                table,
                desc: (*relation).rd_att,
                tuple,
                written_by: match by {
                    Some(_) => (*snapshot).xmin,
                    None => pg_sys::InvalidTransactionId,
                },
            });
        }
        pg_sys::systable_endscan(scan);
        // The lock stays, because rows to be changed must not move.
        let end = match lockmode {
            pg_sys::AccessShareLock => pg_sys::AccessShareLock,
            _ => pg_sys::NoLock,
        };
        pg_sys::table_close(relation, end as i32);
        outcome
    }
}
