//! The trigger finds its guard, decides whether the guard judges this event, and calls the code
//! that does. It uses no SPI, no PL/pgSQL and no network.

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

/// `verdict.guard_row()`: every trigger of every guard calls it.
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
        // From this row on, the guard sees what other sessions have committed. Without news, this
        // costs one look at a flag.
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
        // The trigger on every update judges updates of guarded columns. The column list of this
        // trigger only makes PostgreSQL refuse to retype or drop these columns.
        (TriggerKind::AfterInsert, Timing::After, RowEvent::Update)
        | (TriggerKind::AfterMove, Timing::After, _) => {}
        // Somebody made a trigger of this name by hand, with another timing or event.
        _ => plain.step(|| Err::<(), _>(trigger::not_a_row_trigger())),
    }
    // PostgreSQL ignores what an AFTER trigger returns.
    Datum::null()
}

/// A replication worker that fails starts again and fails again. So a guard that cannot work lets
/// the row pass, and writes a WARNING.
fn not_judged(why: &Report) {
    ereport(
        PgLogLevel::WARNING,
        &format!("verdict: not judged on path apply: {}", why.message),
    );
}
