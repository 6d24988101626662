//! Attempts that may fail without failing the rest: each in a savepoint of its own.

use super::plain::{PlainFrame, catching_longjmp};
use pgrx::PgSqlErrorCode as Code;
use pgrx::PgTryBuilder;
use pgrx::pg_sys::{self, panic::CaughtError};
use std::panic::AssertUnwindSafe;

/// What an attempt was ended by.
#[derive(Clone, Debug)]
pub struct Failure {
    pub message: String,
    pub detail: Option<String>,
    /// The SQLSTATE; one that pgrx does not know (ours) reads as an internal error.
    pub code: Code,
}

impl Failure {
    /// 42501.
    pub fn is_about_rights(&self) -> bool {
        self.code == Code::ERRCODE_INSUFFICIENT_PRIVILEGE
    }

    /// 0A000, 2BP01 or 42P13: PostgreSQL does not do that to a table that a trigger needs as it is.
    pub fn is_about_dependencies(&self) -> bool {
        matches!(
            self.code,
            Code::ERRCODE_FEATURE_NOT_SUPPORTED
                | Code::ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST
                | Code::ERRCODE_INVALID_FUNCTION_DEFINITION
        )
    }

    /// 55P03.
    pub fn is_lock_timeout(&self) -> bool {
        self.code == Code::ERRCODE_LOCK_NOT_AVAILABLE
    }

    /// 53200, which a full lock table says too.
    pub fn is_out_of_locks(&self) -> bool {
        self.code == Code::ERRCODE_OUT_OF_MEMORY
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.detail {
            Some(detail) => write!(f, "{} ({detail})", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// Runs plain code in a savepoint. What it raises rolls the savepoint back and becomes an `Err`; a
/// cancelled statement, a deadlock and a server that shuts down go on, without the savepoint:
/// PostgreSQL would take one that is left open for the client's, and wait for its ROLLBACK TO.
pub fn attempt<T: Copy>(f: impl FnOnce(PlainFrame) -> T) -> Result<T, Failure> {
    run(|| catching_longjmp(f), true)
}

/// As [`attempt`], for code that is not plain; the savepoint is rolled back in any case.
pub fn trial<T>(f: impl FnOnce() -> T) -> Result<T, Failure> {
    run(f, false)
}

fn run<T>(f: impl FnOnce() -> T, keep: bool) -> Result<T, Failure> {
    // SAFETY: begin, release and rollback in pairs; memory context and resource owner are put back
    // as PL/pgSQL does.
    unsafe {
        let context = pg_sys::CurrentMemoryContext;
        let owner = pg_sys::CurrentResourceOwner;
        pg_sys::BeginInternalSubTransaction(std::ptr::null());
        pg_sys::MemoryContextSwitchTo(context);
        let outcome = PgTryBuilder::new(AssertUnwindSafe(|| {
            let value = f();
            if keep {
                pg_sys::ReleaseCurrentSubTransaction();
            } else {
                pg_sys::RollbackAndReleaseCurrentSubTransaction();
            }
            Ok(value)
        }))
        .catch_others(|error| match error {
            CaughtError::PostgresError(report) if !ends_statement(report.sql_error_code()) => {
                pg_sys::RollbackAndReleaseCurrentSubTransaction();
                Err(Failure {
                    message: report.message().to_owned(),
                    detail: report.detail().map(str::to_owned),
                    code: report.sql_error_code(),
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

/// Whether an error with this code says that a value or text is wrong. Any other (a cancel, a
/// deadlock, a lock that was not to be had, memory, the disk) would have come with the right one,
/// too, and must not be turned into anything else.
pub fn is_of_the_value(code: Code) -> bool {
    !ends_statement(code)
        && !matches!(
            code,
            Code::ERRCODE_LOCK_NOT_AVAILABLE
                | Code::ERRCODE_OUT_OF_MEMORY
                | Code::ERRCODE_INSUFFICIENT_RESOURCES
                | Code::ERRCODE_DISK_FULL
                | Code::ERRCODE_IO_ERROR
                | Code::ERRCODE_SYSTEM_ERROR
                | Code::ERRCODE_INTERNAL_ERROR
                | Code::ERRCODE_DATA_CORRUPTED
                | Code::ERRCODE_INDEX_CORRUPTED
        )
}

fn ends_statement(code: Code) -> bool {
    matches!(
        code,
        Code::ERRCODE_QUERY_CANCELED
            | Code::ERRCODE_ADMIN_SHUTDOWN
            | Code::ERRCODE_CRASH_SHUTDOWN
            | Code::ERRCODE_T_R_SERIALIZATION_FAILURE
            | Code::ERRCODE_T_R_DEADLOCK_DETECTED
    )
}
