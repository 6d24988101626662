//! The door between PostgreSQL's function manager and Rust.
//!
//! An entry point runs in a *plain* frame: one with nothing to drop, through which PostgreSQL may `longjmp`.
//! From there it takes turns: C that may raise is called bare ([`super::native`]); Rust that allocates or
//! may panic runs inside [`Plain::step`], and hands back something `Copy`, or a [`Report`] to raise.

use super::event::Event;
use super::native;
use super::span::Span;
use super::trigger::Fired;
use crate::report::Report;
use pgrx::pg_sys::{self, Datum};
use std::ffi::{CString, c_char, c_int};

/// Witness that the calling frames hold nothing to drop, so that PostgreSQL may jump out of them.
///
/// Only an entry point makes one. A function that takes a `Plain` may raise by `longjmp`; its caller must
/// hold only `Copy` values, or have the call inside a frame of its own.
#[derive(Clone, Copy)]
pub struct Plain(());

/// A [`Report`] copied to palloc'ed memory: survives the Rust frame that made it.
#[derive(Clone, Copy)]
struct RawReport {
    sqlstate: c_int,
    message: *const c_char,
    detail: *const c_char,
    hint: *const c_char,
    schema: *const c_char,
    table: *const c_char,
    constraint: *const c_char,
}

#[derive(Clone, Copy)]
enum Turn<T: Copy> {
    Done(T),
    Raise(RawReport),
}

impl Plain {
    /// Runs Rust that may allocate, panic, or call pgrx. An `Err` becomes an ERROR with every field of it;
    /// a panic becomes an internal error without backtrace.
    pub fn step<T: Copy>(self, f: impl FnOnce() -> Result<T, Report>) -> T {
        // SAFETY: this frame and its callers are plain (that is what `self` witnesses), so the guard may raise.
        let turn = unsafe {
            pg_sys::submodules::panic::pgrx_extern_c_guard(|| match f() {
                Ok(value) => Turn::Done(value),
                Err(report) => Turn::Raise(RawReport::copy(&report)),
            })
        };
        match turn {
            Turn::Done(value) => value,
            Turn::Raise(raw) => raw.raise(),
        }
    }

    /// One line to the server log and nowhere else: never to the client, whatever its client_min_messages.
    pub fn log_server_only(self, line: Span) {
        // SAFETY: `line` ends with NUL (see `Span::copy`), the format is constant, frames are plain.
        unsafe {
            if native::errstart(pg_sys::LOG_SERVER_ONLY as c_int, std::ptr::null()) {
                native::errmsg_internal(c"%s".as_ptr(), line.as_c_str());
                // The statement may carry the message's body.
                native::errhidestmt(true);
                native::errfinish(c"pg_verdict".as_ptr(), 0, std::ptr::null());
            }
        }
    }
}

/// Raises from a frame that has something to drop: pgrx catches the error and raises it again when all is dropped.
///
/// Not through pgrx's own report, which would name our source file and line to a verbose client.
pub(super) fn raise_through_pgrx(report: Report) -> ! {
    let raw = RawReport::copy(&report);
    drop(report);
    // SAFETY: the closure's frame holds `Copy` values only.
    unsafe { pg_sys::ffi::pg_guard_ffi_boundary(|| raw.raise()) }
}

/// Rust that a callback of PostgreSQL's runs. An `Err` becomes an ERROR.
pub(super) fn callback(f: fn() -> Result<(), Report>) {
    Plain(()).step(f);
}

/// As [`callback`], about one object.
pub(super) fn callback_about<T: Copy>(object: T, f: fn(T) -> Result<(), Report>) {
    Plain(()).step(|| f(object));
}

/// Plain code from within a step or a `#[pg_extern]`. `f` holds `Copy` values only. What it raises goes on through pgrx:
/// with SQLSTATE, message, DETAIL and HINT, but without CONTEXT.
pub fn guarded<T: Copy>(f: impl FnOnce(Plain) -> T) -> T {
    // SAFETY: the boundary catches a longjmp in this frame; f's frames are plain.
    unsafe { pg_sys::ffi::pg_guard_ffi_boundary(|| f(Plain(()))) }
}

/// A NOTICE to the client, or a LOG line, from a step or a `#[pg_extern]`.
pub fn say(level: pgrx::PgLogLevel, text: &str) {
    let text = copy_text(text);
    // SAFETY: NUL-terminated, constant format; below ERROR, so that errfinish returns (57014 may jump: guarded).
    unsafe {
        pg_sys::ffi::pg_guard_ffi_boundary(|| {
            if native::errstart(level as c_int, std::ptr::null()) {
                native::errmsg_internal(c"%s".as_ptr(), text);
                // The statement may carry a message's body.
                native::errhidestmt(true);
                native::errfinish(c"pg_verdict".as_ptr(), 0, std::ptr::null());
            }
        });
    }
}

impl RawReport {
    fn copy(report: &Report) -> Self {
        let optional = |text: &Option<String>| text.as_deref().map_or(std::ptr::null(), copy_text);
        let about = report.about.as_deref().cloned().unwrap_or_default();
        Self {
            sqlstate: encode_sqlstate(report.state.as_str()),
            message: copy_text(&report.message),
            detail: optional(&report.detail),
            hint: optional(&report.hint),
            schema: optional(&about.schema),
            table: optional(&about.table),
            constraint: optional(&about.constraint),
        }
    }

    fn raise(self) -> ! {
        const NAMES: [c_int; 3] = [b's' as c_int, b't' as c_int, b'n' as c_int];
        // SAFETY: all pointers are NULL or NUL-terminated palloc'ed text; the formats are constants; the caller's
        // frames are plain. ERROR makes errstart return true and errfinish not return.
        unsafe {
            native::errstart(pgrx::PgLogLevel::ERROR as c_int, std::ptr::null());
            native::errcode(self.sqlstate);
            native::errmsg_internal(c"%s".as_ptr(), self.message);
            if !self.detail.is_null() {
                native::errdetail_internal(c"%s".as_ptr(), self.detail);
            }
            if !self.hint.is_null() {
                native::errhint(c"%s".as_ptr(), self.hint);
            }
            for (field, value) in NAMES
                .into_iter()
                .zip([self.schema, self.table, self.constraint])
            {
                if !value.is_null() {
                    native::err_generic_string(field, value);
                }
            }
            native::errfinish(c"pg_verdict".as_ptr(), 0, std::ptr::null());
        }
        unreachable!("errfinish(ERROR) does not return")
    }
}

/// NUL-terminated copy in the current memory context; bytes after a NUL (there are none in a text of
/// PostgreSQL's) are cut off.
fn copy_text(text: &str) -> *const c_char {
    let clean = text.split('\0').next().unwrap_or_default();
    let c = CString::new(clean).unwrap_or_default();
    // SAFETY: `c` is NUL-terminated; pstrdup copies it.
    unsafe { pg_sys::pstrdup(c.as_ptr()) }
}

/// PostgreSQL packs five characters into an int, six bits each (`MAKE_SQLSTATE`).
pub fn encode_sqlstate(state: &str) -> c_int {
    state.bytes().rev().fold(0, |code, byte| {
        (code << 6) | c_int::from((byte - b'0') & 0x3F)
    })
}

/// The arguments of one call.
#[derive(Clone, Copy)]
pub struct Call(pg_sys::FunctionCallInfo);

impl Call {
    /// Argument `n`, or `None` for NULL and for an argument that this version of the SQL does not pass.
    pub fn datum(self, n: usize) -> Option<Datum> {
        // SAFETY: fcinfo is valid during the call and holds `nargs` arguments.
        unsafe {
            if n >= usize::from((*self.0).nargs as u16) {
                return None;
            }
            let arg = (*self.0).args.as_slice((*self.0).nargs as usize)[n];
            (!arg.isnull).then_some(arg.value)
        }
    }

    /// Argument `n` as the bytes of a text or bytea.
    pub fn bytes(self, n: usize, plain: Plain) -> Option<Span> {
        self.datum(n).map(|datum| Span::of_varlena(datum, plain))
    }

    /// Argument `n` as an int4.
    pub fn int4(self, n: usize) -> Option<i32> {
        self.datum(n).map(|datum| datum.value() as i32)
    }

    /// Argument `n` as an int8.
    pub fn int8(self, n: usize) -> Option<i64> {
        self.datum(n).map(|datum| datum.value() as i64)
    }

    /// Argument `n` as a boolean.
    pub fn boolean(self, n: usize) -> Option<bool> {
        self.datum(n).map(|datum| datum.value() as u8 != 0)
    }

    /// The type of argument `n`, of a polymorphic function.
    pub fn type_of(self, n: i16, _plain: Plain) -> Option<pg_sys::Oid> {
        // SAFETY: fcinfo is valid during the call; frames are plain.
        let oid = unsafe { native::get_fn_expr_argtype((*self.0).flinfo, c_int::from(n)) };
        (oid != pg_sys::InvalidOid).then_some(oid)
    }

    /// NULL as the result.
    pub fn null(self) -> Datum {
        // SAFETY: fcinfo is valid during the call.
        unsafe { (*self.0).isnull = true };
        Datum::null()
    }

    /// Argument `n` as an OID.
    pub fn oid(self, n: usize) -> Option<pg_sys::Oid> {
        self.datum(n)
            .map(|datum| pg_sys::Oid::from(datum.value() as u32))
    }

    /// Argument `n`, a jsonb, as text.
    pub fn json(self, n: usize, plain: Plain) -> Option<Span> {
        self.datum(n)
            .map(|datum| super::columns::jsonb_text(datum, plain))
    }

    /// Argument `n`, an interval.
    pub fn interval(self, n: usize) -> Option<pg_sys::Interval> {
        // SAFETY: the SQL type is interval: a pointer to 16 bytes, copied out.
        self.datum(n)
            .map(|datum| unsafe { *datum.cast_mut_ptr::<pg_sys::Interval>() })
    }

    /// The trigger's data, or `None` when the function was not called as a trigger.
    pub fn trigger(self) -> Option<Fired> {
        // SAFETY: context is NULL or a node.
        unsafe {
            let context = (*self.0).context;
            (!context.is_null() && (*context).type_ == pg_sys::NodeTag::T_TriggerData)
                .then(|| Fired::new(context.cast()))
        }
    }

    /// The event, or `None` when the function was not called as an event trigger.
    pub fn event(self) -> Option<Event> {
        // SAFETY: context is NULL or a node.
        unsafe {
            let context = (*self.0).context;
            (!context.is_null() && (*context).type_ == pg_sys::NodeTag::T_EventTriggerData)
                .then(|| Event::new(context.cast()))
        }
    }

    /// A composite result, in the order of the function's OUT columns.
    pub fn row<const N: usize>(self, cells: [Option<Datum>; N], _plain: Plain) -> Datum {
        let mut values = [Datum::null(); N];
        let mut nulls = [true; N];
        for (i, cell) in cells.into_iter().enumerate() {
            if let Some(value) = cell {
                (values[i], nulls[i]) = (value, false);
            }
        }
        // SAFETY: the SQL declares N OUT columns of the cells' types (tests/golden calls every function).
        unsafe {
            let mut desc = std::ptr::null_mut();
            native::get_call_result_type(self.0, std::ptr::null_mut(), &mut desc);
            let desc = native::BlessTupleDesc(desc);
            let tuple = native::heap_form_tuple(desc, values.as_ptr(), nulls.as_ptr());
            native::HeapTupleHeaderGetDatum((*tuple).t_data)
        }
    }
}

/// What an exported symbol of [`crate::entry`] does.
///
/// # Safety
///
/// Called by PostgreSQL's function manager only, with its own argument, from a frame that holds nothing to drop.
pub unsafe fn enter(fcinfo: pg_sys::FunctionCallInfo, body: fn(Call, Plain) -> Datum) -> Datum {
    body(Call(fcinfo), Plain(()))
}
