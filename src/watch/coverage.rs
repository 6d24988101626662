//! `verdict.coverage_guards`: the state of each guard on each table of its tree. `verdict.coverage`
//! adds all other rows.

use super::baseline;
use super::difference::Difference;
use super::drift;
use super::index_code;
use crate::guard::reads::generated_by_others;
use crate::guard::registry::{self, Watched};
use crate::guard::trigger_kind::TriggerKind;
use crate::store::hooks;
use pg::catalog::{self, Name, Relation, literal};
use pg::condition::Condition;
use pg::report::Report;
use pg::savepoint;
use pg::sql::or_raise;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::NoLock;
use pgrx::{name, pg_extern};

type CoverageRow = (
    String,
    Option<String>,
    Option<String>,
    String,
    Option<String>,
    Option<String>,
);

type Coverage = TableIterator<
    'static,
    (
        name!(relation, String),
        name!(part, Option<String>),
        name!(guard, Option<String>),
        name!(state, String),
        name!(differs, Option<String>),
        name!(mend, Option<String>),
    ),
>;

#[pg_extern(sql = false)]
pub fn coverage_guards() -> Coverage {
    or_raise((|| {
        let registered = registry::registered()?;
        let mut rows = Vec::new();
        for watched in registered.iter() {
            match catalog::find(&watched.table.schema, &watched.table.table) {
                None => rows.push(gone(watched)),
                Some(root) => covered(watched, &catalog::relation(root)?, &mut rows)?,
            }
        }
        rows_of_code(&registered, &mut rows)?;
        for seen in baseline::all()?.iter() {
            let Ok(relation) = catalog::relation(seen.relation) else {
                continue;
            };
            let guard = registered
                .iter()
                .find(|watched| watched.guard.id == seen.guard_id);
            if let Some(watched) = guard.filter(|watched| watched.table != relation.name) {
                rows.push((
                    watched.table.to_string(),
                    Some(relation.name.to_string()),
                    Some(watched.guard.name.clone()),
                    "formerly guarded".to_owned(),
                    Some(
                        "it had the guarded table's name when the watch last looked at it"
                            .to_owned(),
                    ),
                    Some("Rename it back, or verdict.rehome(old, new)".to_owned()),
                ));
            }
        }
        Ok(TableIterator::new(rows))
    })())
}

/// One row for each guarded table whose indexes run other people's code, if some session might not
/// load the library.
fn rows_of_code(registered: &[Watched], rows: &mut Vec<CoverageRow>) -> Result<(), Report> {
    if index_code::is_loaded_everywhere()? {
        return Ok(());
    }
    let mut done: Vec<&Name> = Vec::new();
    for name in registered.iter().map(|watched| &watched.table) {
        if done.contains(&name) {
            continue;
        }
        done.push(name);
        let Some(oid) = catalog::find(&name.schema, &name.table) else {
            continue;
        };
        if let Some(names) = index_code::foreign_code_on(&catalog::relation(oid)?)? {
            rows.push((
                name.to_string(),
                None,
                None,
                "risk".to_owned(),
                Some(index_code::means(&names)),
                Some("ALTER DATABASE … SET session_preload_libraries = pg_verdict".to_owned()),
            ));
        }
    }
    Ok(())
}

fn gone(watched: &Watched) -> CoverageRow {
    (
        watched.table.to_string(),
        None,
        Some(watched.guard.name.clone()),
        "missing".to_owned(),
        Some("the table does not exist".to_owned()),
        Some(format!(
            "SELECT verdict.forget({}, …, 'reason')",
            literal(&watched.table.to_string())
        )),
    )
}

fn covered(watched: &Watched, root: &Relation, rows: &mut Vec<CoverageRow>) -> Result<(), Report> {
    let members = catalog::parts(root, NoLock);
    let drifted = drift::differences(watched, root, &members)?;
    let changed = baseline::changed_places(&watched.guard, root)?;
    for member in members {
        let name = catalog::relation(member)?.name;
        let drifted = drifted.iter().find(|(table, _)| *table == member);
        let differs = drifted.map_or(&[][..], |(_, differs)| differs);
        let (state, mend) = if root.is_partition && member == root.oid {
            ("drifted", Some(detach(root)?))
        } else if is_missing(differs) {
            ("missing", Some(repair(root)))
        } else if !differs.is_empty() {
            ("drifted", Some(repair(root)))
        } else if member == root.oid && !changed.is_empty() {
            ("drifted", Some(reconcile_and_repair(watched, root)?))
        } else {
            ("ok", None)
        };
        let mut words: Vec<String> = differs.iter().map(ToString::to_string).collect();
        if member == root.oid {
            words.extend(changed.iter().cloned());
        }
        rows.push((
            root.name.to_string(),
            Some(name.to_string()),
            Some(watched.guard.name.clone()),
            state.to_owned(),
            (!words.is_empty()).then(|| words.join("; ")),
            mend,
        ));
    }
    rows.extend(unreliable(watched, root)?);
    Ok(())
}

/// The risks of a guard: somebody who may change a function or a setting could change what it
/// reads.
fn unreliable(watched: &Watched, root: &Relation) -> Result<Vec<CoverageRow>, Report> {
    let hook = hooks::by_id(watched.guard.hook_id)?.map_or(String::new(), |hook| hook.name.clone());
    let alter = |what: &str| {
        format!(
            "SELECT verdict.alter_guard({}, {}, {what})",
            literal(&root.name.to_string()),
            literal(&hook)
        )
    };
    let risk = |differs: String, mend: String| {
        let guard = Some(watched.guard.name.clone());
        let table = root.name.to_string();
        (
            table,
            None,
            guard,
            "risk".to_owned(),
            Some(differs),
            Some(mend),
        )
    };
    let mut rows = Vec::new();
    // A savepoint frees what PostgreSQL holds when it refuses the condition.
    let refused = |condition| savepoint::trial(|| Condition::parse(condition, root).err());
    let refused = watched.guard.condition.as_deref().map(refused);
    let refused = match refused {
        None | Some(Ok(None)) => None,
        Some(Ok(Some(report))) => Some((report.message, report.hint.unwrap_or_default())),
        Some(Err(failure)) => Some((failure.to_string(), String::new())),
    };
    if let Some((why, hint)) = refused {
        let why = why.trim_start_matches("argument \"condition\": ");
        rows.push(risk(
            format!("verdict.guard would not accept its condition: {why}"),
            format!("{}. {hint}", alter("condition => …")),
        ));
    }
    let columns = watched.guard.columns_guarded();
    if let Some((column, table, problem)) = generated_by_others(&columns, root)? {
        rows.push(risk(
            format!(
                "column \"{column}\" of {table} is generated by code that somebody could replace: {}",
                problem.what
            ),
            format!(
                "{}, with the columns that it is made of",
                alter("content => …")
            ),
        ));
    }
    Ok(rows)
}

/// Whether no trigger of the guard is there.
fn is_missing(differs: &[Difference]) -> bool {
    differs.iter().all(Difference::is_missing) && differs.len() >= TriggerKind::ALWAYS
}

/// Rows were stored before two columns swapped their names. Reconcile comes before repair.
fn reconcile_and_repair(watched: &Watched, root: &Relation) -> Result<String, Report> {
    let hook = hooks::by_id(watched.guard.hook_id)?.map_or(String::new(), |hook| hook.name.clone());
    Ok(format!(
        "SELECT * FROM verdict.reconcile({}, {}), then {}",
        literal(&hook),
        literal(&root.name.to_string()),
        repair(root)
    ))
}

/// A guarded table that has become a partition refuses all rows until it is detached.
fn detach(root: &Relation) -> Result<String, Report> {
    let parent = catalog::ancestors(root.oid).first().copied();
    let parent = parent.map_or(Ok(root.clone()), catalog::relation)?;
    Ok(format!(
        "ALTER TABLE {} DETACH PARTITION {}",
        parent.name, root.name
    ))
}

fn repair(root: &Relation) -> String {
    format!(
        "SELECT * FROM verdict.repair({})",
        literal(&root.name.to_string())
    )
}
