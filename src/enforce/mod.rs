//! The trigger: which guard, which rows, and what becomes of them. No SPI, no PL/pgSQL, no network.

mod facts;
pub mod judge;
pub mod moved;
pub mod plan;
mod refusal;

pub use facts::{Content, facts};

use crate::pg::columns::{self, RowSlot};
use crate::pg::entry::{Call, Plain};
use crate::pg::trigger::{self, Event, Fired};
use pgrx::pg_sys::Datum;
use plan::{Duty, Shape};
use verdict::Edits;

/// `verdict.guard_row()`: every trigger of every guard.
pub fn guard_row(call: Call, plain: Plain) -> Datum {
    let (fired, event) = plain.step(|| {
        let fired = call.trigger().ok_or_else(trigger::not_a_row_trigger)?;
        let event = fired.after_row().ok_or_else(trigger::not_a_row_trigger)?;
        Ok((fired, event))
    });
    let (shape, duty) = plain.step(|| plan::of(fired.relation(), fired.name()));
    match (duty, event) {
        (Duty::Inserts, Event::Insert) => inserted(fired, &shape, plain),
        (Duty::Updates, Event::Update) => updated(fired, &shape, plain),
        (Duty::Moves, Event::Delete) if fired.moved_away() => {
            moved::leaves(&shape, fired.row(), plain)
        }
        // An update of guarded columns is judged by the trigger that sees every update; this one's column list makes
        // PostgreSQL refuse to retype or drop the columns.
        _ => {}
    }
    Datum::null()
}

/// A new row is judged, unless it comes unchanged from another partition.
fn inserted(fired: Fired, shape: &Shape, plain: Plain) {
    let moved = shape.partitioned && moved::arrives(shape, fired.row(), plain);
    if !moved {
        judge::judge(shape, fired.row(), plain);
    }
}

/// An update is judged again when it changes what was approved, or brings the row under the condition.
fn updated(fired: Fired, shape: &Shape, plain: Plain) {
    let (old, new) = (fired.row(), fired.new_row());
    let content = changed(old, new, shape.bound(), plain);
    if !content && !changed(old, new, shape.condition(), plain) {
        return;
    }
    let name = shape.insert_trigger();
    let now_under = fired.under_condition_of(name, new, plain);
    // Leaving the condition with other content is an edit of a guarded row all the same.
    let was_under = (content && !now_under || shape.policy.edits != Edits::Enforce)
        && fired.under_condition_of(name, old, plain);
    let left = content && was_under;
    if !now_under && !left {
        return;
    }
    match shape.policy.edits {
        Edits::Allow if was_under => {}
        Edits::Refuse if was_under && content => judge::refuse_edit(shape, new, plain),
        _ => judge::judge(shape, new, plain),
    }
}

fn changed(old: RowSlot, new: RowSlot, attnums: &[i16], plain: Plain) -> bool {
    attnums
        .iter()
        .any(|attnum| columns::differs(old, new, *attnum, plain))
}
