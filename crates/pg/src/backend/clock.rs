//! Time, the order of verdicts, and the transaction's own state.

use super::test_hooks;
use crate::frame::native;
use crate::frame::plain::PlainFrame;
use crate::report::{Report, SqlState};
use pgrx::datum::TimestampWithTimeZone;
use pgrx::pg_sys::{self, Datum, Interval, Oid};
use pgrx::{FromDatum, IntoDatum};

/// The clock now (not the transaction's start), in microseconds since 2000-01-01 UTC.
pub fn now(_plain: PlainFrame) -> i64 {
    // SAFETY: reads the clock.
    unsafe { native::GetCurrentTimestamp() + test_hooks::clock_ahead() }
}

/// As [`now`], from a step.
pub fn current() -> i64 {
    // SAFETY: reads the clock.
    unsafe { pg_sys::GetCurrentTimestamp() + test_hooks::clock_ahead() }
}

/// When this transaction began, in microseconds since 2000-01-01 UTC.
pub fn transaction_start() -> i64 {
    // SAFETY: reads backend state.
    unsafe { pg_sys::GetCurrentTransactionStartTimestamp() }
}

/// The next value of one of our sequences, from a step.
///
/// # Errors
///
/// Undefined object when the extension's SQL is not installed.
pub fn own_next_id(sequence: &str) -> Result<i64, Report> {
    let sequence = crate::catalogs::catalog::own_relation(sequence)?;
    Ok(crate::frame::plain::catching_longjmp(|plain| {
        next_id(sequence, plain)
    }))
}

/// `moment + interval`, with days of 24 hours in UTC, whatever the session's TimeZone. Raises 22008
/// when that is out of range.
pub fn after(moment: i64, interval: Interval, _plain: PlainFrame) -> i64 {
    let mut interval = interval;
    // SAFETY: the function takes a timestamp and a pointer to an interval; a timestamptz is a
    // timestamp in UTC.
    unsafe {
        native::DirectFunctionCall2Coll(
            Some(native::timestamp_pl_interval),
            pg_sys::InvalidOid,
            Datum::from(moment),
            Datum::from(&raw mut interval),
        )
        .value() as i64
    }
}

/// The next verdict id of `sequence`.
pub fn next_id(sequence: Oid, _plain: PlainFrame) -> i64 {
    // SAFETY: an existing sequence; no permission check, since recording is the gate.
    unsafe { native::nextval_internal(sequence, false) }
}

/// Makes what this command wrote visible to what comes next in the same statement.
pub fn end_of_command(_plain: PlainFrame) {
    // SAFETY: not in parallel mode (the functions are PARALLEL UNSAFE).
    unsafe { native::CommandCounterIncrement() }
}

/// Refuses to write in a read-only transaction, on a standby, or in a parallel worker.
pub fn prevent_if_read_only(_plain: PlainFrame) {
    // SAFETY: NUL-terminated constant.
    unsafe {
        native::PreventCommandIfReadOnly(c"verdict recording".as_ptr());
        native::PreventCommandIfParallelMode(c"verdict recording".as_ptr());
    }
}

/// A timestamptz in microseconds since 2000-01-01 UTC.
pub fn micros(moment: TimestampWithTimeZone) -> i64 {
    moment.into_datum().map_or(0, |datum| datum.value() as i64)
}

/// A timestamptz for SQL.
pub fn timestamp(micros: i64) -> TimestampWithTimeZone {
    // SAFETY: every i64 is a timestamptz datum; not NULL, so the result is there.
    let value = unsafe { TimestampWithTimeZone::from_datum(Datum::from(micros), false) };
    value.unwrap_or_else(TimestampWithTimeZone::positive_infinity)
}

/// Year, month and day of a Julian day number.
pub fn julian_to_date(julian: i32) -> (i32, i32, i32) {
    let (mut year, mut month, mut day) = (0, 0, 0);
    // SAFETY: plain arithmetic; writes three ints.
    unsafe { pg_sys::j2date(julian, &mut year, &mut month, &mut day) };
    (year, month, day)
}

/// An interval for SQL.
///
/// # Errors
///
/// 22023 for one that pgrx cannot hold.
pub fn interval(raw: Interval) -> Result<pgrx::datum::Interval, Report> {
    pgrx::datum::Interval::new(raw.month, raw.day, raw.time).map_err(|error| {
        Report::new(
            SqlState::InvalidParameter,
            format!("argument \"valid_for\": {error}"),
        )
    })
}
