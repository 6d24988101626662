//! The watch: drift, the event triggers that refuse statements, and `verdict.coverage`.

pub mod baseline;
pub mod coverage;
pub mod difference;
pub mod drift;
pub mod events;
pub mod index_code;
pub mod new_partitions;
pub mod redaction;
pub mod rewritten;
pub mod suspended;
pub mod unreported;
pub mod weakness;

use pg::call::Call;
use pg::plain::PlainFrame;
use pg::report::{Report, SqlState};
use pg::{catalog, clock, relcache, rewrite_hook, transaction, trigger};
use pgrx::pg_sys::Datum;

/// Called by `_PG_init`, once.
pub fn init() {
    transaction::register(new_partitions::HOOKS);
    rewrite_hook::register(rewritten::takes_no_rows);
}

/// `verdict.invalidate()`: AFTER ROW ALWAYS on our configuration tables. Whatever changes these
/// tables, every backend reads them again.
pub fn invalidate(call: Call, plain: PlainFrame) -> Datum {
    let came = plain.step(|| {
        let fired = call.trigger().ok_or_else(trigger::not_a_row_trigger)?;
        relcache::invalidate(fired.relation());
        let inserted = matches!(fired.row_event(), Some((_, trigger::RowEvent::Insert)));
        Ok(inserted
            && !trigger::is_apply()
            && catalog::find(catalog::SCHEMA, "guards") == Some(fired.relation())
            && catalog::has_own("baselines"))
    });
    if came {
        // Only after the end of the command does this session see the row that fired the trigger.
        clock::end_of_command(plain);
        plain.step(baseline::keep_for_new);
    }
    Datum::null()
}

/// `verdict.guard` and `verdict.alter_guard` of SQL 0.1.0, which took fewer arguments. pg_upgrade
/// makes every function again, and so the library must keep their symbols.
pub fn outdated(_call: Call, plain: PlainFrame) -> Datum {
    plain.step(|| {
        Err(Report::new(
            SqlState::NotInPrerequisiteState,
            "this database has an older version of pg_verdict's SQL than the library",
        )
        .hint("ALTER EXTENSION pg_verdict UPDATE; guards go on enforcing meanwhile."))
    })
}
