//! Drift: what differs between a guard as it is registered and its triggers as they are.

use super::reads::Reads;
use super::registry::{self, Guard, trigger_name};
use crate::enforce::shape::Duty;
use crate::pg::catalog::{self, Kind, Name, Relation};
use crate::pg::identity;
use crate::pg::remembered::{self, Remembered};
use crate::pg::settings::{self, EXACT};
use crate::pg::sql;
use crate::pg::table;
use crate::report::{Report, SqlState};
use crate::store::hooks;
use pgrx::pg_sys::Oid;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// A guard of a table, with what only the watch needs of its registry's row.
#[derive(Clone, Debug)]
pub struct Watched {
    pub guard: Guard,
    pub table: Name,
    /// The WHEN of the guard's triggers as PostgreSQL wrote it when they were made.
    pub when_clause: Option<String>,
}

thread_local! {
    static REGISTERED: RefCell<Remembered<Vec<Watched>>> = const { RefCell::new(Remembered::nothing()) };
}

/// All guards that are registered, from the backend's memory or read again when anything has changed.
///
/// # Errors
///
/// Undefined object when the extension's SQL is not installed; VD009 for a row that cannot be read.
pub fn registered() -> Result<Rc<Vec<Watched>>, Report> {
    remembered::or_read(&REGISTERED, "guards", || {
        let mut all = Vec::new();
        table::for_each("guards", |row| {
            all.push(Watched {
                guard: registry::read(row)?,
                table: row.relation(),
                when_clause: row.get("when_clause"),
            });
            Ok(())
        })?;
        all.sort_by_key(|watched: &Watched| watched.guard.id);
        Ok(all)
    })
}

/// A trigger as it is.
struct Standing {
    enabled: String,
    kind: i16,
    ours: bool,
    columns: Vec<String>,
    when_clause: Option<String>,
    depends: bool,
}

/// pg_trigger.tgtype's bits.
const ROW: i16 = 1;
const BEFORE: i16 = 2;
const INSERT: i16 = 4;
const DELETE: i16 = 8;
const UPDATE: i16 = 16;

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
        for duty in Duty::ALL {
            let name = trigger_name(watched.guard.id, duty);
            let found = standing.get(&(*member, name.clone()));
            match (expected(watched, root, duty), found) {
                (None, _) => {}
                (Some(_), None) => differs.push(format!("trigger {name} is missing")),
                (Some(expected), Some(found)) => compare(&name, &expected, found, &mut differs),
            }
        }
        if !differs.is_empty() {
            drifted.push((*member, differs));
        }
    }
    Ok(drifted)
}

struct Expected {
    kind: i16,
    columns: Vec<String>,
    when_clause: Option<String>,
}

fn expected(watched: &Watched, root: &Relation, duty: Duty) -> Option<Expected> {
    let soft = watched.guard.is_soft();
    let (kind, wanted) = match duty {
        Duty::Inserts => (ROW | INSERT | UPDATE, true),
        Duty::Updates => (ROW | UPDATE, true),
        Duty::Moves => {
            let arrivals = if watched.guard.condition.is_some() {
                INSERT
            } else {
                0
            };
            (ROW | DELETE | arrivals, root.kind == Kind::Partitioned)
        }
        Duty::BeforeInserts => (ROW | BEFORE | INSERT, soft),
        Duty::BeforeUpdates => (ROW | BEFORE | UPDATE, soft),
    };
    let conditional = matches!(duty, Duty::Inserts | Duty::BeforeInserts);
    wanted.then(|| Expected {
        kind,
        columns: match duty {
            Duty::Inserts => guarded_columns(&watched.guard),
            _ => Vec::new(),
        },
        when_clause: watched.when_clause.clone().filter(|_| conditional),
    })
}

/// Key, content, condition and flag columns, sorted.
pub fn guarded_columns(guard: &Guard) -> Vec<String> {
    let mut names: Vec<String> = guard.key.iter().map(|key| key.name.clone()).collect();
    names.extend(guard.content.values().map(|column| column.name.clone()));
    names.extend(guard.condition_columns.iter().cloned());
    names.extend(guard.flag.iter().map(|(name, _)| name.clone()));
    names.sort();
    names.dedup();
    names
}

fn compare(name: &str, expected: &Expected, found: &Standing, differs: &mut Vec<String>) {
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
    if found.kind != expected.kind {
        differs.push(format!("trigger {name} fires at other times or events"));
    }
    if found.columns != expected.columns {
        differs.push(format!(
            "trigger {name} is on columns ({}), not on ({})",
            found.columns.join(", "),
            expected.columns.join(", ")
        ));
    }
    if found.when_clause != expected.when_clause {
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
    let names: Vec<String> = Duty::ALL
        .iter()
        .map(|duty| trigger_name(watched.guard.id, *duty))
        .collect();
    let rows = || {
        sql::rows(
                "SELECT t.tgrelid, t.tgname::pg_catalog.text, t.tgenabled::pg_catalog.text, t.tgtype,
                     f.proname OPERATOR(pg_catalog.=) 'guard_row'
                         AND f.pronamespace OPERATOR(pg_catalog.=) 'verdict'::pg_catalog.regnamespace,
                     ARRAY(SELECT a.attname::pg_catalog.text FROM pg_catalog.pg_attribute AS a
                           WHERE a.attrelid OPERATOR(pg_catalog.=) t.tgrelid
                               AND a.attnum OPERATOR(pg_catalog.=) ANY (t.tgattr::pg_catalog.int2[])
                           ORDER BY a.attname COLLATE pg_catalog.\"C\"),
                     pg_catalog.substring(pg_catalog.pg_get_triggerdef(t.oid), ' WHEN \\((.*)\\) EXECUTE FUNCTION '),
                     EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS d
                             WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_trigger'::pg_catalog.regclass
                                 AND d.objid OPERATOR(pg_catalog.=) t.oid AND d.deptype OPERATOR(pg_catalog.=) 'x')
                 FROM pg_catalog.pg_trigger AS t JOIN pg_catalog.pg_proc AS f ON f.oid OPERATOR(pg_catalog.=) t.tgfoid
                 WHERE t.tgrelid OPERATOR(pg_catalog.=) ANY ($1)
                     AND t.tgname OPERATOR(pg_catalog.=) ANY ($2::pg_catalog.name[])",
                &[members.to_vec().into(), names.into()],
                |row| {
                    let key = (row.get(1)?.unwrap_or(Oid::INVALID), row.get(2)?.unwrap_or_default());
                    let standing = Standing {
                        enabled: row.get(3)?.unwrap_or_default(),
                        kind: row.get(4)?.unwrap_or(0),
                        ours: row.get(5)?.unwrap_or(false),
                        columns: row.get(6)?.unwrap_or_default(),
                        when_clause: row.get(7)?,
                        depends: row.get(8)?.unwrap_or(false),
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

/// The guard's columns as they would be checked today, to make its triggers again.
///
/// # Errors
///
/// What [`Reads::check`] refuses: a column that is gone, or of another type.
pub fn reads_again(guard: &Guard, relation: &Relation) -> Result<Reads, Report> {
    let hook = hooks::by_id(guard.hook_id)?.ok_or_else(|| {
        Report::new(
            SqlState::UndefinedObject,
            format!("the hook of guard \"{}\" does not exist", guard.name),
        )
    })?;
    let key = guard.key.as_ref().map(registry::Mapped::written);
    let content = guard.content_map();
    Reads::check(
        key.as_deref(),
        content.as_ref(),
        guard.condition.as_deref(),
        &hook,
        relation,
    )
}
