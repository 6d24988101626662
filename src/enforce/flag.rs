//! The flag column: the mark that a row is stored with instead of being refused.

use super::facts::subject_of;
use super::plan::{self, Plan};
use super::shape::Shape;
use crate::pg::columns::{self, Raw, RowSlot};
use crate::pg::entry::Plain;
use crate::pg::row_text;
use crate::report::Report;
use pgrx::pg_sys::{BPCHAROID, Datum};

/// Whether the row bears the flag value, or the guard has no flag column.
pub fn is_set_or_none(shape: &Shape, row: RowSlot, plain: Plain) -> bool {
    let Some(column) = shape.flag else {
        return true;
    };
    let raw = columns::read(row, column.attnum, column.reader, plain);
    plain.step(|| plan::with(shape, |plan| Ok(is_flag_value(plan, raw))))
}

/// Whether an update takes a row off its flag value. Other changes of the flag column are the application's own.
pub fn is_taken_off(shape: &Shape, old: RowSlot, new: RowSlot, plain: Plain) -> bool {
    shape.flag.is_some_and(|column| {
        columns::differs(old, new, column.attnum, plain)
            && is_set_or_none(shape, old, plain)
            && !is_set_or_none(shape, new, plain)
    })
}

/// The flag value, for a row that is to be stored.
///
/// # Errors
///
/// The type's own: the column may have changed since the guard was put on.
pub fn value(plan: &Plan) -> Result<Option<Datum>, Report> {
    match (&plan.guard.flag, plan.flag_type) {
        (Some((_, text)), Some((type_oid, typmod))) => {
            row_text::datum_of(type_oid, typmod, text).map(Some)
        }
        _ => Ok(None),
    }
}

/// `verdict.guards.flag_value` is what the type's output function writes.
fn is_flag_value(plan: &Plan, raw: Raw) -> bool {
    let Some((_, wanted)) = &plan.guard.flag else {
        return false;
    };
    match raw {
        Raw::Boolean(value) => wanted == if value { "t" } else { "f" },
        other => {
            // A char(n) is read without the spaces that fill it up.
            let filled = plan.flag_type.is_some_and(|(oid, _)| oid == BPCHAROID);
            let wanted = match filled {
                true => wanted.trim_end_matches(' '),
                false => wanted,
            };
            subject_of(other).is_some_and(|text| text.text() == wanted)
        }
    }
}
