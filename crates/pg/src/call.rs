//! One call of a function of ours: its arguments and its result.

use crate::frame::native;
use crate::frame::plain::PlainFrame;
use crate::frame::span::Span;
use crate::row::ddl_event::DdlEvent;
use crate::row::trigger::Fired;
use pgrx::pg_sys::{self, Datum};
use std::ffi::c_int;

/// What an exported symbol of [`crate::entry`] does.
///
/// # Safety
///
/// Called by PostgreSQL's function manager only, with its own argument, from a frame that holds
/// nothing to drop.
pub unsafe fn enter(
    fcinfo: pg_sys::FunctionCallInfo,
    body: fn(Call, PlainFrame) -> Datum,
) -> Datum {
    body(Call(fcinfo), PlainFrame(()))
}

/// The arguments of one call.
#[derive(Clone, Copy)]
pub struct Call(pg_sys::FunctionCallInfo);

impl Call {
    /// Argument `n`, or `None` for NULL and for an argument that this version of the SQL does not
    /// pass.
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
    pub fn bytes(self, n: usize, plain: PlainFrame) -> Option<Span> {
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
    pub fn type_of(self, n: i16, _plain: PlainFrame) -> Option<pg_sys::Oid> {
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
    pub fn json(self, n: usize, plain: PlainFrame) -> Option<Span> {
        self.datum(n)
            .map(|datum| crate::row::columns::jsonb_text(datum, plain))
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
    pub fn event(self) -> Option<DdlEvent> {
        // SAFETY: context is NULL or a node.
        unsafe {
            let context = (*self.0).context;
            (!context.is_null() && (*context).type_ == pg_sys::NodeTag::T_EventTriggerData)
                .then(|| DdlEvent::new(context.cast()))
        }
    }

    /// A composite result, in the order of the function's OUT columns.
    pub fn row<const N: usize>(self, cells: [Option<Datum>; N], _plain: PlainFrame) -> Datum {
        let mut values = [Datum::null(); N];
        let mut nulls = [true; N];
        for (i, cell) in cells.into_iter().enumerate() {
            if let Some(value) = cell {
                (values[i], nulls[i]) = (value, false);
            }
        }
        // SAFETY: the SQL declares N OUT columns of the cells' types (tests/golden calls every
        // function).
        unsafe {
            let mut desc = std::ptr::null_mut();
            native::get_call_result_type(self.0, std::ptr::null_mut(), &mut desc);
            let desc = native::BlessTupleDesc(desc);
            let tuple = native::heap_form_tuple(desc, values.as_ptr(), nulls.as_ptr());
            native::HeapTupleHeaderGetDatum((*tuple).t_data)
        }
    }
}

/// Exports functions by the symbols that `sql/` names. Here, because an exported symbol is unsafe
/// code.
#[macro_export]
macro_rules! natives {
    ($($symbol:ident, $finfo:ident => $body:path;)*) => {$(
        #[doc(hidden)]
        #[unsafe(no_mangle)]
        pub extern "C" fn $finfo() -> &'static $crate::pgrx::pg_sys::Pg_finfo_record {
            const INFO: $crate::pgrx::pg_sys::Pg_finfo_record = $crate::pgrx::pg_sys::Pg_finfo_record { api_version: 1 };
            &INFO
        }

        /// # Safety
        ///
        /// Called by PostgreSQL's function manager only.
        #[doc(hidden)]
        #[unsafe(no_mangle)]
        pub unsafe extern "C-unwind" fn $symbol(fcinfo: $crate::pgrx::pg_sys::FunctionCallInfo) -> $crate::pgrx::pg_sys::Datum {
            // SAFETY: the function manager's own argument, and a frame with nothing to drop.
            unsafe { $crate::call::enter(fcinfo, $body) }
        }
    )*};
}
