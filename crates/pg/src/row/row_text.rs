//! A row's columns as text: whole, to be restored one day, or bounded, to be looked at.

use super::columns::RowSlot;
use crate::catalogs::catalog;
use crate::frame::native;
use crate::frame::savepoint;
use crate::frame::settings;
use crate::frame::span::Span;
use crate::frame::text;
use crate::report::{Report, SqlState};
use pgrx::PgTryBuilder;
use pgrx::pg_sys::{self, Datum, Oid};
use std::panic::AssertUnwindSafe;

/// `attgenerated` of a column whose value is stored.
const STORED: std::ffi::c_char = b's' as std::ffi::c_char;

/// One column of a row.
pub struct ColumnText {
    pub name: String,
    /// As `format_type` spells it, with its modifier.
    pub type_name: String,
    pub value: Option<String>,
}

/// The columns that an INSERT could name: not dropped, not generated.
///
/// # Errors
///
/// The output functions' own.
pub fn whole(row: RowSlot, leaf: Oid) -> Vec<ColumnText> {
    settings::with(&settings::EXACT, || {
        attributes(row, leaf)
            .filter(|(attribute, _)| attribute.attgenerated == 0)
            .map(|(attribute, value)| ColumnText {
                name: name_of(attribute),
                type_name: type_of(attribute),
                value: value.map(|value| text(attribute, value)),
            })
            .collect()
    })
}

/// One column's text, in the settings that stand; `None` when it is NULL, or there is no such
/// column.
pub fn of(row: RowSlot, leaf: Oid, column: &str) -> Option<String> {
    let found = attributes(row, leaf).find(|(attribute, _)| name_of(attribute) == column);
    let (attribute, value) = found?;
    value.map(|value| text(attribute, value))
}

/// How many bytes [`whole`] will need at least: before memory is spent on them.
pub fn size(row: RowSlot, leaf: Oid) -> usize {
    attributes(row, leaf)
        .filter_map(|(attribute, value)| {
            let value = value?;
            if attribute.attlen != -1 {
                return Some(16);
            }
            // SAFETY: a varlena of any form; its header says how long it is.
            let raw = unsafe { pg_sys::toast_raw_datum_size(value) };
            // Two hexadecimal digits for each byte.
            let digits = if attribute.atttypid == pg_sys::BYTEAOID {
                2
            } else {
                1
            };
            Some(raw * digits)
        })
        .sum()
}

/// The columns for a reader: each at most `value_cap` bytes, all together about `cap`. Those that
/// `hidden` names show no value, and generated ones are there only when the row is `stored` and
/// they are, too. Large values are not even detoasted.
pub fn bounded(
    row: RowSlot,
    leaf: Oid,
    stored: bool,
    (cap, value_cap): (usize, usize),
    hidden: impl Fn(&str) -> bool,
) -> serde_json::Map<String, serde_json::Value> {
    let mut left = cap;
    settings::with(&settings::EXACT, || {
        let mut image = serde_json::Map::new();
        for (attribute, value) in attributes(row, leaf) {
            if attribute.attgenerated != 0 && !(stored && attribute.attgenerated == STORED) {
                continue;
            }
            let name = name_of(attribute);
            let shown = match value {
                None => serde_json::Value::Null,
                Some(_) if hidden(&name) => "(redacted)".into(),
                Some(value) => short(attribute, value, value_cap).into(),
            };
            let size = name.len() + shown.as_str().map_or(4, str::len);
            if size > left {
                image.insert("…".into(), "(cut)".into());
                continue;
            }
            left -= size;
            image.insert(name, shown);
        }
        image
    })
}

fn short(attribute: &pg_sys::FormData_pg_attribute, value: Datum, cap: usize) -> String {
    if attribute.attlen == -1 {
        // SAFETY: a varlena of any form; the size counts a header.
        let size = unsafe { pg_sys::toast_raw_datum_size(value) } - pg_sys::VARHDRSZ;
        if size > 1024 * 1024 {
            return format!("({size} bytes)");
        }
    }
    let text = text(attribute, value);
    if text.len() <= cap {
        return text;
    }
    format!(
        "{}… ({} bytes)",
        &text[..text.floor_char_boundary(cap)],
        text.len()
    )
}

fn name_of(attribute: &pg_sys::FormData_pg_attribute) -> String {
    // SAFETY: a catalog name ends with NUL.
    unsafe { text::owned(attribute.attname.data.as_ptr()) }
}

/// The column's type as `format_type` spells it, with its modifier.
fn type_of(attribute: &pg_sys::FormData_pg_attribute) -> String {
    catalog::type_name_with(attribute.atttypid, attribute.atttypmod)
}

fn text(attribute: &pg_sys::FormData_pg_attribute, value: Datum) -> String {
    let (mut function, mut is_varlena) = (pg_sys::InvalidOid, false);
    // SAFETY: the attribute's own type; the result is a palloc'ed C string.
    unsafe {
        pg_sys::getTypeOutputInfo(attribute.atttypid, &mut function, &mut is_varlena);
        taken(pg_sys::OidOutputFunctionCall(function, value))
    }
}

/// What an output function has written, which is given back: it may be as large as a value can be.
///
/// # Safety
///
/// `written` is palloc'ed and ends with NUL.
unsafe fn taken(written: *mut std::ffi::c_char) -> String {
    let mut text = String::new();
    // SAFETY: as said.
    unsafe {
        let bytes = std::ffi::CStr::from_ptr(written).to_bytes();
        if text.try_reserve_exact(bytes.len()).is_err() {
            crate::frame::plain::raise_through_pgrx(Report::new(
                SqlState::OutOfMemory,
                "out of memory while a row was read",
            ));
        }
        text.push_str(&String::from_utf8_lossy(bytes));
        pg_sys::pfree(written.cast());
    }
    text
}

/// A text[] of these, which are let go one by one: never more than twice their bytes at a time.
pub(crate) fn text_array(values: Vec<Option<String>>) -> Datum {
    let mut nulls: Vec<bool> = values.iter().map(Option::is_none).collect();
    let mut texts: Vec<Datum> = Vec::with_capacity(values.len());
    for value in values {
        let datum = value.map_or(Datum::null(), |value| {
            crate::frame::plain::catching_longjmp(|plain| Span::borrowed(&value).to_varlena(plain))
        });
        texts.push(datum);
    }
    let mut count = texts.len() as i32;
    let mut lower_bound = 1;
    // SAFETY: `count` texts or NULLs; text is a varlena, aligned as int. What is copied into the
    // array is given back.
    unsafe {
        let array = pg_sys::construct_md_array(
            texts.as_mut_ptr(),
            nulls.as_mut_ptr(),
            1,
            &mut count,
            &mut lower_bound,
            pg_sys::TEXTOID,
            -1,
            false,
            pg_sys::TYPALIGN_INT as std::ffi::c_char,
        );
        for (text, is_null) in texts.into_iter().zip(nulls) {
            if !is_null {
                pg_sys::pfree(text.cast_mut_ptr());
            }
        }
        Datum::from(array)
    }
}

/// The row's attributes but for the dropped, each with its value.
///
/// The leaf's own description says which they are: the slot of a row that is on its way through a
/// partitioned table may have the plan's, which knows nothing of dropped and generated columns.
fn attributes<'a>(
    row: RowSlot,
    leaf: Oid,
) -> impl Iterator<Item = (&'a pg_sys::FormData_pg_attribute, Option<Datum>)> {
    // SAFETY: the statement that the trigger fired for keeps the leaf open, and with it its
    // description. The slot holds a tuple of as many columns; deformed whole before it is read,
    // guarded.
    unsafe {
        let slot = row.0;
        let relation = pg_sys::RelationIdGetRelation(leaf);
        let desc = (*relation).rd_att;
        pg_sys::RelationClose(relation);
        let natts = (*desc).natts.min((*(*slot).tts_tupleDescriptor).natts);
        if i32::from((*slot).tts_nvalid) < natts {
            pg_sys::ffi::pg_guard_ffi_boundary(|| native::slot_getsomeattrs_int(slot, natts));
        }
        (1..=natts)
            .map(move |attnum| (attnum, catalog::attribute(desc, attnum)))
            .filter(|(_, attribute)| !attribute.attisdropped)
            .map(move |(attnum, attribute)| {
                let position = attnum as usize - 1;
                let isnull = *(*slot).tts_isnull.add(position);
                (
                    attribute,
                    (!isnull).then(|| *(*slot).tts_values.add(position)),
                )
            })
    }
}

/// A value from its text, by the type's input function: what a literal of that type would be.
///
/// # Errors
///
/// The input function's own.
pub fn datum_of(type_oid: pg_sys::Oid, typmod: i32, text: &str) -> Result<Datum, Report> {
    let text = text::c_string(text);
    let (mut function, mut parameter) = (pg_sys::InvalidOid, pg_sys::InvalidOid);
    // SAFETY: an existing type; the text is NUL-terminated and copied by the input function.
    unsafe {
        pg_sys::getTypeInputInfo(type_oid, &mut function, &mut parameter);
        Ok(pg_sys::OidInputFunctionCall(
            function,
            text.as_ptr().cast_mut(),
            parameter,
            typmod,
        ))
    }
}

/// The text that the type's output function writes for a value that its input function reads.
///
/// # Errors
///
/// 22023 with PostgreSQL's own words when the text is no value of the type.
pub fn canonical(type_oid: pg_sys::Oid, typmod: i32, given: &str) -> Result<String, Report> {
    PgTryBuilder::new(AssertUnwindSafe(|| {
        let value = datum_of(type_oid, typmod, given)?;
        let (mut function, mut is_varlena) = (pg_sys::InvalidOid, false);
        // SAFETY: as `text`.
        unsafe {
            pg_sys::getTypeOutputInfo(type_oid, &mut function, &mut is_varlena);
            Ok(text::owned(pg_sys::OidOutputFunctionCall(function, value)))
        }
    }))
    .catch_others(|error| match error {
        pg_sys::panic::CaughtError::PostgresError(report)
            if savepoint::is_of_the_value(report.sql_error_code()) =>
        {
            Err(Report::new(
                SqlState::InvalidParameter,
                report.message().to_owned(),
            ))
        }
        other => other.rethrow(),
    })
    .execute()
}
