//! Columns that a table fills by itself.

use super::catalog;
use super::expression::{self, Problem};
use crate::frame::native;
use crate::frame::plain::catching_longjmp;
use crate::frame::text;
use pgrx::pg_sys::{self, Datum, Oid};
use std::ffi::{c_char, c_void};

/// The columns to which `relation` gives another value for each row that does not name them:
/// identities, and defaults such as a serial number or a time. Locks the relation for reading.
pub fn changing(relation: Oid) -> Vec<String> {
    // SAFETY: an existing relation, opened under a lock; its constraints live in the relcache while
    // it is open.
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
                        && is_changing(default_of(desc, attribute.attnum))
            })
            .map(|attribute| text::owned(attribute.attname.data.as_ptr()))
            .collect();
        pg_sys::relation_close(rel, pg_sys::AccessShareLock as i32);
        changing
    }
}

/// Why what this stored generated column gets cannot be relied on: what a guard sees there must not
/// be changed by whoever can replace a function. `None` for a column that is not generated, or by
/// built-in and reviewed functions only.
pub fn generation_problem(relation: Oid, attnum: i16) -> Option<Problem> {
    // SAFETY: an existing relation, opened under a lock; its constraints live in the relcache while
    // it is open.
    unsafe {
        let rel = pg_sys::relation_open(relation, pg_sys::AccessShareLock as i32);
        let desc = (*rel).rd_att;
        let stored = catalog::attribute(desc, i32::from(attnum)).attgenerated == STORED;
        let expression = default_of(desc, attnum);
        let uses = (stored && !expression.is_null()).then(|| {
            catching_longjmp(|plain| {
                expression::uses(native::stringToNode(expression).cast(), plain)
            })
        });
        let problem = uses.and_then(|uses| uses.problem());
        pg_sys::relation_close(rel, pg_sys::AccessShareLock as i32);
        problem
    }
}

/// `attgenerated` of a column whose value is stored.
const STORED: c_char = b's' as c_char;

/// The column's default as PostgreSQL keeps it; NULL when there is none.
///
/// # Safety
///
/// `desc` belongs to an open relation.
unsafe fn default_of(desc: pg_sys::TupleDesc, attnum: i16) -> *const c_char {
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

/// Whether the default gives another value each time: it is volatile, as a sequence's next value
/// is, or asks what time or which transaction it is. Other functions that are not immutable
/// (`current_user`, `current_setting`) may well give every row the same.
///
/// # Safety
///
/// `expression` is NULL or a node's text.
unsafe fn is_changing(expression: *const c_char) -> bool {
    if expression.is_null() {
        return false;
    }
    // One boundary at the root: nothing of Rust's is alive below it.
    catching_longjmp(|_plain| {
        // SAFETY: walkers over a node tree that was just made; frames are plain.
        unsafe {
            let expression = native::stringToNode(expression).cast::<pg_sys::Node>();
            native::contain_volatile_functions(expression)
                || asks_time(expression, std::ptr::null_mut())
        }
    })
}

/// # Safety
///
/// `node` is NULL or a node of an expression tree.
unsafe extern "C-unwind" fn asks_time(node: *mut pg_sys::Node, context: *mut c_void) -> bool {
    if node.is_null() {
        return false;
    }
    // SAFETY: the tag tells the node's type.
    unsafe {
        let asks = match (*node).type_ {
            pg_sys::NodeTag::T_FuncExpr => {
                let function = (*node.cast::<pg_sys::FuncExpr>()).funcid.to_u32();
                [
                    pg_sys::F_NOW,
                    pg_sys::F_TRANSACTION_TIMESTAMP,
                    pg_sys::F_STATEMENT_TIMESTAMP,
                    pg_sys::F_TXID_CURRENT,
                    pg_sys::F_PG_CURRENT_XACT_ID,
                ]
                .contains(&function)
            }
            pg_sys::NodeTag::T_SQLValueFunction => {
                use pg_sys::SQLValueFunctionOp::{SVFOP_CURRENT_DATE, SVFOP_LOCALTIMESTAMP_N};
                let op = (*node.cast::<pg_sys::SQLValueFunction>()).op;
                (SVFOP_CURRENT_DATE..=SVFOP_LOCALTIMESTAMP_N).contains(&op)
            }
            // What CURRENT_DATE and the like were in dumps of PostgreSQL 9.6 and older.
            pg_sys::NodeTag::T_Const => {
                let constant = &*node.cast::<pg_sys::Const>();
                constant.consttype == pg_sys::TEXTOID
                    && !constant.constisnull
                    && is_now(constant.constvalue)
            }
            _ => false,
        };
        asks || native::walk_expression(node, asks_time, context)
    }
}

/// # Safety
///
/// A text datum in memory: constants are not toasted.
unsafe fn is_now(text: Datum) -> bool {
    // SAFETY: see above.
    unsafe {
        let text = text.cast_mut_ptr::<pg_sys::varlena>();
        let bytes = std::slice::from_raw_parts(
            pgrx::vardata_any(text).cast::<u8>(),
            pgrx::varsize_any_exhdr(text),
        );
        bytes == b"now"
    }
}
