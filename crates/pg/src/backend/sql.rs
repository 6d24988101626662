//! SPI for cold paths only: never in the trigger, never in `record`.
//!
//! Every name in a statement is qualified, every value is a parameter, and the search_path is
//! PostgreSQL's own: what is not qualified all the same (a CASE's comparison, IN, IS DISTINCT FROM)
//! finds no operator of anybody else's.

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
/// SPI's own; PostgreSQL's errors pass as they are.
pub fn run(statement: &str, arguments: &[DatumWithOid]) -> Result<(), Report> {
    on_own_path(|| Spi::run_with_args(statement, arguments)).map_err(failed)
}

/// The first column of the first row, `None` when there is none or it is NULL.
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

/// As [`one`], of a statement that has a row and a value whatever the data.
///
/// # Errors
///
/// As [`run`]; 55000 when there is none all the same.
pub fn required<T: FromDatum + IntoDatum>(
    statement: &str,
    arguments: &[DatumWithOid],
) -> Result<T, Report> {
    one(statement, arguments)?.ok_or_else(|| failed(spi::Error::InvalidPosition))
}

/// One row of a query's result.
pub struct SqlRow<'a>(SpiHeapTupleData<'a>);

impl SqlRow<'_> {
    /// Column `n`, the first being 1; `None` for NULL.
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
    /// 55000 when it is, or of another type.
    pub fn required<T: FromDatum + IntoDatum>(&self, n: usize) -> Result<T, Report> {
        self.get(n)?.ok_or_else(|| {
            Report::new(
                SqlState::NotInPrerequisiteState,
                format!("column {n} of a query of pg_verdict's is null"),
            )
        })
    }
}

/// All rows of a query, as `read` makes them.
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

/// A query without arguments that is planned once per session: for what runs with every statement
/// of DDL.
pub struct Kept {
    statement: &'static str,
    /// Never dropped: at a backend's end nobody may ask PostgreSQL to free it any more.
    plan: RefCell<Option<ManuallyDrop<OwnedPreparedStatement>>>,
}

impl Kept {
    pub const fn new(statement: &'static str) -> Self {
        Self {
            statement,
            plan: RefCell::new(None),
        }
    }

    /// The first row, as `read` makes it of its columns.
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

/// Runs queries that see what is committed now, whatever the statement's snapshot.
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

/// Raises a report from a `#[pg_extern]`: through pgrx, which drops what the frames hold.
pub fn or_raise<T>(result: Result<T, Report>) -> T {
    match result {
        Ok(value) => value,
        Err(report) => crate::frame::plain::raise_through_pgrx(report),
    }
}

/// What SPI itself refuses: a value of another type than was asked for. PostgreSQL's errors pass as
/// they are.
pub fn failed(error: spi::Error) -> Report {
    Report::new(
        SqlState::NotInPrerequisiteState,
        format!("SPI failed: {error}"),
    )
}
