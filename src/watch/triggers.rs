//! A guard's triggers: put on and taken off as the table's owner.

use super::reads::Reads;
use super::registry::{Guard, trigger_name};
use super::whole;
use crate::enforce::shape::Duty;
use crate::pg::catalog::{self, Kind, Relation};
use crate::pg::identity::{self, Restriction};
use crate::pg::settings::{self, EXACT};
use crate::pg::sql;
use crate::pg::trigger::{self, DELETE, INSERT, Timing, UPDATE};
use crate::report::Report;

/// Puts the guard's triggers on the table and on every partition.
///
/// # Errors
///
/// Undefined object when the extension's SQL is not installed; PostgreSQL's own.
pub fn install(relation: &Relation, guard: &Guard, reads: &Reads) -> Result<(), Report> {
    let mut columns = reads.columns();
    columns.extend(guard.flag.iter().map(|(name, _)| name.clone()));
    let condition = reads.condition();
    let with_condition = |duty| matches!(duty, Duty::Inserts | Duty::BeforeInserts);
    // The table's owner, as whom the triggers are made, need not be able to name it.
    let function = identity::as_extension_owner(|| catalog::own_trigger_function("guard_row"))?;
    identity::as_role(relation.owner, Restriction::SecurityRestricted, || {
        for duty in Duty::ALL {
            let (timing, events, wanted) = match duty {
                Duty::Inserts => (Timing::After, INSERT | UPDATE, true),
                Duty::Updates => (Timing::After, UPDATE, true),
                Duty::Moves => {
                    let arrivals = if condition.is_some() { INSERT } else { 0 };
                    let wanted = relation.kind == Kind::Partitioned;
                    (Timing::After, DELETE | arrivals, wanted)
                }
                Duty::BeforeInserts => (Timing::Before, INSERT, guard.is_soft()),
                Duty::BeforeUpdates => (Timing::Before, UPDATE, guard.is_soft()),
            };
            if !wanted {
                continue;
            }
            let plan = trigger::Plan {
                name: &trigger_name(guard.id, duty),
                timing,
                events,
                columns: if duty == Duty::Inserts { &columns } else { &[] },
                condition: condition.filter(|_| with_condition(duty)),
            };
            settings::reading(|| trigger::create(relation.oid, function, &plan));
        }
        Ok(())
    })?;
    remember(relation, guard)
}

/// Keeps what the watch compares with later: the condition as PostgreSQL wrote it, and that the guard was whole.
fn remember(relation: &Relation, guard: &Guard) -> Result<(), Report> {
    let when_clause = || {
        sql::run(
            "UPDATE verdict.guards SET when_clause = (
                 SELECT pg_catalog.substring(pg_catalog.pg_get_triggerdef(t.oid), ' WHEN \\((.*)\\) EXECUTE FUNCTION ')
                 FROM pg_catalog.pg_trigger AS t
                 WHERE t.tgrelid OPERATOR(pg_catalog.=) $2 AND t.tgname OPERATOR(pg_catalog.=) $3::pg_catalog.name)
             WHERE id OPERATOR(pg_catalog.=) $1",
            &[
                guard.id.into(),
                relation.oid.into(),
                trigger_name(guard.id, Duty::Inserts).into(),
            ],
        )
    };
    identity::as_extension_owner(|| settings::with(&EXACT, when_clause))?;
    whole::mark(guard, relation)
}

/// Takes the guard's triggers off.
///
/// # Errors
///
/// PostgreSQL's own.
pub fn uninstall(relation: &Relation, guard_id: i32) -> Result<(), Report> {
    identity::as_role(relation.owner, Restriction::SecurityRestricted, || {
        for duty in Duty::ALL {
            trigger::drop_if_exists(relation.oid, &trigger_name(guard_id, duty));
        }
        Ok(())
    })
}
