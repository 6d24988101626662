//! Attempts that may fail without failing the rest: each in a savepoint of its own.

use super::entry::{Plain, guarded};
use pgrx::PgTryBuilder;
use pgrx::pg_sys::{self, panic::CaughtError};
use std::panic::AssertUnwindSafe;

/// Runs plain code in a savepoint. What it raises rolls the savepoint back and becomes the message in `Err`; a cancelled
/// statement and a server that shuts down go on, without the savepoint: PostgreSQL would take one that is left open for the
/// client's, and wait for its ROLLBACK TO.
pub fn attempt<T: Copy>(f: impl FnOnce(Plain) -> T) -> Result<T, String> {
    // SAFETY: begin, release and rollback in pairs; memory context and resource owner are put back as PL/pgSQL does.
    unsafe {
        let context = pg_sys::CurrentMemoryContext;
        let owner = pg_sys::CurrentResourceOwner;
        pg_sys::BeginInternalSubTransaction(std::ptr::null());
        pg_sys::MemoryContextSwitchTo(context);
        let outcome = PgTryBuilder::new(AssertUnwindSafe(|| {
            let value = guarded(f);
            pg_sys::ReleaseCurrentSubTransaction();
            Ok(value)
        }))
        .catch_others(|error| match error {
            CaughtError::PostgresError(report) if !ends_statement(&report) => {
                pg_sys::RollbackAndReleaseCurrentSubTransaction();
                Err(match report.detail() {
                    Some(detail) => format!("{} ({detail})", report.message()),
                    None => report.message().to_owned(),
                })
            }
            other => {
                pg_sys::RollbackAndReleaseCurrentSubTransaction();
                pg_sys::MemoryContextSwitchTo(context);
                pg_sys::CurrentResourceOwner = owner;
                other.rethrow()
            }
        })
        .execute();
        pg_sys::MemoryContextSwitchTo(context);
        pg_sys::CurrentResourceOwner = owner;
        outcome
    }
}

fn ends_statement(report: &pg_sys::panic::ErrorReportWithLevel) -> bool {
    use pgrx::PgSqlErrorCode as Code;
    matches!(
        report.sql_error_code(),
        Code::ERRCODE_QUERY_CANCELED
            | Code::ERRCODE_ADMIN_SHUTDOWN
            | Code::ERRCODE_CRASH_SHUTDOWN
            | Code::ERRCODE_T_R_SERIALIZATION_FAILURE
            | Code::ERRCODE_T_R_DEADLOCK_DETECTED
    )
}
