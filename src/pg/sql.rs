//! SPI for cold paths only: never in the trigger, never in `record`.
//!
//! Every name in a statement is qualified, every value is a parameter.

use crate::report::{Report, SqlState};
use pgrx::datum::DatumWithOid;
use pgrx::{FromDatum, IntoDatum, Spi};

/// Runs a statement for its effect.
///
/// # Errors
///
/// SPI's own; PostgreSQL's errors pass as they are.
pub fn run(statement: &str, arguments: &[DatumWithOid]) -> Result<(), Report> {
    Spi::run_with_args(statement, arguments).map_err(internal)
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
    match Spi::get_one_with_args::<T>(statement, arguments) {
        Ok(value) => Ok(value),
        Err(pgrx::spi::Error::InvalidPosition) => Ok(None),
        Err(error) => Err(internal(error)),
    }
}

/// Raises a report from a `#[pg_extern]`: through pgrx, which drops what the frames hold.
pub fn or_raise<T>(result: Result<T, Report>) -> T {
    match result {
        Ok(value) => value,
        Err(report) => super::entry::raise_through_pgrx(report),
    }
}

fn internal(error: pgrx::spi::Error) -> Report {
    Report::new(
        SqlState::NotInPrerequisiteState,
        format!("SPI failed: {error}"),
    )
}
