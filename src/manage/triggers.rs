//! A guard's triggers: put on and taken off as the table's owner.

use crate::guard::reads::Reads;
use crate::guard::registry::Guard;
use crate::guard::trigger_kind::{TriggerKind, trigger_name};
use crate::watch::baseline;
use pg::catalog::{self, Relation};
use pg::identity::{self, Restriction};
use pg::report::Report;
use pg::settings::{self, EXACT};
use pg::sql;
use pg::trigger::{self, TriggerSpec};

/// Puts the guard's triggers on the table and on every partition.
///
/// # Errors
///
/// Undefined object when the extension's SQL is not installed; PostgreSQL's own.
pub fn install(relation: &Relation, guard: &Guard, reads: &Reads) -> Result<(), Report> {
    // The table's owner, as whom the triggers are made, need not be able to name it.
    let function = identity::as_extension_owner(|| catalog::own_trigger_function("guard_row"))?;
    identity::as_role(relation.owner, Restriction::SecurityRestricted, || {
        for kind in TriggerKind::ALL {
            let Some(stand) = kind.stand(guard, relation.kind) else {
                continue;
            };
            let spec = TriggerSpec {
                name: &trigger_name(guard.id, kind),
                timing: stand.timing,
                events: stand.events,
                columns: &stand.columns,
                condition: reads.condition().filter(|_| stand.has_condition),
            };
            settings::reading(|| trigger::create(relation.oid, function, &spec));
        }
        Ok(())
    })?;
    remember(relation, guard)
}

/// Keeps what the watch compares with later: the condition as PostgreSQL wrote it, and that the
/// guard was whole.
fn remember(relation: &Relation, guard: &Guard) -> Result<(), Report> {
    let when_clause = || {
        sql::run(
            "UPDATE verdict.guards SET when_clause = (
                 SELECT pg_catalog.substring(pg_catalog.pg_get_triggerdef(t.oid), ' WHEN \\((.*)\\) EXECUTE FUNCTION ')
                 FROM pg_catalog.pg_trigger AS t
                 WHERE t.tgrelid = $2 AND t.tgname = $3::pg_catalog.name)
             WHERE id = $1",
            &[
                guard.id.into(),
                relation.oid.into(),
                trigger_name(guard.id, TriggerKind::AfterInsert).into(),
            ],
        )
    };
    identity::as_extension_owner(|| settings::with(&EXACT, when_clause))?;
    baseline::keep(guard, relation)
}

/// Takes the guard's triggers off.
///
/// # Errors
///
/// PostgreSQL's own.
pub fn uninstall(relation: &Relation, guard_id: i32) -> Result<(), Report> {
    identity::as_role(relation.owner, Restriction::SecurityRestricted, || {
        for kind in TriggerKind::ALL {
            trigger::drop_if_exists(relation.oid, &trigger_name(guard_id, kind));
        }
        Ok(())
    })
}
