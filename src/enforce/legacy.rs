//! Rows that were never judged: older than the guard, or so old that their verdict is retired.

use super::case::{Case, Operation};
use super::shape::Shape;
use super::{flag, judge};
use crate::pg::columns::RowSlot;
use crate::pg::entry::Plain;
use verdict::{Finding, Legacy};

/// Whether the guard lets this update be: there is no verdict for what the row becomes, and there was none for what it was.
/// A row that is to lose its flag was judged.
pub fn passes(shape: &Shape, case: &Case, old: RowSlot, new: RowSlot, plain: Plain) -> bool {
    shape.policy.legacy == Legacy::Allow
        && case.finding == Finding::Missing
        && !flag::is_taken_off(shape, old, new, plain)
        && judge::look(shape, old, Operation::Update, plain)
            .is_some_and(|old| old.finding == Finding::Missing && old.found.is_none())
        && case.found.is_none()
}
