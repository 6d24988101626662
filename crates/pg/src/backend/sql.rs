//! SPI for cold paths only: never in the trigger, never in `record`.
//!
//! Every name in a statement is qualified, and every value is a parameter. Some operators cannot be
//! qualified (a CASE's comparison, IN, IS DISTINCT FROM): the search_path contains only
//! PostgreSQL's schemas, so that they find no operator of anybody else.

use crate::catalogs::catalog::Relation;
use crate::frame::settings;
use crate::report::{Report, SqlState};
use pgrx::datum::DatumWithOid;
use pgrx::spi::{self, OwnedPreparedStatement, SpiClient, SpiHeapTupleData};
use pgrx::{FromDatum, IntoDatum, Spi, pg_sys};
use std::cell::RefCell;
use std::mem::ManuallyDrop;

/// Runs a statement for its effect.
///
/// # Errors
///
/// SPI's own. PostgreSQL's errors pass unchanged.
pub fn run(statement: &str, arguments: &[DatumWithOid]) -> Result<(), Report> {
    on_own_path(|| Spi::run_with_args(statement, arguments)).map_err(failed)
}

/// The first column of the first row; `None` when there is no row or the value is NULL.
///
/// # Errors
///
/// As [`run`].
pub fn one<T: FromDatum + IntoDatum>(
    statement: &str,
    arguments: &[DatumWithOid],
) -> Result<Option<T>, Report> {
    match on_own_path(|| Spi::get_one_with_args::<T>(statement, arguments)) {
        Ok(value) => Ok(value),
        Err(spi::Error::InvalidPosition) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// As [`one`], for a statement that always returns a row with a value.
///
/// # Errors
///
/// As [`run`]; 55000 when there is no value.
pub fn required<T: FromDatum + IntoDatum>(
    statement: &str,
    arguments: &[DatumWithOid],
) -> Result<T, Report> {
    one(statement, arguments)?.ok_or_else(|| failed(spi::Error::InvalidPosition))
}

/// One row of a query's result.
pub struct SqlRow<'a>(SpiHeapTupleData<'a>);

impl SqlRow<'_> {
    /// Column `n`, counted from 1; `None` for NULL.
    ///
    /// # Errors
    ///
    /// 55000 when it is of another type.
    pub fn get<T: FromDatum + IntoDatum>(&self, n: usize) -> Result<Option<T>, Report> {
        self.0.get(n).map_err(failed)
    }

    /// Column `n` of a query whose column `n` is never NULL.
    ///
    /// # Errors
    ///
    /// 55000 when it is NULL, or of another type.
    pub fn required<T: FromDatum + IntoDatum>(&self, n: usize) -> Result<T, Report> {
        self.get(n)?.ok_or_else(|| {
            Report::new(
                SqlState::NotInPrerequisiteState,
                format!("column {n} of a query of pg_verdict's is null"),
            )
        })
    }
}

/// All rows of a query; `read` converts each row.
///
/// # Errors
///
/// As [`run`].
pub fn rows<T>(
    statement: &str,
    arguments: &[DatumWithOid],
    read: impl Fn(&SqlRow) -> Result<T, Report>,
) -> Result<Vec<T>, Report> {
    let query = |client: &SpiClient| {
        let found = client.select(statement, None, arguments).map_err(failed)?;
        found.map(|row| read(&SqlRow(row))).collect()
    };
    on_own_path(|| Spi::connect(query))
}

/// A query without arguments, planned once per session. For queries that run with every DDL
/// statement.
pub struct Kept {
    statement: &'static str,
    /// Never dropped: at the end of a backend, PostgreSQL can no longer free it.
    plan: RefCell<Option<ManuallyDrop<OwnedPreparedStatement>>>,
}

impl Kept {
    pub const fn new(statement: &'static str) -> Self {
        Self {
            statement,
            plan: RefCell::new(None),
        }
    }

    /// The first row, converted by `read`.
    ///
    /// # Errors
    ///
    /// As [`run`].
    pub fn first_row<T>(&self, read: impl Fn(&SqlRow) -> Result<T, Report>) -> Result<T, Report> {
        let query = |client: &SpiClient| {
            let mut plan = self.plan.borrow_mut();
            let plan = match &mut *plan {
                Some(plan) => plan,
                empty => {
                    let made = client.prepare(self.statement, &[]).map_err(failed)?.keep();
                    empty.insert(ManuallyDrop::new(made))
                }
            };
            let mut found = client.select(&**plan, Some(1), &[]).map_err(failed)?;
            let row = found
                .next()
                .ok_or_else(|| failed(spi::Error::InvalidPosition))?;
            read(&SqlRow(row))
        };
        on_own_path(|| Spi::connect(query))
    }
}

fn on_own_path<T>(f: impl FnOnce() -> T) -> T {
    settings::with(&settings::OWN_STATEMENTS, f)
}

/// Runs queries that see what is committed now, whatever the statement's snapshot is.
pub fn with_latest_snapshot<T>(f: impl FnOnce() -> T) -> T {
    // SAFETY: pushed and popped in pairs; on ERROR (sub)transaction abort pops it.
    unsafe { pg_sys::PushActiveSnapshot(pg_sys::GetLatestSnapshot()) };
    let value = f();
    // SAFETY: see above.
    unsafe { pg_sys::PopActiveSnapshot() };
    value
}

/// The names of the table's primary key columns; empty without one.
///
/// # Errors
///
/// As [`run`].
pub fn primary_key(relation: &Relation) -> Result<Vec<String>, Report> {
    let names = one::<Vec<String>>(
        "SELECT pg_catalog.array_agg(a.attname::pg_catalog.text)
         FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_attribute AS a
             ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
         WHERE i.indrelid = $1 AND i.indisprimary",
        &[relation.oid.into()],
    )?;
    Ok(names.unwrap_or_default())
}

/// Raises a report from a `#[pg_extern]`. pgrx raises it after the frames' values are dropped.
pub fn or_raise<T>(result: Result<T, Report>) -> T {
    match result {
        Ok(value) => value,
        Err(report) => crate::frame::plain::raise_through_pgrx(report),
    }
}

/// SPI's own error: a value has another type than was asked for. PostgreSQL's errors pass
/// unchanged.
pub fn failed(error: spi::Error) -> Report {
    Report::new(
        SqlState::NotInPrerequisiteState,
        format!("SPI failed: {error}"),
    )
}
