//! Partitions that a parallel pg_restore fills.
//!
//! A trigger waits for its table's rows, and a partitioned table has none: `pg_restore -j` may make
//! it while the partitions are still empty, before the verdicts and the registry are there. Then
//! pg_restore's own order is restored: rows first, they were judged where they came from. Only for
//! a superuser, who could leave the triggers out as well; and only for a table that this pg_restore
//! made, which it shows by TRUNCATE in the transaction that fills it.

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
    /// What the log was told of last: a table, and the transaction that fills it, by its start.
    static TOLD: Cell<(Oid, i64)> = const { Cell::new((Oid::INVALID, 0)) };
}

/// Whether the row comes from a superuser's pg_restore that fills a table of its own making. Each
/// time is a line in the log.
pub fn is_filled(fired: Fired, event: RowEvent, plain: PlainFrame) -> bool {
    if event != RowEvent::Insert
        || !fired.has_new_storage()
        || !session::is_superusers_restore(plain)
    {
        return false;
    }
    let leaf = fired.relation();
    let filling = (leaf, clock::transaction_start());
    if TOLD.replace(filling) != filling {
        plain.step(|| {
            let line = format!(
                "verdict: not judged on path restore: {}",
                catalog::relation(leaf)?.name
            );
            ereport(PgLogLevel::LOG_SERVER_ONLY, &line);
            Ok(())
        });
    }
    true
}
