//! Background workers that a session starts for something that must be in a transaction of its own.

use super::sql::or_raise;
use crate::frame::native;
use crate::report::Report;
use pgrx::bgworkers::{BackgroundWorker, BackgroundWorkerBuilder};
use pgrx::pg_sys;
use std::ffi::CStr;

/// Runs the worker whose entry point is `symbol` in this session's database and waits until it has
/// ended. Does nothing where no worker can be had: `max_worker_processes` are at work, or the
/// server takes none (single-user mode, pg_upgrade).
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
        // However it went: whoever has ordered it looks whether it is done.
        let _ = worker.wait_for_shutdown();
    }
}

/// What a database or the bootstrap superuser may have set otherwise. Under another isolation level
/// the worker's transaction could make the recorder's fail; the recorder may hold what the worker
/// needs, so that this must not wait for long; and it waits for no standby, for the recorder's own
/// commit will.
const SETTINGS: [(&CStr, &CStr); 5] = [
    (c"default_transaction_isolation", c"read committed"),
    (c"default_transaction_read_only", c"off"),
    (c"statement_timeout", c"0"),
    (c"lock_timeout", c"1s"),
    (c"synchronous_commit", c"local"),
];

/// Does what `order`, the text that was given to [`run_in_this_database`], says, in one transaction
/// as the bootstrap superuser.
pub fn work(f: fn(order: &str) -> Result<(), Report>) {
    let Some((database, order)) = BackgroundWorker::get_extra().split_once(' ') else {
        return;
    };
    let Ok(database) = database.parse::<u32>() else {
        return;
    };
    // SAFETY: a worker process that has just been started, in PostgreSQL's own order: signals,
    // database, transaction.
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

/// Exports the entry points of background workers by the symbols that [`run_in_this_database`] is
/// given.
#[macro_export]
macro_rules! workers {
    ($($symbol:ident => $body:path;)*) => {$(
        /// # Safety
        ///
        /// Called by PostgreSQL's background worker code only.
        #[doc(hidden)]
        #[$crate::pgrx::pg_guard]
        #[unsafe(no_mangle)]
        pub unsafe extern "C-unwind" fn $symbol(_argument: $crate::pgrx::pg_sys::Datum) {
            $crate::worker::work($body);
        }
    )*};
}
