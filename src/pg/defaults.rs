//! Columns that a table fills by itself.

use super::{catalog, native};
use pgrx::pg_sys::{self, Oid};

/// The columns to which `relation` gives another value for each row that does not name them: identities, and defaults such
/// as a serial number or a time. Locks the relation for reading.
pub fn changing(relation: Oid) -> Vec<String> {
    // SAFETY: an existing relation, opened under a lock; its constraints live in the relcache while it is open.
    unsafe {
        let rel = pg_sys::relation_open(relation, pg_sys::AccessShareLock as i32);
        let desc = (*rel).rd_att;
        let changing = (1..=(*desc).natts)
            .map(|attnum| catalog::attribute(desc, attnum))
            .filter(|attribute| !attribute.attisdropped)
            .filter(|attribute| {
                attribute.attidentity != 0
                    || attribute.atthasdef
                        && attribute.attgenerated == 0
                        && is_mutable(default_of(desc, attribute.attnum))
            })
            .map(|attribute| catalog::owned(attribute.attname.data.as_ptr()))
            .collect();
        pg_sys::relation_close(rel, pg_sys::AccessShareLock as i32);
        changing
    }
}

/// The column's default as PostgreSQL keeps it; NULL when there is none.
///
/// # Safety
///
/// `desc` belongs to an open relation.
unsafe fn default_of(desc: pg_sys::TupleDesc, attnum: i16) -> *const std::ffi::c_char {
    // SAFETY: `constr` is NULL or has `num_defval` defaults.
    unsafe {
        let constraints = (*desc).constr;
        if constraints.is_null() {
            return std::ptr::null();
        }
        (0..usize::from((*constraints).num_defval))
            .map(|i| &*(*constraints).defval.add(i))
            .find(|default| default.adnum == attnum)
            .map_or(std::ptr::null(), |default| default.adbin)
    }
}

/// # Safety
///
/// `expression` is NULL or a node's text.
unsafe fn is_mutable(expression: *const std::ffi::c_char) -> bool {
    // SAFETY: a walker over a node tree that was just made.
    unsafe {
        !expression.is_null()
            && pg_sys::contain_mutable_functions(native::stringToNode(expression).cast())
    }
}
