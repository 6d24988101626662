//! The event triggers refuse a statement that would weaken a guard. An admin or a superuser may run
//! it.
//!
//! They refuse the *transition* from a guard with a baseline to a weaker one, never a state. A
//! restore and pg_upgrade take many steps, and a guard is weaker in the middle than at the end.

use super::baseline::{self, Baseline};
use super::drift;
use super::index_code;
use super::new_partitions;
use super::redaction;
use super::rewritten;
use super::suspended;
use super::unreported;
use super::weakness::{self, Brought, DdlStatement, Weakness};
use crate::action::incident;
use crate::guard::registry::{self, Watched};
use crate::roles;
use pg::call::Call;
use pg::catalog::{self, Relation};
use pg::ddl_event;
use pg::identity;
use pg::log::ereport;
use pg::plain::PlainFrame;
use pg::report::{About, Report, SqlState};
use pg::sql::{self, Kept};
use pgrx::PgLogLevel;
use pgrx::pg_sys::{Datum, FirstNormalObjectId, NoLock, Oid};
use verdict::DriftDone;

/// `verdict.watch_ddl()`, at ddl_command_end.
pub fn command_ended(call: Call, plain: PlainFrame) -> Datum {
    plain.step(|| {
        let event = call.event().ok_or_else(ddl_event::not_an_event_trigger)?;
        if is_off()? {
            return Ok(());
        }
        let statement = DdlStatement::read(event);
        let touched = Touched::by(&statement, event)?;
        let mut brought = Brought {
            types: touched.types,
            ..Brought::default()
        };
        if statement.tag == "CREATE INDEX" {
            new_code(&touched.tables)?;
        }
        if statement.attaches && touched.is_untold {
            rewritten::is_nowhere_a_partition()?;
        }
        for relation in touched.tables {
            if statement.attaches {
                brought.attached = new_partitions::given_to(relation)?;
                rewritten::is_no_partition(&brought.attached)?;
            }
            watch(&statement, &brought, relation)?;
            for attached in &brought.attached {
                if is_watched(catalog::root(relation))? {
                    new_partitions::must_not_be_in_use(*attached)?;
                }
                // The attached table may have been a guarded table itself.
                watch(&statement, &Brought::default(), *attached)?;
                looked_at(*attached)?;
            }
            if statement.tag.starts_with("CREATE") && is_watched(catalog::root(relation))? {
                new_partitions::must_be_born_empty(relation)?;
                looked_at(relation)?;
            }
            // A statement also changes the tables that inherit from its table, but PostgreSQL
            // reports only its table.
            for inheritor in catalog::inheritors(relation) {
                watch(&statement, &brought, inheritor)?;
            }
        }
        for relation in also_touched(&statement)? {
            watch(&statement, &brought, relation)?;
        }
        Ok(())
    });
    Datum::null()
}

/// `verdict.watch_drop()`, at sql_drop.
pub fn dropped(call: Call, plain: PlainFrame) -> Datum {
    plain.step(|| {
        let event = call.event().ok_or_else(ddl_event::not_an_event_trigger)?;
        if is_off()? {
            return Ok(());
        }
        let statement = DdlStatement::read(event);
        let (gone, without_trigger) = dropped_tables_and_triggers()?;
        for seen in baseline::all()?.iter() {
            if gone.contains(&seen.relation) {
                table_dropped(&statement, seen)?;
            }
        }
        for relation in without_trigger {
            watch(&statement, &Brought::default(), relation)?;
        }
        Ok(())
    });
    Datum::null()
}

/// `verdict.watch_rewrite()`, at table_rewrite. The call makes PostgreSQL load the library, and
/// with it `pg::making`.
pub fn rewriting(call: Call, plain: PlainFrame) -> Datum {
    plain.step(|| {
        call.event()
            .map(|_| ())
            .ok_or_else(ddl_event::not_an_event_trigger)
    });
    Datum::null()
}

/// Guarded tables that a statement changes without touching them: a schema's new name changes the
/// names of all its tables, and conditions and rows contain a type's labels. To look at a table,
/// this session waits for those who have locked it. So it looks only where it must.
fn also_touched(statement: &DdlStatement) -> Result<Vec<Oid>, Report> {
    let seen = baseline::all()?;
    let seen: Vec<Oid> = seen.iter().map(|seen| seen.relation).collect();
    match statement.tag.as_str() {
        // An extension may have a guarded table as a member, and move to another schema.
        "ALTER SCHEMA" | "ALTER EXTENSION" => Ok(seen),
        "ALTER TYPE" | "ALTER DOMAIN" => sql::rows(
            "SELECT c.oid FROM pg_catalog.pg_class AS c
             WHERE c.oid = ANY ($1) AND (c.reloftype <> 0::pg_catalog.oid
                 OR EXISTS (SELECT 1 FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = c.oid
                     AND a.atttypid >= $2))",
            &[seen.into(), Oid::from(FirstNormalObjectId).into()],
            |row| row.required(1),
        ),
        _ => Ok(Vec::new()),
    }
}

/// A new index on a guarded table runs other people's code: this is allowed, and an incident
/// records it.
fn new_code(indexes: &[Oid]) -> Result<(), Report> {
    for (table, names) in index_code::in_indexes(indexes)? {
        let root = catalog::relation(catalog::root(table))?;
        for watched in registry::registered()?.iter() {
            if watched.table == root.name && !index_code::is_loaded_everywhere()? {
                note(
                    watched,
                    DriftDone::Risk,
                    &format!("CREATE INDEX: {}", index_code::means(&names)),
                )?;
            }
        }
    }
    Ok(())
}

/// Notes that a new partition has been looked at. A partition on which a guard does not stand yet
/// is not noted: PostgreSQL makes its triggers last, and until then rows may come.
fn looked_at(partition: Oid) -> Result<(), Report> {
    let root = catalog::relation(catalog::root(partition))?;
    for watched in registry::registered()?.iter() {
        if watched.table == root.name
            && !drift::differences(watched, &root, &[partition])?.is_empty()
        {
            return Ok(());
        }
    }
    new_partitions::looked_at(partition)
}

fn is_watched(table: Oid) -> Result<bool, Report> {
    Ok(baseline::all()?.iter().any(|seen| seen.relation == table))
}

/// Whether there is nothing to watch: pg_upgrade runs, our own statements run, or the extension is
/// being dropped with our tables.
fn is_off() -> Result<bool, Report> {
    if ddl_event::in_binary_upgrade() || suspended::is_suspended() {
        return Ok(true);
    }
    for table in ["guards", "baselines", "hooks"] {
        if !catalog::has_own(table) {
            return Ok(true);
        }
    }
    Ok(registry::registered()?.is_empty())
}

/// Looks at the guards of a table that a statement has touched, and at the guards of its ancestors.
fn watch(statement: &DdlStatement, brought: &Brought, relation: Oid) -> Result<(), Report> {
    let Ok(facts) = catalog::relation(relation) else {
        return Ok(());
    };
    let above = catalog::ancestors(relation);
    let root = match above.last() {
        None => facts,
        Some(root) => catalog::relation(*root)?,
    };
    let all_seen = baseline::all()?;
    for watched in registry::registered()?.iter() {
        let seen = all_seen.iter().find(|seen| {
            seen.guard_id == watched.guard.id
                && (seen.relation == relation || above.contains(&seen.relation))
        });
        // A guarded table that has become a partition is no longer the root of its tree.
        let below = seen.filter(|seen| seen.relation != root.oid);
        let below = below
            .map(|seen| catalog::relation(seen.relation))
            .transpose()?;
        let home = below.as_ref().unwrap_or(&root);
        let was_whole = seen.is_some_and(|seen| seen.is_whole);
        if !was_whole && watched.table != home.name {
            continue;
        }
        let whole_tree = home.oid == relation;
        let members = if whole_tree {
            catalog::parts(home, NoLock)
        } else {
            vec![relation]
        };
        let weakness = weakness::after(statement, brought, watched, home, &members)?;
        if let Some((old, new)) = &statement.renamed_column
            && whole_tree
        {
            redaction::follow(&watched.guard, home, old, new)?;
        }
        match (was_whole, weakness) {
            (true, Some(weakness)) => weakened(watched, statement, home, &weakness)?,
            (true, None) => {
                if let Some(detached) = &statement.detached {
                    note(
                        watched,
                        DriftDone::Detached,
                        &format!("{detached} was detached"),
                    )?;
                }
            }
            // The statement may have repaired the guard's last difference, on one partition. A
            // guard that is being restored has no baseline yet. Then the whole tree is not
            // searched, because this would happen once for each partition.
            (false, None) if whole_tree || (seen.is_some() && stands(watched, home)?) => {
                baseline::keep(&watched.guard, home)?;
            }
            (false, _) => {}
        }
    }
    Ok(())
}

/// Whether the guard stands as installed on the whole tree.
fn stands(watched: &Watched, root: &Relation) -> Result<bool, Report> {
    let members = catalog::parts(root, NoLock);
    Ok(drift::differences(watched, root, &members)?.is_empty())
}

/// Refuses the statement, or records that an admin has weakened the guard.
fn weakened(
    watched: &Watched,
    statement: &DdlStatement,
    root: &Relation,
    weakness: &Weakness,
) -> Result<(), Report> {
    let guard = &watched.guard;
    let about = About {
        schema: Some(root.name.schema.clone()),
        table: Some(root.name.table.clone()),
        constraint: Some(guard.name.clone()),
    };
    if !roles::may_weaken()? {
        return Err(Report::new(
            SqlState::Weakened,
            format!(
                "VD010: {} would weaken guard \"{}\" of table {}",
                statement.tag, guard.name, watched.table
            ),
        )
        .detail(weakness.what.clone())
        .hint(weakness.way_out)
        .about(about));
    }
    if weakness.is_drift {
        baseline::weakened(guard.id)?;
    }
    let what = format!("{}: {}", statement.tag, weakness.what);
    note(watched, DriftDone::Weakened, &what)
}

/// The owner may drop a guarded table. An incident records that it was guarded.
fn table_dropped(statement: &DdlStatement, seen: &Baseline) -> Result<(), Report> {
    for watched in registry::registered()?.iter() {
        if watched.guard.id == seen.guard_id {
            baseline::remove(seen.guard_id)?;
            note(watched, DriftDone::TableDropped, &statement.tag)?;
        }
    }
    Ok(())
}

fn note(watched: &Watched, done: DriftDone, what: &str) -> Result<(), Report> {
    let guard = &watched.guard;
    let who = identity::role_name(identity::current_user());
    ereport(
        PgLogLevel::LOG,
        &format!(
            "verdict: guard \"{}\" of table {} {done} by {who}: {what}",
            guard.name, watched.table
        ),
    );
    incident::write_drift(guard, &watched.table, done, what)
}

thread_local! {
    /// The tables that the statement has touched, directly or by a trigger or rule on them; the
    /// types that it has touched; the number of its commands.
    static TOUCHED: Kept = const { Kept::new(
        "SELECT pg_catalog.array_agg(DISTINCT CASE
             WHEN c.classid = 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid THEN c.objid
             WHEN c.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass::pg_catalog.oid THEN
                 (SELECT t.tgrelid FROM pg_catalog.pg_trigger AS t WHERE t.oid = c.objid)
             WHEN c.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass::pg_catalog.oid THEN
                 (SELECT r.ev_class FROM pg_catalog.pg_rewrite AS r WHERE r.oid = c.objid)
             END),
             pg_catalog.array_agg(c.objid) FILTER (
                 WHERE c.classid = 'pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid),
             pg_catalog.count(*)
         FROM pg_catalog.pg_event_trigger_ddl_commands() AS c",
    ) };
    /// The tables that the statement has dropped, and the tables that have lost a trigger and still
    /// exist.
    static DROPPED: Kept = const { Kept::new(
        "SELECT pg_catalog.array_agg(d.objid) FILTER (WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                 AND d.objsubid = 0),
             pg_catalog.array_agg(DISTINCT CASE WHEN d.object_type = 'trigger' THEN
                 (SELECT c.oid FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                  WHERE n.nspname = d.address_names[1]::pg_catalog.name
                      AND c.relname = d.address_names[2]::pg_catalog.name) END)
         FROM pg_catalog.pg_event_trigger_dropped_objects() AS d",
    ) };
}

/// What a statement has touched.
struct Touched {
    tables: Vec<Oid>,
    types: Vec<Oid>,
    /// PostgreSQL does not report what was touched: the lists hold all that may have been.
    is_untold: bool,
}

impl Touched {
    fn by(statement: &DdlStatement, event: ddl_event::DdlEvent) -> Result<Self, Report> {
        let (tables, types, commands) = TOUCHED.with(|query| {
            query.first_row(|row| {
                Ok((
                    oids(row.get(1)?),
                    oids(row.get(2)?),
                    row.required::<i64>(3)?,
                ))
            })
        })?;
        if commands > 0 || unreported::is_told_elsewhere(&statement.tag) {
            return Ok(Self {
                tables,
                types,
                is_untold: false,
            });
        }
        Ok(Self {
            tables: unreported::tables()?,
            types: event.altered_enum().into_iter().collect(),
            is_untold: true,
        })
    }
}

fn dropped_tables_and_triggers() -> Result<(Vec<Oid>, Vec<Oid>), Report> {
    DROPPED.with(|query| query.first_row(|row| Ok((oids(row.get(1)?), oids(row.get(2)?)))))
}

fn oids(found: Option<Vec<Option<Oid>>>) -> Vec<Oid> {
    found.into_iter().flatten().flatten().collect()
}
