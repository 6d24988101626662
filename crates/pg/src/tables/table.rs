//! Reading our own configuration tables without SPI: a heap scan, columns found by name.
//!
//! By name, so that a newer library goes on working with the tables of an older SQL version.

use crate::catalogs::catalog::{self, Name};
use crate::report::{Report, SqlState};
use pgrx::pg_sys::{self, Datum};
use pgrx::{FromDatum, JsonB};
use std::ffi::CStr;

/// One row while the scan stands on it.
pub struct OwnRow<'a> {
    table: &'a str,
    desc: pg_sys::TupleDesc,
    tuple: pg_sys::HeapTuple,
    written_by: pg_sys::TransactionId,
}

impl OwnRow<'_> {
    /// The column's value, or `None` when it is NULL or the table has no such column.
    pub fn get<T: FromDatum>(&self, column: &str) -> Option<T> {
        let (value, oid) = self.datum(column)?;
        // SAFETY: T is the column's type: our tables are declared in sql/tables, and golden tests
        // read each of them.
        unsafe { T::from_polymorphic_datum(value, false, oid) }
    }

    /// The transaction that has written the row, if it is another one that has not ended yet: only
    /// in [`for_each_by`].
    pub fn written_by(&self) -> Option<pg_sys::TransactionId> {
        (self.written_by != pg_sys::InvalidTransactionId).then_some(self.written_by)
    }

    /// Where the row is, for [`super::own_table::update`].
    pub fn tid(&self) -> pg_sys::ItemPointerData {
        // SAFETY: a tuple of the scan.
        unsafe { (*self.tuple).t_self }
    }

    /// A timestamptz column in microseconds since 2000-01-01 UTC.
    pub fn micros(&self, column: &str) -> Option<i64> {
        self.datum(column).map(|(value, _)| value.value() as i64)
    }

    /// An interval column.
    pub fn interval(&self, column: &str) -> Option<pg_sys::Interval> {
        // SAFETY: the column is an interval (sql/tables/hooks.sql): a pointer to 16 bytes, copied
        // out.
        self.datum(column)
            .map(|(value, _)| unsafe { *value.cast_mut_ptr::<pg_sys::Interval>() })
    }

    /// A jsonb column.
    pub fn json(&self, column: &str) -> Option<serde_json::Value> {
        self.get::<JsonB>(column).map(|JsonB(value)| value)
    }

    /// The value of a column that is NOT NULL.
    ///
    /// # Errors
    ///
    /// VD009 when it is not there all the same: nothing is guessed.
    pub fn required<T: FromDatum>(&self, column: &str) -> Result<T, Report> {
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
        Report::new(
            SqlState::GuardMisconfigured,
            format!(
                "VD009: column \"{column}\" of verdict.{} is missing or null",
                self.table
            ),
        )
        .hint("Was the table changed by hand, or by a newer version of pg_verdict?")
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

    fn datum(&self, column: &str) -> Option<(Datum, pg_sys::Oid)> {
        // SAFETY: desc and tuple belong to the open scan.
        unsafe {
            let attributes = (*self.desc).natts;
            for attnum in 1..=attributes {
                let attribute = catalog::attribute(self.desc, attnum);
                if !attribute.attisdropped
                    && CStr::from_ptr(attribute.attname.data.as_ptr()).to_bytes()
                        == column.as_bytes()
                {
                    let mut isnull = false;
                    let value = pg_sys::heap_getattr(self.tuple, attnum, self.desc, &mut isnull);
                    return (!isnull).then_some((value, attribute.atttypid));
                }
            }
            None
        }
    }
}

/// Calls `visit` for each row of `verdict.<table>` that is committed now (or is this transaction's
/// own).
///
/// # Errors
///
/// Those of `visit`, and an undefined object when the extension's table is not there.
pub fn for_each(
    table: &str,
    visit: impl FnMut(&OwnRow) -> Result<(), Report>,
) -> Result<(), Report> {
    scan(table, None, pg_sys::AccessShareLock, visit)
}

/// As [`for_each`], for rows that may be changed afterwards, by their TIDs: until the transaction
/// ends none gets another place.
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
/// Sees what is committed at this instant, whatever the transaction's snapshot, and what others are
/// writing: [`OwnRow::written_by`].
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
        // What is to be changed must stay where it is.
        let end = match lockmode {
            pg_sys::AccessShareLock => pg_sys::AccessShareLock,
            _ => pg_sys::NoLock,
        };
        pg_sys::table_close(relation, end as i32);
        outcome
    }
}
