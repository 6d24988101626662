//! `verdict.repair`: puts a table's guards back as they are registered.

use super::guard::table_to_change;
use super::soft;
use super::triggers::{install, uninstall};
use crate::guard::mapping::guardable;
use crate::guard::reads;
use crate::guard::registry;
use crate::watch::baseline;
use crate::watch::difference::in_words;
use crate::watch::drift;
use pg::catalog;
use pg::sql::or_raise;
use pg::transaction;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::{Oid, ShareRowExclusiveLock};
use pgrx::{name, pg_extern};

type Mended = TableIterator<
    'static,
    (
        name!(guard, String),
        name!(part, String),
        name!(mended, String),
    ),
>;

#[pg_extern(sql = false)]
pub fn repair(relation: Option<Oid>) -> Mended {
    or_raise((|| {
        transaction::must_be_writable()?;
        let relation = table_to_change(relation)?;
        guardable(&relation)?;
        let mut rows = Vec::new();
        let mut guarded = false;
        for watched in registry::registered()?.iter() {
            if watched.table != relation.name {
                continue;
            }
            guarded = true;
            let members = catalog::parts(&relation, ShareRowExclusiveLock);
            let drifted = drift::differences(watched, &relation, &members)?;
            for changed in baseline::changed_places(&watched.guard, &relation)? {
                // Nothing to put back: the guard is on the column of that name. What was stored
                // before is for reconcile.
                let table = relation.name.to_string();
                rows.push((watched.guard.name.clone(), table, changed));
            }
            if drifted.is_empty() {
                baseline::keep(&watched.guard, &relation)?;
                continue;
            }
            let reads = reads::reads_again(&watched.guard, &relation)?;
            soft::check(&watched.guard, &reads.columns(), &relation)?;
            uninstall(&relation, watched.guard.id)?;
            install(&relation, &watched.guard, &reads)?;
            for (member, differs) in drifted {
                let part = catalog::relation(member)?.name.to_string();
                rows.push((watched.guard.name.clone(), part, in_words(&differs)));
            }
        }
        if !guarded {
            return Err(registry::no_guard(&relation.name));
        }
        Ok(TableIterator::new(rows))
    })())
}
