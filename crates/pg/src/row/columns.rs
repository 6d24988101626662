//! Reading a guarded row's columns from its slot, and telling whether an update changed them.

use crate::catalogs::catalog;
use crate::frame::native;
use crate::frame::plain::PlainFrame;
use crate::frame::span::Span;
use pgrx::pg_sys::{self, Datum, Oid};

/// How a column's type becomes a JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    Text,
    /// `char(n)`: its padding is not content.
    TrimmedText,
    Name,
    Int2,
    Int4,
    Int8,
    Bool,
    Uuid,
    Enum,
    Json,
    Jsonb,
    /// bytea, as lower-case hexadecimal (ids).
    ByteaHex,
    /// bytea, as the UTF-8 text that it holds (bodies).
    ByteaUtf8,
}

/// A column's value, `Copy`; bytes live as long as the row's memory context.
#[derive(Clone, Copy, Debug)]
pub enum Raw {
    Null,
    Text(Span),
    Integer(i64),
    Boolean(bool),
    Json(Span),
    Uuid(Span),
    Hex(Span),
    Utf8(Span),
}

/// A row in a slot.
#[derive(Clone, Copy)]
pub struct RowSlot(pub(crate) *mut pg_sys::TupleTableSlot);

/// Reads one column.
pub fn read(row: RowSlot, attnum: i16, reader: Reader, plain: PlainFrame) -> Raw {
    let Some(datum) = value(row, attnum, plain) else {
        return Raw::Null;
    };
    match reader {
        Reader::Text => Raw::Text(Span::of_varlena(datum, plain)),
        Reader::TrimmedText => {
            let span = Span::of_varlena(datum, plain);
            let kept = span
                .bytes()
                .iter()
                .rposition(|byte| *byte != b' ')
                .map_or(0, |last| last + 1);
            Raw::Text(Span::of_raw(span.bytes().as_ptr(), kept))
        }
        Reader::Name => Raw::Text(Span::of_c_str(datum.cast_mut_ptr())),
        Reader::Int2 => Raw::Integer(i64::from(datum.value() as i16)),
        Reader::Int4 => Raw::Integer(i64::from(datum.value() as i32)),
        Reader::Int8 => Raw::Integer(datum.value() as i64),
        Reader::Bool => Raw::Boolean(datum.value() as u8 != 0),
        Reader::Uuid => Raw::Uuid(Span::of_raw(datum.cast_mut_ptr(), 16)),
        // SAFETY: enum_out takes the enum's value and returns its label; frames are plain.
        Reader::Enum => Raw::Text(Span::of_c_str(unsafe {
            native::OidOutputFunctionCall(Oid::from(pg_sys::F_ENUM_OUT), datum)
        })),
        Reader::Json => Raw::Json(Span::of_varlena(datum, plain)),
        Reader::Jsonb => Raw::Json(jsonb_text(datum, plain)),
        Reader::ByteaHex => Raw::Hex(Span::of_varlena(datum, plain)),
        Reader::ByteaUtf8 => Raw::Utf8(Span::of_varlena(datum, plain)),
    }
}

/// A jsonb as text.
pub(crate) fn jsonb_text(datum: Datum, _plain: PlainFrame) -> Span {
    // SAFETY: a jsonb datum; detoasted whole (JsonbToCString reads an aligned container behind the
    // 4-byte header).
    unsafe {
        let jsonb = native::pg_detoast_datum(datum.cast_mut_ptr()).cast::<pg_sys::Jsonb>();
        let root = &raw mut (*jsonb).root;
        Span::of_c_str(native::JsonbToCString(std::ptr::null_mut(), root, 0))
    }
}

/// Whether the column's bytes differ between two versions of a row. Equal TOAST pointers are equal
/// values; others are compared detoasted.
pub fn differs(old: RowSlot, new: RowSlot, attnum: i16, plain: PlainFrame) -> bool {
    match (value(old, attnum, plain), value(new, attnum, plain)) {
        (None, None) => false,
        (Some(a), Some(b)) => {
            // SAFETY: both slots are of the same relation.
            let (by_value, length) = unsafe {
                let attribute = catalog::attribute((*new.0).tts_tupleDescriptor, i32::from(attnum));
                (attribute.attbyval, attribute.attlen)
            };
            if by_value {
                a.value() != b.value()
            } else if length > 0 {
                let bytes = |datum: Datum| Span::of_raw(datum.cast_mut_ptr(), length as usize);
                bytes(a).bytes() != bytes(b).bytes()
            } else if length == -2 {
                Span::of_c_str(a.cast_mut_ptr()).bytes() != Span::of_c_str(b.cast_mut_ptr()).bytes()
            } else {
                !same_toast_pointer(a, b)
                    && Span::of_varlena(a, plain).bytes() != Span::of_varlena(b, plain).bytes()
            }
        }
        _ => true,
    }
}

/// The bytes of a column for a fingerprint within this transaction, whatever its type.
pub fn fingerprint(row: RowSlot, attnum: i16, plain: PlainFrame) -> Option<Span> {
    let datum = value(row, attnum, plain)?;
    // SAFETY: the attribute describes the datum.
    let (by_value, length) = unsafe {
        let attribute = catalog::attribute((*row.0).tts_tupleDescriptor, i32::from(attnum));
        (attribute.attbyval, attribute.attlen)
    };
    Some(if by_value {
        Span::of_word(datum.value(), plain)
    } else if length > 0 {
        Span::of_raw(datum.cast_mut_ptr(), length as usize)
    } else if length == -2 {
        Span::of_c_str(datum.cast_mut_ptr())
    } else {
        Span::of_varlena(datum, plain)
    })
}

fn value(row: RowSlot, attnum: i16, _plain: PlainFrame) -> Option<Datum> {
    // SAFETY: attnum is one of the relation's; deforming does not detoast.
    unsafe {
        if (*row.0).tts_nvalid < attnum {
            native::slot_getsomeattrs_int(row.0, i32::from(attnum));
        }
        let position = attnum as usize - 1;
        (!*(*row.0).tts_isnull.add(position)).then(|| *(*row.0).tts_values.add(position))
    }
}

/// Both values are the same bytes as stored (a TOAST pointer included).
fn same_toast_pointer(a: Datum, b: Datum) -> bool {
    // SAFETY: varlenas; VARSIZE_ANY knows external pointers too.
    unsafe {
        let (a, b) = (
            a.cast_mut_ptr::<pg_sys::varlena>(),
            b.cast_mut_ptr::<pg_sys::varlena>(),
        );
        let (size_a, size_b) = (pgrx::varsize_any(a), pgrx::varsize_any(b));
        size_a == size_b
            && std::slice::from_raw_parts(a.cast::<u8>(), size_a)
                == std::slice::from_raw_parts(b.cast::<u8>(), size_b)
    }
}

/// A column that says when a row was made, and the moment from which on rows count.
#[derive(Clone, Copy, Debug)]
pub struct Since {
    attnum: i16,
    /// In the column's own unit.
    from: i64,
}

impl Since {
    /// `from` in microseconds since 2000-01-01 UTC. `None` for a column of another type than
    /// timestamptz, timestamp (taken as UTC) or bigint (milliseconds since 1970).
    pub fn new(column: &catalog::Column, from: i64) -> Option<Self> {
        /// From 1970-01-01 to 2000-01-01.
        const EPOCHS_APART_MS: i64 = 946_684_800_000;
        let from = match column.base_type {
            pg_sys::TIMESTAMPTZOID | pg_sys::TIMESTAMPOID => from,
            pg_sys::INT8OID => from / 1_000 + EPOCHS_APART_MS,
            _ => return None,
        };
        Some(Self {
            attnum: column.attnum,
            from,
        })
    }
}

/// Whether the row was made at that moment or later. NULL is no moment: such a row counts.
pub fn is_since(row: RowSlot, since: Since, plain: PlainFrame) -> bool {
    value(row, since.attnum, plain).is_none_or(|datum| datum.value() as i64 >= since.from)
}

/// How a column of this type is read, or why it cannot be.
pub fn reader_of(base_type: Oid, form: Option<&str>) -> Result<Reader, Unreadable> {
    let builtin = [
        (pg_sys::TEXTOID, Reader::Text),
        (pg_sys::VARCHAROID, Reader::Text),
        (pg_sys::BPCHAROID, Reader::TrimmedText),
        (pg_sys::NAMEOID, Reader::Name),
        (pg_sys::INT2OID, Reader::Int2),
        (pg_sys::INT4OID, Reader::Int4),
        (pg_sys::INT8OID, Reader::Int8),
        (pg_sys::BOOLOID, Reader::Bool),
        (pg_sys::UUIDOID, Reader::Uuid),
        (pg_sys::JSONOID, Reader::Json),
        (pg_sys::JSONBOID, Reader::Jsonb),
    ];
    if base_type == pg_sys::BYTEAOID {
        return match form {
            Some("hex") => Ok(Reader::ByteaHex),
            Some("utf8") => Ok(Reader::ByteaUtf8),
            Some(_) => Err(Unreadable::Form),
            None => Err(Unreadable::NeedsForm),
        };
    }
    if form.is_some() {
        return Err(Unreadable::Form);
    }
    if let Some((_, reader)) = builtin.into_iter().find(|(oid, _)| *oid == base_type) {
        return Ok(reader);
    }
    if catalog::is_enum(base_type) {
        Ok(Reader::Enum)
    } else {
        Err(Unreadable::Type)
    }
}

/// Why a column cannot be guarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Its text depends on settings, or has no canonical form.
    Type,
    /// A bytea whose meaning was not said.
    NeedsForm,
    /// A form where none belongs, or an unknown one.
    Form,
}
