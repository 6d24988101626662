//! Partitions that a parallel pg_restore fills.
//!
//! pg_restore makes a trigger after it has filled the trigger's table. But a partitioned table has
//! no rows itself, and so `pg_restore -j` may make the trigger while the partitions are still
//! empty, and before the verdicts and the registry are restored. Guards let these rows pass, as if
//! pg_restore had filled the partitions first: the rows were judged in the database that they come
//! from.
//!
//! This holds only for a superuser, who could also restore without triggers. It holds only for a
//! table that this pg_restore made: it runs TRUNCATE in the transaction that fills the table.

use pg::catalog;
use pg::clock;
use pg::log::ereport;
use pg::plain::PlainFrame;
use pg::session;
use pg::trigger::{Fired, RowEvent};
use pgrx::PgLogLevel;
use pgrx::pg_sys::Oid;
use std::cell::Cell;

thread_local! {
    /// The latest log line's table, and the start of the transaction that fills it.
    static TOLD: Cell<(Oid, i64)> = const { Cell::new((Oid::INVALID, 0)) };
}

/// Whether a superuser's pg_restore inserts the row into a table that this pg_restore made. Writes
/// one log line for each table and transaction.
pub fn is_filled(fired: Fired, event: RowEvent, plain: PlainFrame) -> bool {
    if event != RowEvent::Insert
        || !fired.has_new_storage()
        || !session::is_superusers_restore(plain)
    {
        return false;
    }
    let table = fired.relation();
    let filling = (table, clock::transaction_start());
    if TOLD.replace(filling) != filling {
        plain.step(|| {
            let line = format!(
                "verdict: not judged on path restore: {}",
                catalog::relation(table)?.name
            );
            ereport(PgLogLevel::LOG_SERVER_ONLY, &line);
            Ok(())
        });
    }
    true
}
