//! The event triggers: a statement that would weaken a guard is refused, unless an admin or a superuser makes it.
//!
//! Refused is a *transition* from a guard that was seen whole to a weaker one, never a state: a dump is restored, and
//! pg_upgrade works, in steps whose middle is weaker than their end.

use super::drift::{self, Watched};
use super::whole::{self, Seen};
use super::{mending, roles};
use crate::audit::incident;
use crate::pg::catalog::{self, Relation};
use crate::pg::entry::{Call, Plain, say};
use crate::pg::event::{self, Event};
use crate::pg::identity;
use crate::pg::{rows, sql};
use crate::report::{About, Report, SqlState};
use pgrx::PgLogLevel;
use pgrx::pg_sys::{Datum, NoLock, Oid};

/// `verdict.watch_ddl()`, at ddl_command_end.
pub fn command_ended(call: Call, plain: Plain) -> Datum {
    plain.step(|| {
        let event = call.event().ok_or_else(event::not_an_event_trigger)?;
        if is_off()? {
            return Ok(());
        }
        let statement = Statement::read(event);
        for relation in touched()? {
            watch(&statement, relation)?;
            // What it does to a table it does to those that inherit from it, and tells of the first one only.
            for heir in catalog::heirs(relation) {
                watch(&statement, heir)?;
            }
        }
        if statement.is_about_many_tables() {
            for seen in whole::all()?.iter() {
                watch(&statement, seen.relation)?;
            }
        }
        Ok(())
    });
    Datum::null()
}

/// `verdict.watch_drop()`, at sql_drop.
pub fn dropped(call: Call, plain: Plain) -> Datum {
    plain.step(|| {
        let event = call.event().ok_or_else(event::not_an_event_trigger)?;
        if is_off()? {
            return Ok(());
        }
        let statement = Statement::read(event);
        let gone = dropped_tables()?;
        for seen in whole::all()?.iter() {
            if gone.contains(&seen.relation) {
                table_dropped(&statement, seen)?;
            }
        }
        for relation in tables_of_dropped_triggers()? {
            watch(&statement, relation)?;
        }
        Ok(())
    });
    Datum::null()
}

/// Nothing to watch: pg_upgrade is at work, our own statements run, or our tables go with the extension.
fn is_off() -> Result<bool, Report> {
    if event::in_binary_upgrade() || mending::in_progress() {
        return Ok(true);
    }
    for table in ["guards", "seen_whole", "hooks"] {
        if !catalog::has_own(table) {
            return Ok(true);
        }
    }
    Ok(drift::registered()?.is_empty())
}

/// What the statement was, beyond the tables that it touched.
struct Statement {
    tag: String,
    attached: Option<Oid>,
    detached: Option<Oid>,
    new_expressions: Vec<String>,
}

impl Statement {
    fn read(event: Event) -> Self {
        Self {
            tag: event.tag(),
            attached: event.attached(),
            detached: event.detached(),
            new_expressions: event.new_expressions(),
        }
    }

    /// A schema's new name is a new name of all its tables; a type's labels and attributes are in the conditions that use it.
    fn is_about_many_tables(&self) -> bool {
        ["ALTER SCHEMA", "ALTER TYPE", "ALTER DOMAIN"].contains(&self.tag.as_str())
    }
}

/// Looks at the guards of a table that a statement has touched.
fn watch(statement: &Statement, relation: Oid) -> Result<(), Report> {
    let Ok(facts) = catalog::relation(relation) else {
        return Ok(());
    };
    let root = catalog::root(relation);
    let seen = whole::all()?;
    let root_facts = if root == relation {
        facts
    } else {
        catalog::relation(root)?
    };
    for watched in drift::registered()?.iter() {
        let was_whole = seen.iter().any(|seen| {
            seen.is_whole && seen.relation == root && seen.guard_id == watched.guard.id
        });
        if !was_whole && watched.table != root_facts.name {
            continue;
        }
        let whole_tree = root == relation;
        let members = if whole_tree {
            catalog::parts(&root_facts, NoLock)
        } else {
            vec![relation]
        };
        let weakness = weakness(watched, statement, &root_facts, &members)?;
        match (was_whole, weakness) {
            (true, Some(weakness)) => weakened(watched, statement, &root_facts, &weakness)?,
            (true, None) => {
                if let Some(detached) = statement.detached {
                    let what = format!("{} was detached", catalog::relation(detached)?.name);
                    note(watched, "detached", &what)?;
                }
            }
            (false, None) if whole_tree => {
                whole::mark(&watched.guard, &root_facts)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// How a guard is weaker than it should be after a statement.
struct Weakness {
    what: String,
    way_out: &'static str,
}

fn weakness(
    watched: &Watched,
    statement: &Statement,
    root: &Relation,
    members: &[Oid],
) -> Result<Option<Weakness>, Report> {
    if watched.table != root.name {
        return Ok(Some(Weakness {
            what: format!(
                "its table would be called {}, not {}",
                root.name, watched.table
            ),
            way_out: "To rename a guarded table: verdict.rename(relation, new_name). To put another table in its place: verdict.rehome(old, new).",
        }));
    }
    if let Some(attached) = statement.attached
        && rows::is_any(attached)?
    {
        return Ok(Some(Weakness {
            what: format!(
                "table {} would be attached with rows that no guard has judged",
                catalog::relation(attached)?.name
            ),
            way_out: "Attach it empty and insert the rows, or let a verdict admin attach it and look at verdict.reconcile(hook, relation).",
        }));
    }
    let columns = drift::guarded_columns(&watched.guard);
    if let Some(column) = statement
        .new_expressions
        .iter()
        .find(|name| columns.contains(name))
    {
        return Ok(Some(Weakness {
            what: format!("guarded column {column} would get other values in all rows"),
            way_out: "A verdict admin can do that, and look at verdict.reconcile(hook, relation) afterwards.",
        }));
    }
    if let Some(rule) = rule_on(members)? {
        return Ok(Some(Weakness {
            what: format!("rule {rule} could keep rows away from it"),
            way_out: "Use a view with the rule, and leave the table as it is.",
        }));
    }
    let drifted = drift::of(watched, root, members)?;
    let Some((member, differs)) = drifted.first() else {
        return Ok(None);
    };
    let name = catalog::relation(*member)?.name;
    Ok(Some(Weakness {
        what: format!("on table {name}: {}", differs.join("; ")),
        way_out: "To change a guard: verdict.alter_guard(relation, hook, …). To take it off: verdict.unguard(relation, hook, reason). To open it for a while: verdict.break_glass(relation, reason, duration).",
    }))
}

/// Refuses, or writes down what an admin has done.
fn weakened(
    watched: &Watched,
    statement: &Statement,
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
    whole::weakened(guard.id)?;
    let what = format!("{}: {}", statement.tag, weakness.what);
    note(watched, "weakened", &what)
}

/// Its owner may drop a guarded table; that it was guarded stays on record.
fn table_dropped(statement: &Statement, seen: &Seen) -> Result<(), Report> {
    for watched in drift::registered()?.iter() {
        if watched.guard.id == seen.guard_id {
            whole::forget(seen.guard_id)?;
            note(watched, "table_dropped", &statement.tag)?;
        }
    }
    Ok(())
}

fn note(watched: &Watched, done: &str, what: &str) -> Result<(), Report> {
    let guard = &watched.guard;
    let who = identity::role_name(identity::current_user());
    say(
        PgLogLevel::LOG,
        &format!(
            "verdict: guard \"{}\" of table {} {done} by {who}: {what}",
            guard.name, watched.table
        ),
    );
    incident::write_drift(guard, &watched.table, done, what)
}

/// The tables that the statement has touched: themselves, or by a trigger or rule on them.
fn touched() -> Result<Vec<Oid>, Report> {
    oids(
        "SELECT pg_catalog.array_agg(DISTINCT CASE c.classid::pg_catalog.regclass
             WHEN 'pg_catalog.pg_class'::pg_catalog.regclass THEN c.objid
             WHEN 'pg_catalog.pg_trigger'::pg_catalog.regclass THEN
                 (SELECT t.tgrelid FROM pg_catalog.pg_trigger AS t WHERE t.oid OPERATOR(pg_catalog.=) c.objid)
             WHEN 'pg_catalog.pg_rewrite'::pg_catalog.regclass THEN
                 (SELECT r.ev_class FROM pg_catalog.pg_rewrite AS r WHERE r.oid OPERATOR(pg_catalog.=) c.objid)
             END)
         FROM pg_catalog.pg_event_trigger_ddl_commands() AS c",
    )
}

fn dropped_tables() -> Result<Vec<Oid>, Report> {
    oids(
        "SELECT pg_catalog.array_agg(d.objid) FROM pg_catalog.pg_event_trigger_dropped_objects() AS d
         WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
             AND d.objsubid OPERATOR(pg_catalog.=) 0",
    )
}

/// Tables that are still there and have lost a trigger.
fn tables_of_dropped_triggers() -> Result<Vec<Oid>, Report> {
    oids(
        "SELECT pg_catalog.array_agg(DISTINCT c.oid) FROM pg_catalog.pg_event_trigger_dropped_objects() AS d
         JOIN pg_catalog.pg_namespace AS n ON n.nspname::pg_catalog.text OPERATOR(pg_catalog.=) d.address_names[1]
         JOIN pg_catalog.pg_class AS c ON c.relnamespace OPERATOR(pg_catalog.=) n.oid
             AND c.relname::pg_catalog.text OPERATOR(pg_catalog.=) d.address_names[2]
         WHERE d.object_type OPERATOR(pg_catalog.=) 'trigger'",
    )
}

fn oids(statement: &str) -> Result<Vec<Oid>, Report> {
    let found = sql::one::<Vec<Option<Oid>>>(statement, &[])?;
    Ok(found.into_iter().flatten().flatten().collect())
}

fn rule_on(members: &[Oid]) -> Result<Option<String>, Report> {
    sql::one(
        "SELECT r.rulename::pg_catalog.text FROM pg_catalog.pg_rewrite AS r
         WHERE r.ev_class OPERATOR(pg_catalog.=) ANY ($1) LIMIT 1",
        &[members.to_vec().into()],
    )
}
