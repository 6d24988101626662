//! A jsonb argument as a tree of values: what is too deep or too large for one is the caller's
//! mistake, not an internal error.

use super::columns;
use crate::frame::plain::catching_longjmp;
use crate::report::{Report, SqlState};
use pgrx::AnyElement;
use pgrx::pg_sys::JSONBOID;
use serde_json::Value;

/// Reads the argument `name`, a jsonb.
///
/// # Errors
///
/// 22023: nested deeper than 128 levels, or with a number outside of what a double precision can
/// hold.
pub fn argument(name: &str, given: Option<AnyElement>) -> Result<Option<Value>, Report> {
    let Some(given) = given else { return Ok(None) };
    if given.oid() != JSONBOID {
        return Err(Report::new(
            SqlState::InvalidParameter,
            format!("argument \"{name}\" must be jsonb"),
        ));
    }
    let datum = given.datum();
    let text = catching_longjmp(|plain| columns::jsonb_text(datum, plain));
    serde_json::from_str(text.text())
        .map(Some)
        .map_err(|error| {
            Report::new(
            SqlState::InvalidParameter,
            format!("argument \"{name}\" cannot be read: {error}"),
        )
        .hint("It may be nested 127 levels deep, and its numbers must fit into a double precision.")
        })
}
