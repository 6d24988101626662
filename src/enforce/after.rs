//! AFTER the row is stored: it is judged as it is, like a foreign key, and refused or written down.

use super::case::{Case, Obstacle, Operation};
use super::coming::Coming;
use super::judge;
use super::moved;
use super::plan;
use super::refusal;
use super::shape::Shape;
use super::update::{Again, again};
use super::{flag, legacy};
use crate::audit::incident::Done;
use crate::audit::{log_line, tally};
use crate::guc;
use crate::pg::columns::RowSlot;
use crate::pg::entry::Plain;
use crate::pg::transaction;
use crate::pg::trigger::Fired;
use crate::watch::glass;
use verdict::{Action, Mode};

/// A new row is judged. One that comes from another partition was updated.
pub fn inserted(fired: Fired, shape: &Shape, plain: Plain) {
    if shape.partitioned
        && let Some(old) = moved::old_row(shape, fired, plain)
    {
        return edited(&Coming::moved(fired, old), old, shape, plain);
    }
    let coming = Coming::inserted(fired, true);
    count(shape, plain);
    if let Some(case) = judge::judge(shape, coming.new, Operation::Insert, plain) {
        found(shape, &coming, &case, plain);
    }
}

/// A row that has left the condition on its way to another partition was updated, too.
pub fn arrived_outside(fired: Fired, shape: &Shape, plain: Plain) {
    if !moved::is_nothing_on_its_way()
        && !fired.under_condition_of(shape.insert_trigger(), fired.row(), plain)
        && let Some(old) = moved::old_row(shape, fired, plain)
    {
        edited(&Coming::moved(fired, old), old, shape, plain);
    }
}

/// A row that stays in its partition was updated.
pub fn updated(fired: Fired, shape: &Shape, plain: Plain) {
    edited(&Coming::updated(fired, true), fired.row(), shape, plain);
}

/// An update is judged again when it changes what was approved, brings the row under the condition, or unflags it.
fn edited(coming: &Coming, old: RowSlot, shape: &Shape, plain: Plain) {
    let new = coming.new;
    let case = match again(coming.fired, shape, old, new, plain) {
        Again::No => return,
        Again::Final => Some(judge::final_content(shape, new, plain)),
        again @ (Again::Yes | Again::Unchanged) => {
            judge::judge(&again.asks(shape), new, Operation::Update, plain)
        }
    };
    count(shape, plain);
    match case {
        None => {}
        Some(case) if legacy::passes(coming.fired, shape, &case, old, new, plain) => {
            coming.write_down(shape, &case, Done::Legacy, plain);
        }
        Some(case) => found(shape, coming, &case, plain),
    }
}

/// What else than the guard's action becomes of a row with a finding, if anything.
pub fn instead_of_acting(shape: &Shape, case: &Case) -> Option<Done> {
    if case.apply {
        Some(Done::Applied)
    } else if is_observing(shape) {
        Some(Done::Observed)
    } else if case.now < shape.glass_until {
        Some(Done::GlassBroken)
    } else {
        None
    }
}

fn is_observing(shape: &Shape) -> bool {
    shape.policy.mode == Mode::Observe || !guc::enforced()
}

fn count(shape: &Shape, plain: Plain) {
    if is_observing(shape) {
        plain.step(|| {
            tally::count(shape.guard_id, transaction::nest_level());
            Ok(())
        });
    }
}

/// A stored row with a finding. The soft actions were taken before it was stored; here it is seen that they were.
fn found(shape: &Shape, coming: &Coming, case: &Case, plain: Plain) {
    if let Some(done) = instead_of_acting(shape, case) {
        return coming.write_down(shape, case, done, plain);
    }
    if shape.glass_until != i64::MIN {
        plain.step(|| {
            plan::with(shape, |plan| {
                glass::tell_closed(shape.glass_until, &plan.root);
                Ok(())
            })
        });
    }
    match shape.policy.actions.get(case.finding) {
        Action::Reject => refuse(shape, case, plain),
        Action::Allow => coming.write_down(shape, case, Done::Allowed, plain),
        Action::Flag if flag::is_set_or_none(shape, coming.new, plain) => {
            coming.write_down(shape, case, Done::Flagged, plain);
        }
        Action::Flag | Action::Quarantine | Action::Discard => {
            // A stronger guard's word was left to that guard, and so this one has done nothing.
            if let Some((other, case)) = coming.refused_by_other(shape, plain) {
                return refuse(&other, &case, plain);
            }
            let case = Case {
                obstacle: case.obstacle.or(Some(Obstacle::JudgedOtherwise)),
                ..*case
            };
            refuse(shape, &case, plain);
        }
    }
}

/// Raises. The transaction ends with its incident; the log's line stays.
pub fn refuse(shape: &Shape, case: &Case, plain: Plain) {
    let line = plain.step(|| plan::with(shape, |plan| Ok(log_line::line(plan, case))));
    if let Some(line) = line {
        plain.log_server_only(line);
    }
    plain.step(|| plan::with(shape, |plan| Err::<(), _>(refusal::report(plan, case))));
}
