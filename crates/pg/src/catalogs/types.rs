//! Types and functions: their names, and whose code reads their values.

use crate::frame::text::{owned, plainly_quoted};
use pgrx::pg_sys::{self, Oid};
use std::ffi::c_char;

/// The type's name as PostgreSQL spells it.
pub fn type_name(oid: Oid) -> String {
    // SAFETY: palloc'ed text.
    plainly_quoted(|| unsafe { owned(pg_sys::format_type_be(oid)) })
}

/// The type's name, qualified where it is not PostgreSQL's own, with its modifier: `character(64)`.
///
/// The same in every major, which differ in whether they qualify, say, json.
pub fn type_name_with(oid: Oid, typmod: i32) -> String {
    let flags = pg_sys::FORMAT_TYPE_TYPEMOD_GIVEN | pg_sys::FORMAT_TYPE_FORCE_QUALIFY;
    // SAFETY: palloc'ed text.
    let name = plainly_quoted(|| unsafe {
        owned(pg_sys::format_type_extended(oid, typmod, flags as u16))
    });
    match name.strip_prefix("pg_catalog.") {
        Some(own) => own.to_owned(),
        None => name,
    }
}

/// A function as regprocedure writes it: `left(text,integer)`.
pub fn function_signature(oid: Oid) -> String {
    // SAFETY: palloc'ed text.
    plainly_quoted(|| unsafe { owned(pg_sys::format_procedure(oid)) })
}

/// The type below any domains and its modifier.
pub fn base_type_with(oid: Oid, typmod: i32) -> (Oid, i32) {
    let mut typmod = typmod;
    // SAFETY: an existing type; syscache look-ups.
    let base = unsafe { pg_sys::getBaseTypeAndTypmod(oid, &mut typmod) };
    (base, typmod)
}

/// Whether values of this type, which is no domain, are read from text by PostgreSQL's own code
/// alone: built-in types, enums, and arrays of such.
pub fn is_read_by_postgres(oid: Oid) -> bool {
    let element = element_type(oid);
    oid.to_u32() < pg_sys::FirstNormalObjectId || is_enum(oid) || is_enum(element)
}

/// Whether literals of this type, which is no domain, are read without running a user's code: what
/// [`is_read_by_postgres`] says, and base types, which only superusers make.
pub fn is_read_without_users_code(oid: Oid) -> bool {
    const BASE: c_char = b'b' as c_char;
    let element = element_type(oid);
    // SAFETY: syscache look-ups.
    is_read_by_postgres(oid) || unsafe { pg_sys::get_typtype(element) } == BASE
}

/// Whether pg_catalog has an operator = for values of this type, which is no domain: for all but
/// base types of extensions.
pub fn has_own_equality(oid: Oid) -> bool {
    const BASE: c_char = b'b' as c_char;
    let is_array = element_type(oid) != oid;
    // SAFETY: a syscache look-up.
    let is_base = unsafe { pg_sys::get_typtype(oid) } == BASE;
    oid.to_u32() < pg_sys::FirstNormalObjectId || is_array || !is_base
}

/// What an array consists of; for any other type, the type itself.
pub fn element_type(oid: Oid) -> Oid {
    // SAFETY: syscache look-ups.
    unsafe {
        let element = pg_sys::get_base_element_type(oid);
        if element == pg_sys::InvalidOid {
            oid
        } else {
            element
        }
    }
}

/// Whether the type is an enum.
pub fn is_enum(oid: Oid) -> bool {
    // SAFETY: a syscache look-up.
    unsafe { pg_sys::type_is_enum(oid) }
}

/// The relation whose row type this is, or `None` for any other type.
pub fn relation_of_row_type(oid: Oid) -> Option<Oid> {
    // SAFETY: syscache look-ups; get_typtype tells a type that is not there, which getBaseType
    // would not bear.
    let relation = unsafe {
        if pg_sys::get_typtype(oid) == 0 {
            return None;
        }
        pg_sys::get_typ_typrelid(pg_sys::getBaseType(oid))
    };
    (relation != pg_sys::InvalidOid).then_some(relation)
}
