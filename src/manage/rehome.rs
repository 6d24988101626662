//! `verdict.rename` gives a guarded table another name. `verdict.rehome` puts another table in its
//! place.

use super::guard::table_to_change;
use super::soft;
use super::triggers::{install, uninstall};
use crate::action::incident;
use crate::args;
use crate::guard::mapping::{guardable, lock_guardable_tree};
use crate::guard::reads;
use crate::guard::registry::{self, Watched};
use crate::watch::suspended::unwatched;
use pg::catalog::{self, Relation, quote};
use pg::identity::{self, Restriction};
use pg::report::{Report, SqlState};
use pg::sql::{self, or_raise};
use pg::transaction;
use pgrx::pg_extern;
use pgrx::pg_sys::{AccessExclusiveLock, Oid};
use verdict::DriftDone;

#[pg_extern(sql = false)]
pub fn rename(relation: Option<Oid>, new_name: Option<&str>) {
    or_raise((|| {
        transaction::must_be_writable()?;
        let relation = table_to_change(relation)?;
        let new_name = args::name("new_name", new_name)?;
        let guards = guards_of(&relation)?;
        rename_table(&relation, new_name)?;
        let now = catalog::relation(relation.oid)?.name;
        identity::as_extension_owner(|| {
            for statement in FOLLOW_NAME {
                let arguments = [
                    relation.name.schema.as_str().into(),
                    relation.name.table.as_str().into(),
                    new_name.into(),
                    now.to_string().into(),
                ];
                sql::run(statement, &arguments)?;
            }
            Ok(())
        })?;
        for watched in guards {
            let what = format!("renamed to {}", quote(new_name));
            incident::write_drift(&watched.guard, &watched.table, DriftDone::Renamed, &what)?;
        }
        Ok(())
    })());
}

/// Guards, held rows and broken glass belong to the table's name, and so they follow it.
const FOLLOW_NAME: [&str; 3] = [
    "UPDATE verdict.guards SET relation_name = $3
     WHERE relation_schema = $1 AND relation_name = $2 AND $4 IS NOT NULL",
    "UPDATE verdict.quarantine SET relation_name = $3, relation = $4
     WHERE relation_schema = $1 AND relation_name = $2
         AND state = 'held'",
    "UPDATE verdict.glass SET relation_name = $3
     WHERE relation_schema = $1 AND relation_name = $2
         AND restored_at IS NULL AND $4 IS NOT NULL",
];

/// Puts `new` in the place of `old`. The two tables exchange their names, and the guards move to
/// `new`. Afterwards `old` has the other name and no guards.
#[pg_extern(sql = false)]
pub fn rehome(old: Option<Oid>, new: Option<Oid>) {
    or_raise((|| {
        transaction::must_be_writable()?;
        let old = table_to_change(args::required("old", old).map(Some)?)?;
        let new = table_to_change(args::required("new", new).map(Some)?)?;
        if old.oid == new.oid || old.name.schema != new.name.schema || old.kind != new.kind {
            return Err(Report::new(
                SqlState::InvalidParameter,
                format!(
                    "{} cannot take the place of {}: they must be two tables of one kind in one schema",
                    new.name, old.name
                ),
            ));
        }
        let guards = guards_of(&old)?;
        guardable(&new)?;
        if registry::registered()?
            .iter()
            .any(|watched| watched.table == new.name)
        {
            return Err(Report::new(
                SqlState::DuplicateObject,
                format!("table {} already has guards", new.name),
            )
            .hint("Take them off first: verdict.unguard(relation, hook, reason)."));
        }
        catalog::tree(old.oid, AccessExclusiveLock);
        lock_guardable_tree(&new, AccessExclusiveLock)?;
        for watched in &guards {
            uninstall(&old, watched.guard.id)?;
        }
        let between = format!("verdict_rehome_{}", old.oid.to_u32());
        rename_table(&old, &between)?;
        let aside = catalog::relation(old.oid)?;
        rename_table(&new, &old.name.table)?;
        rename_table(&aside, &new.name.table)?;
        let home = catalog::relation(new.oid)?;
        held_rows_follow(&old, &home)?;
        for watched in guards {
            let reads = reads::reads_again(&watched.guard, &home)?;
            soft::check(&watched.guard, &reads.columns(), &home)?;
            install(&home, &watched.guard, &reads)?;
            let what = format!("{} took the place of {}", new.name, old.name);
            incident::write_drift(&watched.guard, &watched.table, DriftDone::Rehomed, &what)?;
        }
        Ok(())
    })());
}

/// Rows that were held for the old table now belong to the new one.
fn held_rows_follow(old: &Relation, home: &Relation) -> Result<(), Report> {
    identity::as_extension_owner(|| {
        sql::run(
            "UPDATE verdict.quarantine SET relation_oid = $3, relation_owner = $4, origin = $5
             WHERE relation_schema = $1 AND relation_name = $2
                 AND state = 'held'
                 AND CASE WHEN origin = $5 THEN relation_oid = $6
                     ELSE relation_owner = $7 END",
            &[
                home.name.schema.as_str().into(),
                home.name.table.as_str().into(),
                home.oid.into(),
                identity::role_name(home.owner).into(),
                catalog::origin().into(),
                old.oid.into(),
                identity::role_name(old.owner).into(),
            ],
        )
    })
}

/// # Errors
///
/// 42704 for a table without a guard.
fn guards_of(relation: &Relation) -> Result<Vec<Watched>, Report> {
    let mut guards = registry::registered()?.to_vec();
    guards.retain(|watched| watched.table == relation.name);
    if guards.is_empty() {
        return Err(registry::no_guard(&relation.name).hint("ALTER TABLE … RENAME will do."));
    }
    Ok(guards)
}

fn rename_table(relation: &Relation, new_name: &str) -> Result<(), Report> {
    let statement = format!(
        "ALTER TABLE {} RENAME TO {}",
        relation.name,
        quote(new_name)
    );
    identity::as_role(relation.owner, Restriction::SecurityRestricted, || {
        unwatched(|| sql::run(&statement, &[]))
    })
}
