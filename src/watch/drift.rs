//! Drift: the differences between a guard as it is registered and its triggers as they stand.

use super::difference::{Difference, TriggerDifference};
use crate::guard::registry::Watched;
use crate::guard::trigger_kind::{Stand, TriggerKind, trigger_name};
use pg::catalog::{self, Relation};
use pg::identity;
use pg::report::Report;
use pg::settings::{self, EXACT};
use pg::sql;
use pg::trigger;
use pgrx::pg_sys::Oid;
use std::collections::HashMap;

/// A trigger as it stands.
struct Standing {
    enabled: String,
    tgtype: i16,
    ours: bool,
    columns: Vec<String>,
    when_clause: Option<String>,
    depends: bool,
}

/// The differences on each of these tables of the guard's tree. Tables without a difference are not
/// in the list.
///
/// # Errors
///
/// SPI's own.
pub fn differences(
    watched: &Watched,
    root: &Relation,
    members: &[Oid],
) -> Result<Vec<(Oid, Vec<Difference>)>, Report> {
    let standing = standing(watched, members)?;
    let mut drifted = Vec::new();
    if root.is_partition {
        let above = catalog::relation(catalog::root(root.oid))?.name;
        drifted.push((root.oid, vec![Difference::IsPartition(above)]));
    }
    for member in members {
        let mut differs = Vec::new();
        for kind in TriggerKind::ALL {
            let Some(expected) = kind.stand(&watched.guard, root.kind) else {
                continue;
            };
            let name = trigger_name(watched.guard.id, kind);
            let found = match standing.get(&(*member, name.clone())) {
                None => vec![TriggerDifference::Missing],
                Some(found) => compare(expected, watched, found),
            };
            let named = |difference| Difference::Trigger(name.clone(), difference);
            differs.extend(found.into_iter().map(named));
        }
        if !differs.is_empty() {
            drifted.push((*member, differs));
        }
    }
    Ok(drifted)
}

fn compare(expected: Stand, watched: &Watched, found: &Standing) -> Vec<TriggerDifference> {
    let when_clause = watched
        .when_clause
        .as_ref()
        .filter(|_| expected.has_condition);
    let tgtype = trigger::tgtype(expected.timing, expected.events);
    [
        (!found.ours).then_some(TriggerDifference::OtherFunction),
        (found.enabled != "A").then(|| TriggerDifference::Enabled(found.enabled.clone())),
        (found.tgtype != tgtype).then_some(TriggerDifference::Events),
        (found.columns != expected.columns).then(|| TriggerDifference::Columns {
            found: found.columns.clone(),
            expected: expected.columns,
        }),
        (found.when_clause.as_ref() != when_clause).then_some(TriggerDifference::Condition),
        found
            .depends
            .then_some(TriggerDifference::DependsOnExtension),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn standing(
    watched: &Watched,
    members: &[Oid],
) -> Result<HashMap<(Oid, String), Standing>, Report> {
    let names: Vec<String> = TriggerKind::ALL
        .iter()
        .map(|kind| trigger_name(watched.guard.id, *kind))
        .collect();
    let rows = || {
        sql::rows(
                "SELECT t.tgrelid, t.tgname::pg_catalog.text, t.tgenabled::pg_catalog.text, t.tgtype,
                     f.proname = 'guard_row'
                         AND f.pronamespace = 'verdict'::pg_catalog.regnamespace,
                     ARRAY(SELECT a.attname::pg_catalog.text FROM pg_catalog.pg_attribute AS a
                           WHERE a.attrelid = t.tgrelid
                               AND a.attnum = ANY (t.tgattr::pg_catalog.int2[])
                           ORDER BY a.attname COLLATE pg_catalog.\"C\"),
                     pg_catalog.substring(pg_catalog.pg_get_triggerdef(t.oid), ' WHEN \\((.*)\\) EXECUTE FUNCTION '),
                     EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS d
                             WHERE d.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass
                                 AND d.objid = t.oid AND d.deptype = 'x')
                 FROM pg_catalog.pg_trigger AS t JOIN pg_catalog.pg_proc AS f ON f.oid = t.tgfoid
                 WHERE t.tgrelid = ANY ($1)
                     AND t.tgname = ANY ($2::pg_catalog.name[])",
                &[members.to_vec().into(), names.into()],
                |row| {
                    let key = (row.required(1)?, row.required(2)?);
                    let standing = Standing {
                        enabled: row.required(3)?,
                        tgtype: row.required(4)?,
                        ours: row.required(5)?,
                        columns: row.required(6)?,
                        when_clause: row.get(7)?,
                        depends: row.required(8)?,
                    };
                    Ok((key, standing))
                },
    )
    };
    identity::as_extension_owner(|| {
        // The statement's snapshot may be older than a lock that this session has waited for.
        let rows = settings::with(&EXACT, || sql::with_latest_snapshot(rows))?;
        Ok(rows.into_iter().collect())
    })
}
