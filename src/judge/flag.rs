//! The flag column. A row with a finding is stored with the flag value instead of being refused.

use super::facts::subject_of;
use crate::guard::cache;
use crate::guard::info::{CachedGuard, GuardInfo};
use pg::columns::{self, Raw, RowSlot};
use pg::plain::PlainFrame;
use pg::report::Report;
use pg::row_text;
use pgrx::pg_sys::{BPCHAROID, Datum};

/// Whether the row has the flag value, or the guard has no flag column.
pub fn is_set_or_none(info: &GuardInfo, row: RowSlot, plain: PlainFrame) -> bool {
    let Some(column) = info.flag else {
        return true;
    };
    let raw = columns::read(row, column.attnum, column.reader, plain);
    plain.step(|| cache::with_cached(info, |cached| Ok(is_flag_value(cached, raw))))
}

/// Whether an update takes a row off its flag value. The application may change the flag column in
/// any other way.
pub fn is_taken_off(info: &GuardInfo, old: RowSlot, new: RowSlot, plain: PlainFrame) -> bool {
    info.flag.is_some_and(|column| {
        columns::differs(old, new, column.attnum, plain)
            && is_set_or_none(info, old, plain)
            && !is_set_or_none(info, new, plain)
    })
}

/// The flag value, for a row that is to be stored.
///
/// # Errors
///
/// Errors of the column type's input function: the column may have changed since the guard was
/// made.
pub fn value(cached: &CachedGuard) -> Result<Option<Datum>, Report> {
    match (&cached.guard.flag, cached.flag_type) {
        (Some((_, text)), Some(flag)) => {
            row_text::datum_of(flag.type_oid, flag.typmod, text).map(Some)
        }
        _ => Ok(None),
    }
}

/// `verdict.guards.flag_value` holds the text that the type's output function writes.
fn is_flag_value(cached: &CachedGuard, raw: Raw) -> bool {
    let Some((_, wanted)) = &cached.guard.flag else {
        return false;
    };
    match raw {
        Raw::Boolean(value) => wanted == if value { "t" } else { "f" },
        other => {
            // A char(n) value is compared without its trailing spaces.
            let filled = cached
                .flag_type
                .is_some_and(|flag| flag.type_oid == BPCHAROID);
            let wanted = match filled {
                true => wanted.trim_end_matches(' '),
                false => wanted,
            };
            subject_of(other).is_some_and(|text| text.text() == wanted)
        }
    }
}
