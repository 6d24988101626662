//! Background workers that a session starts for work that needs a separate transaction.

use super::sql::or_raise;
use crate::frame::native;
use crate::report::Report;
use pgrx::bgworkers::{BackgroundWorker, BackgroundWorkerBuilder};
use pgrx::pg_sys;
use std::ffi::CStr;

/// Starts the worker with entry point `symbol` in this session's database and waits until it has
/// ended. Does nothing when no worker is free (`max_worker_processes` are running), or when the
/// server starts none (single-user mode, pg_upgrade).
pub fn run_in_this_database(symbol: &CStr, order: &str) {
    // SAFETY: set at start.
    let (database, pid, can_have) = unsafe {
        (
            pg_sys::MyDatabaseId.to_u32(),
            pg_sys::MyProcPid,
            pg_sys::IsUnderPostmaster && !pg_sys::IsBinaryUpgrade,
        )
    };
    if !can_have {
        return;
    }
    let started = BackgroundWorkerBuilder::new(&format!("pg_verdict for process {pid}"))
        .set_type("pg_verdict")
        .set_library("$libdir/pg_verdict")
        .set_function(&symbol.to_string_lossy())
        .set_extra(&format!("{database} {order}"))
        .set_notify_pid(pid)
        .enable_spi_access()
        .set_restart_time(None)
        .load_dynamic();
    if let Ok(worker) = started {
        // The caller checks afterwards whether the work is done, whatever happened.
        let _ = worker.wait_for_shutdown();
    }
}

/// Settings that a database or the bootstrap superuser may have changed. Under another isolation
/// level, the worker's transaction could make the recorder's transaction fail. The recorder may
/// hold a lock that the worker needs, and so the worker must not wait for it long. The worker waits
/// for no standby: the recorder's commit does.
const SETTINGS: [(&CStr, &CStr); 5] = [
    (c"default_transaction_isolation", c"read committed"),
    (c"default_transaction_read_only", c"off"),
    (c"statement_timeout", c"0"),
    (c"lock_timeout", c"1s"),
    (c"synchronous_commit", c"local"),
];

/// Runs `f` with `order`, the text from [`run_in_this_database`], in one transaction as the
/// bootstrap superuser.
pub fn work(f: fn(order: &str) -> Result<(), Report>) {
    let Some((database, order)) = BackgroundWorker::get_extra().split_once(' ') else {
        return;
    };
    let Ok(database) = database.parse::<u32>() else {
        return;
    };
    // SAFETY: a worker process that has just been started. The calls are in PostgreSQL's order:
    // signals, database, transaction.
    unsafe {
        #[cfg(not(feature = "pg18"))]
        pg_sys::pqsignal(pg_sys::SIGTERM as i32, Some(native::die));
        #[cfg(feature = "pg18")]
        pg_sys::pqsignal_be(pg_sys::SIGTERM as i32, Some(native::die));
        pg_sys::BackgroundWorkerUnblockSignals();
        let superuser = pg_sys::InvalidOid;
        pg_sys::BackgroundWorkerInitializeConnectionByOid(database.into(), superuser, 0);
        for (name, value) in SETTINGS {
            pg_sys::SetConfigOption(
                name.as_ptr(),
                value.as_ptr(),
                pg_sys::GucContext::PGC_SUSET,
                pg_sys::GucSource::PGC_S_OVERRIDE,
            );
        }
    }
    BackgroundWorker::transaction(|| or_raise(f(order)));
}

/// Exports entry points of background workers under the symbols that [`run_in_this_database`]
/// takes.
#[macro_export]
macro_rules! workers {
    ($($symbol:ident => $body:path;)*) => {$(
        /// # Safety
        ///
        /// Only PostgreSQL's background worker code may call it.
        #[doc(hidden)]
        #[$crate::pgrx::pg_guard]
        #[unsafe(no_mangle)]
        pub unsafe extern "C-unwind" fn $symbol(_argument: $crate::pgrx::pg_sys::Datum) {
            $crate::worker::work($body);
        }
    )*};
}
