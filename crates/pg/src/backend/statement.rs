//! A statement on a user's table: run as the table's owner, under SECURITY_RESTRICTED_OPERATION,
//! never as us.
//!
//! Natively, so that what the table's guards and constraints raise reaches the client whole.

use crate::frame::native;
use crate::frame::plain::PlainFrame;
use crate::frame::settings::{EXACT, set_locally};
use crate::frame::span::Span;
use pgrx::pg_sys::{self, Datum, Oid};
use std::ffi::{c_char, c_int};

/// A statement and its parameters in palloc'ed memory, `Copy`.
#[derive(Clone, Copy)]
pub struct Statement {
    text: Span,
    search_path: Span,
    count: c_int,
    types: *mut Oid,
    values: *mut Datum,
    nulls: *const c_char,
}

/// A parameter: its type and value.
pub type Parameter = (Oid, Option<Datum>);

impl Statement {
    /// Made inside a step. The table's own schema is in the search_path, for the table's triggers.
    pub fn new(text: &str, parameters: &[Parameter], schema: &str) -> Self {
        // SAFETY: arrays of `count` elements in the current memory context.
        unsafe {
            let count = parameters.len();
            let types = pg_sys::palloc(count.max(1) * std::mem::size_of::<Oid>()).cast::<Oid>();
            let values =
                pg_sys::palloc(count.max(1) * std::mem::size_of::<Datum>()).cast::<Datum>();
            let nulls = pg_sys::palloc(count + 1).cast::<c_char>();
            for (i, (oid, value)) in parameters.iter().enumerate() {
                *types.add(i) = *oid;
                *values.add(i) = value.unwrap_or(Datum::null());
                *nulls.add(i) = if value.is_none() { b'n' } else { b' ' } as c_char;
            }
            *nulls.add(count) = 0;
            let path = format!(
                "pg_catalog, {}, pg_temp",
                crate::catalogs::catalog::quote(schema)
            );
            Self {
                text: Span::copy(text.as_bytes()),
                search_path: Span::copy(path.as_bytes()),
                count: count as c_int,
                types,
                values,
                nulls,
            }
        }
    }

    /// Runs it as `role`; how many rows it has stored or changed. Raises what the statement raises.
    pub fn run_as(self, role: Oid, _plain: PlainFrame) -> u64 {
        // SAFETY: the pair Get/Set restores what it found, as does the GUC nest level; on ERROR
        // (sub)transaction abort restores both. SPI is connected and finished in this frame.
        unsafe {
            let (mut user, mut context) = (pg_sys::InvalidOid, 0);
            native::GetUserIdAndSecContext(&mut user, &mut context);
            let level = native::NewGUCNestLevel();
            for (name, value) in EXACT {
                set_locally(name.as_ptr(), value.as_ptr());
            }
            set_locally(c"search_path".as_ptr(), self.search_path.as_c_str());
            let restricted =
                pg_sys::SECURITY_LOCAL_USERID_CHANGE | pg_sys::SECURITY_RESTRICTED_OPERATION;
            native::SetUserIdAndSecContext(role, context | restricted as c_int);
            native::SPI_connect();
            native::SPI_execute_with_args(
                self.text.as_c_str(),
                self.count,
                self.types,
                self.values,
                self.nulls,
                false,
                0,
            );
            let rows = native::SPI_processed;
            native::SPI_finish();
            native::SetUserIdAndSecContext(user, context);
            native::AtEOXact_GUC(true, level);
            rows
        }
    }
}
