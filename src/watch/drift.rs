//! Drift: what differs between a guard as it is registered and its triggers as they are.

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

/// A trigger as it is.
struct Standing {
    enabled: String,
    tgtype: i16,
    ours: bool,
    columns: Vec<String>,
    when_clause: Option<String>,
    depends: bool,
}

/// What differs on each of these tables of the guard's tree, in words; tables on which nothing does are left out.
///
/// # Errors
///
/// SPI's own.
pub fn of(
    watched: &Watched,
    root: &Relation,
    members: &[Oid],
) -> Result<Vec<(Oid, Vec<String>)>, Report> {
    let standing = standing(watched, members)?;
    let mut drifted = Vec::new();
    if root.is_partition {
        let above = catalog::relation(catalog::root(root.oid))?.name;
        drifted.push((
            root.oid,
            vec![format!("it is a partition of {above}, and takes no rows")],
        ));
    }
    for member in members {
        let mut differs = Vec::new();
        for kind in TriggerKind::ALL {
            let Some(expected) = kind.stand(&watched.guard, root.kind) else {
                continue;
            };
            let name = trigger_name(watched.guard.id, kind);
            match standing.get(&(*member, name.clone())) {
                None => differs.push(format!("trigger {name} is missing")),
                Some(found) => compare(&name, &expected, watched, found, &mut differs),
            }
        }
        if !differs.is_empty() {
            drifted.push((*member, differs));
        }
    }
    Ok(drifted)
}

fn compare(
    name: &str,
    expected: &Stand,
    watched: &Watched,
    found: &Standing,
    differs: &mut Vec<String>,
) {
    if !found.ours {
        differs.push(format!("trigger {name} calls another function"));
    }
    if found.enabled != "A" {
        let how = match found.enabled.as_str() {
            "D" => "is disabled",
            "R" => "fires for replicas only",
            _ => "does not fire for replicas (not ENABLE ALWAYS)",
        };
        differs.push(format!("trigger {name} {how}"));
    }
    if found.tgtype != trigger::tgtype(expected.timing, expected.events) {
        differs.push(format!("trigger {name} fires at other times or events"));
    }
    if found.columns != expected.columns {
        differs.push(format!(
            "trigger {name} is on columns ({}), not on ({})",
            found.columns.join(", "),
            expected.columns.join(", ")
        ));
    }
    let when_clause = watched
        .when_clause
        .as_ref()
        .filter(|_| expected.has_condition);
    if found.when_clause.as_ref() != when_clause {
        differs.push(format!("trigger {name} has another condition"));
    }
    if found.depends {
        differs.push(format!(
            "trigger {name} goes with another extension (DEPENDS ON)"
        ));
    }
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
        // The statement's own snapshot may be older than a lock that we have waited for.
        let rows = settings::with(&EXACT, || sql::with_latest_snapshot(rows))?;
        Ok(rows.into_iter().collect())
    })
}
