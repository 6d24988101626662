//! Baselines: each records that a guard stood as installed. Only a guard with a baseline can be
//! weakened. A guard without one (in a dump that is being restored) is left alone until it stands.

use super::drift;
use crate::guard::registry::{self, Guard};
use pg::cached::{self, Cached};
use pg::catalog::{self, Relation};
use pg::report::Report;
use pg::{identity, sql, table};
use pgrx::JsonB;
use pgrx::pg_sys::{Oid, ShareRowExclusiveLock};
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::rc::Rc;

/// A guard that stood as installed on this table. The table is kept by OID: when two tables swap
/// their names, the name would lead to the wrong one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    pub guard_id: i32,
    pub relation: Oid,
    /// Guarded column → attribute number.
    columns: Map<String, Value>,
    /// Whether nobody has weakened the guard since.
    pub is_whole: bool,
}

thread_local! {
    static BASELINES: RefCell<Cached<Vec<Baseline>>> = const { RefCell::new(Cached::nothing()) };
}

/// All baselines: from the cache, or read again when anything has changed.
///
/// # Errors
///
/// Undefined object when the extension's SQL is not installed.
pub fn all() -> Result<Rc<Vec<Baseline>>, Report> {
    cached::or_read(&BASELINES, "baselines", || {
        let mut seen = Vec::new();
        table::for_each("baselines", |row| {
            seen.push(Baseline {
                guard_id: row.required("guard_id")?,
                relation: row.required("relation")?,
                columns: match row.required_json("columns")? {
                    Value::Object(columns) => columns,
                    _ => Map::new(),
                },
                is_whole: row.micros("weakened_at").is_none(),
            });
            Ok(())
        })?;
        Ok(seen)
    })
}

/// Records that the guard stands as installed on this table.
///
/// # Errors
///
/// SPI's own.
pub fn keep(guard: &Guard, root: &Relation) -> Result<(), Report> {
    identity::as_extension_owner(|| {
        sql::run(
            "INSERT INTO verdict.baselines (guard_id, relation, columns, seen_at)
             VALUES ($1, $2, $3, pg_catalog.clock_timestamp())
             ON CONFLICT (guard_id) DO UPDATE SET relation = EXCLUDED.relation, columns = EXCLUDED.columns,
                 seen_at = EXCLUDED.seen_at, weakened_at = NULL",
            &[
                guard.id.into(),
                root.oid.into(),
                JsonB(root.attnums(guard.columns_guarded()).into()).into(),
            ],
        )
    })
}

/// Guarded columns whose names belong to other columns than in the guard's baseline, in words. When
/// two columns swap their names, no trigger changes, but the columns no longer hold the approved
/// content.
///
/// # Errors
///
/// As [`all`].
pub fn changed_places(guard: &Guard, root: &Relation) -> Result<Vec<String>, Report> {
    let now = root.attnums(guard.columns_guarded());
    let seen = all()?;
    let before = seen
        .iter()
        .find(|seen| seen.guard_id == guard.id && seen.relation == root.oid);
    let changed = before.into_iter().flat_map(|seen| &seen.columns);
    Ok(changed
        .filter(|(name, attnum)| now.get(*name).is_some_and(|now| now != *attnum))
        .map(|(name, _)| format!("column {name} is not the same column as before"))
        .collect())
}

/// An admin has weakened the guard: it is not watched until it stands as installed again.
///
/// # Errors
///
/// SPI's own.
pub fn weakened(guard_id: i32) -> Result<(), Report> {
    identity::as_extension_owner(|| {
        sql::run(
            "UPDATE verdict.baselines SET weakened_at = pg_catalog.clock_timestamp()
             WHERE guard_id = $1",
            &[guard_id.into()],
        )
    })
}

/// Removes the baseline: the guard was taken off, or its table dropped.
///
/// # Errors
///
/// SPI's own.
pub fn remove(guard_id: i32) -> Result<(), Report> {
    if !catalog::has_own("baselines") {
        // The installed SQL is older than the library.
        return Ok(());
    }
    identity::as_extension_owner(|| {
        sql::run(
            "DELETE FROM verdict.baselines WHERE guard_id = $1",
            &[guard_id.into()],
        )
    })
}

/// Takes baselines of guards that a restore has put into the registry, if they stand as installed.
/// A parallel restore may make the triggers before it fills the registry. In the usual order the
/// triggers come last, and the event trigger takes the baseline.
///
/// # Errors
///
/// SPI's own.
pub fn keep_for_new() -> Result<(), Report> {
    let Ok(registered) = registry::registered() else {
        // Guards report a row that cannot be read. Here it must not stop the restore.
        return Ok(());
    };
    let seen = all()?;
    for watched in registered.iter() {
        if seen.iter().any(|seen| seen.guard_id == watched.guard.id) {
            continue;
        }
        let Some(oid) = catalog::find(&watched.table.schema, &watched.table.table) else {
            continue;
        };
        let root = catalog::relation(oid)?;
        // The lock waits for a session that is making a trigger now. A later session waits for this
        // transaction, and then sees the registry.
        let members = catalog::parts(&root, ShareRowExclusiveLock);
        if drift::differences(watched, &root, &members)?.is_empty() {
            keep(&watched.guard, &root)?;
        }
    }
    Ok(())
}
