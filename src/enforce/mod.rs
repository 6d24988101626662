//! The trigger: which guard, which rows, and what becomes of them. No SPI, no PL/pgSQL, no network.

pub mod after;
pub mod before;
pub mod pg_restore;
pub mod row_change;
pub mod cross_partition;

use crate::guard::cache;
use crate::guard::trigger_kind::TriggerKind;
use pg::call::Call;
use pg::log::ereport;
use pg::plain::PlainFrame;
use pg::report::Report;
use pg::test_hooks::{self, Weakening};
use pg::trigger::{self, RowEvent, Timing};
use pg::{lock, session, transaction};
use pgrx::PgLogLevel;
use pgrx::pg_sys::Datum;

/// Called by `_PG_init`, once.
pub fn init() {
    transaction::register(cross_partition::after::HOOKS);
    transaction::register(cross_partition::before::HOOKS);
}

/// `verdict.guard_row()`: every trigger of every guard.
pub fn guard_row(call: Call, plain: PlainFrame) -> Datum {
    let (fired, timing, event) = plain.step(|| {
        let fired = call.trigger().ok_or_else(trigger::not_a_row_trigger)?;
        let (timing, event) = fired.row_event().ok_or_else(trigger::not_a_row_trigger)?;
        Ok((fired, timing, event))
    });
    if session::is_shard_move(plain) || pg_restore::is_filled(fired, event, plain) {
        return match timing {
            Timing::Before => fired.kept(),
            Timing::After => Datum::null(),
        };
    }
    if !test_hooks::weakened(Weakening::StaleGuards) {
        // What was committed meanwhile counts from this row on. When there is nothing new, it is
        // one look at a flag.
        lock::accept_invalidations(plain);
    }
    let planned = plain.step(
        || match cache::guard_of_trigger(fired.relation(), fired.name()) {
            Err(why) if trigger::is_apply() => {
                not_judged(&why);
                Ok(None)
            }
            planned => planned.map(Some),
        },
    );
    let Some((info, kind)) = planned else {
        return match timing {
            Timing::Before => fired.kept(),
            Timing::After => Datum::null(),
        };
    };
    match (kind, timing, event) {
        (TriggerKind::AfterInsert, Timing::After, RowEvent::Insert) => {
            after::inserted(fired, &info, plain)
        }
        (TriggerKind::AfterUpdate, Timing::After, RowEvent::Update) => {
            after::updated(fired, &info, plain)
        }
        (TriggerKind::AfterMove, Timing::After, RowEvent::Delete) if fired.moved_away() => {
            cross_partition::after::leaves(&info, fired, plain)
        }
        (TriggerKind::AfterMove, Timing::After, RowEvent::Insert) => {
            after::arrived_outside(fired, &info, plain)
        }
        (TriggerKind::BeforeInsert, Timing::Before, RowEvent::Insert) => {
            return before::insert(fired, &info, plain);
        }
        (TriggerKind::BeforeUpdate, Timing::Before, RowEvent::Update) => {
            return before::update(fired, &info, plain);
        }
        // An update of guarded columns is judged by the trigger that sees every update; this one's
        // column list makes PostgreSQL refuse to retype or drop the columns.
        (TriggerKind::AfterInsert, Timing::After, RowEvent::Update)
        | (TriggerKind::AfterMove, Timing::After, _) => {}
        // A trigger of our name that somebody made by hand, at another time or for another event.
        _ => plain.step(|| Err::<(), _>(trigger::not_a_row_trigger())),
    }
    // What an AFTER trigger returns is ignored.
    Datum::null()
}

/// A replication worker that fails starts again and fails again. So a guard that cannot work lets
/// it be, and says so.
fn not_judged(why: &Report) {
    ereport(
        PgLogLevel::WARNING,
        &format!("verdict: not judged on path apply: {}", why.message),
    );
}
