//! The trigger: which guard, which rows, and what becomes of them. No SPI, no PL/pgSQL, no network.

mod after;
mod before;
pub mod case;
mod coming;
mod facts;
pub mod flag;
pub mod judge;
mod legacy;
pub mod moved;
pub mod plan;
mod refusal;
mod restored;
pub mod setting_out;
pub mod shape;
mod update;

pub use facts::{Content, facts};

use crate::pg::entry::{Call, Plain, say};
use crate::pg::test_hooks::{self, Weakness};
use crate::pg::trigger::{self, Event, Timing};
use crate::pg::{lock, session, transaction};
use crate::report::Report;
use pgrx::PgLogLevel;
use pgrx::pg_sys::Datum;
use shape::Duty;

/// Called by `_PG_init`, once.
pub fn init() {
    transaction::register(moved::HOOKS);
    transaction::register(setting_out::HOOKS);
}

/// `verdict.guard_row()`: every trigger of every guard.
pub fn guard_row(call: Call, plain: Plain) -> Datum {
    let (fired, timing, event) = plain.step(|| {
        let fired = call.trigger().ok_or_else(trigger::not_a_row_trigger)?;
        let (timing, event) = fired.row_event().ok_or_else(trigger::not_a_row_trigger)?;
        Ok((fired, timing, event))
    });
    if session::is_shard_move(plain) || restored::is_filled(fired, event, plain) {
        return match timing {
            Timing::Before => fired.kept(),
            Timing::After => Datum::null(),
        };
    }
    if !test_hooks::weakened(Weakness::StaleGuards) {
        // What was committed meanwhile counts from this row on. When there is nothing new, it is one look at a flag.
        lock::accept_invalidations(plain);
    }
    let planned = plain.step(|| match plan::of(fired.relation(), fired.name()) {
        Err(why) if trigger::is_apply() => {
            not_judged(&why);
            Ok(None)
        }
        planned => planned.map(Some),
    });
    let Some((shape, duty)) = planned else {
        return match timing {
            Timing::Before => fired.kept(),
            Timing::After => Datum::null(),
        };
    };
    match (duty, timing, event) {
        (Duty::Inserts, Timing::After, Event::Insert) => after::inserted(fired, &shape, plain),
        (Duty::Updates, Timing::After, Event::Update) => after::updated(fired, &shape, plain),
        (Duty::Moves, Timing::After, Event::Delete) if fired.moved_away() => {
            moved::leaves(&shape, fired, plain)
        }
        (Duty::Moves, Timing::After, Event::Insert) => after::arrived_outside(fired, &shape, plain),
        (Duty::BeforeInserts, Timing::Before, Event::Insert) => {
            return before::insert(fired, &shape, plain);
        }
        (Duty::BeforeUpdates, Timing::Before, Event::Update) => {
            return before::update(fired, &shape, plain);
        }
        // An update of guarded columns is judged by the trigger that sees every update; this one's column list makes
        // PostgreSQL refuse to retype or drop the columns.
        (Duty::Inserts, Timing::After, Event::Update) | (Duty::Moves, Timing::After, _) => {}
        // A trigger of our name that somebody made by hand, at another time or for another event.
        _ => plain.step(|| Err::<(), _>(trigger::not_a_row_trigger())),
    }
    // What an AFTER trigger returns is ignored.
    Datum::null()
}

/// A replication worker that fails starts again and fails again. So a guard that cannot work lets it be, and says so.
fn not_judged(why: &Report) {
    say(
        PgLogLevel::WARNING,
        &format!("verdict: not judged on path apply: {}", why.message),
    );
}
