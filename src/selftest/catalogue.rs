//! The ways round a guard that can be tried from inside. docs/security.md has the whole catalogue,
//! with those that cannot.

use super::target::{EDITED, Target, Trace};
use pg::catalog::{literal, quote};

/// Whose rights an attempt is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum As {
    /// The role of the argument, and the table's owner.
    Anybody,
    /// The table's owner alone: what only an owner can do.
    Owner,
}

/// One attempt: statements that should end with a row in the table that was never approved.
pub struct Attempt {
    pub name: &'static str,
    pub by: As,
    /// Whether the row must be approved and stored first.
    pub approved_first: bool,
    /// `Err` says why it cannot be made on this table.
    pub statements: fn(&Target) -> Result<Vec<String>, &'static str>,
    /// Finds the row that should not be there.
    pub traces: fn(&Target) -> Trace,
}

fn is_row(target: &Target) -> Trace {
    target.trace(0)
}

/// The row as an edit would leave it.
fn is_edited(target: &Target) -> Trace {
    Trace {
        column: target.content.clone().unwrap_or_default(),
        text: EDITED.to_owned(),
    }
}

fn table(target: &Target) -> String {
    target.relation.name.to_string()
}

fn then_insert(target: &Target, statement: String) -> Result<Vec<String>, &'static str> {
    Ok(vec![statement, target.insert(0)])
}

fn content(target: &Target) -> Result<String, &'static str> {
    let name = target.content.as_deref();
    name.map(quote)
        .ok_or("the guard is bound to no text column that could be edited")
}

fn leaf(target: &Target) -> Result<&str, &'static str> {
    target.leaf.as_deref().ok_or("the table has no partitions")
}

fn key(target: &Target) -> Result<String, &'static str> {
    if target.primary_key.is_empty() {
        return Err("the table has no primary key");
    }
    let names: Vec<String> = target.primary_key.iter().map(|name| quote(name)).collect();
    Ok(names.join(", "))
}

fn trigger(target: &Target) -> String {
    format!("verdict_guard_{}", target.info.guard_id)
}

macro_rules! attempts {
    ($($name:literal, $by:expr, $approved:expr, $traces:expr, $statements:expr;)*) => {
        /// Every attempt, in the order in which it is made.
        pub const ATTEMPTS: &[Attempt] = &[$(Attempt {
            name: $name, by: $by, approved_first: $approved, statements: $statements, traces: $traces,
        },)*];
    };
}

attempts! {
    "INSERT", As::Anybody, false, is_row, |t| Ok(vec![t.insert(0)]);
    "INSERT of many rows", As::Anybody, false, is_row,
        |t| Ok(vec![format!("INSERT INTO {} ({}) {} UNION ALL {}", table(t), t.columns(), t.select(0), t.select(1))]);
    "INSERT … ON CONFLICT DO NOTHING", As::Anybody, false, is_row,
        |t| Ok(vec![format!("{} ON CONFLICT DO NOTHING", t.insert(0))]);
    "INSERT … RETURNING", As::Anybody, false, is_row, |t| Ok(vec![format!("{} RETURNING 1", t.insert(0))]);
    "INSERT in a WITH", As::Anybody, false, is_row,
        |t| Ok(vec![format!("WITH w AS ({} RETURNING 1) SELECT pg_catalog.count(*) FROM w", t.insert(0))]);
    "MERGE", As::Anybody, false, is_row, |t| {
        let columns = t.columns();
        let values: Vec<String> = columns.split(", ").map(|name| format!("s.{name}")).collect();
        Ok(vec![format!(
            "MERGE INTO {} AS t USING ({}) AS s ON false WHEN NOT MATCHED THEN INSERT ({columns}) VALUES ({})",
            table(t), t.select(0), values.join(", ")
        )])
    };
    "INSERT into a partition", As::Anybody, false, is_row, |t| Ok(vec![t.insert_into(leaf(t)?, 0)]);
    "INSERT with a caught error", As::Anybody, false, is_row, |t| Ok(vec![format!(
        "DO $verdict$ BEGIN {}; EXCEPTION WHEN OTHERS THEN NULL; END $verdict$", t.insert(0)
    )]);
    "INSERT in replica role", As::Anybody, false, is_row,
        |t| then_insert(t, "SET LOCAL session_replication_role = replica".to_owned());
    "INSERT with another search_path", As::Anybody, false, is_row,
        |t| then_insert(t, "SET LOCAL search_path = pg_temp, verdict, public".to_owned());
    "INSERT with verdict.enforce = observe", As::Anybody, false, is_row,
        |t| then_insert(t, "SET LOCAL verdict.enforce = observe".to_owned());
    "approval by the role itself", As::Anybody, false, is_row, |t| then_insert(t, format!(
        "SELECT verdict.approve((SELECT name FROM verdict.hooks WHERE id = {}), 'x')", t.hook_id
    ));
    "approval written into the store", As::Anybody, false, is_row,
        |t| then_insert(t, "INSERT INTO verdict.verdicts SELECT * FROM verdict.verdicts LIMIT 1".to_owned());
    "guard deleted from the registry", As::Anybody, false, is_row,
        |t| then_insert(t, format!("DELETE FROM verdict.guards WHERE id = {}", t.info.guard_id));
    "event triggers disabled", As::Anybody, false, is_row,
        |t| then_insert(t, "ALTER EVENT TRIGGER verdict_watch_ddl DISABLE".to_owned());
    "extension dropped", As::Anybody, false, is_row,
        |t| then_insert(t, "DROP EXTENSION pg_verdict CASCADE".to_owned());
    "INSERT with NULL in the condition's column", As::Anybody, false, is_row, |t| {
        let name = t.condition_columns.first().ok_or("the guard has no condition")?;
        let columns: Vec<String> = t.columns().split(", ").map(str::to_owned).collect();
        let values: Vec<String> = columns
            .iter()
            .map(|column| if *column == quote(name) { "NULL".to_owned() } else { format!("s.{column}") })
            .collect();
        Ok(vec![format!(
            "INSERT INTO {} ({}) SELECT {} FROM ({}) AS s", table(t), t.columns(), values.join(", "), t.select(0)
        )])
    };
    "flag taken off", As::Anybody, false, is_row, |t| {
        let (column, _) = t.flag.as_ref().ok_or("the guard has no flag column")?;
        Ok(vec![
            t.insert(0),
            format!("UPDATE {} SET {} = DEFAULT WHERE {}", table(t), quote(column), t.is_row(0)),
        ])
    };
    "UPDATE of approved content", As::Anybody, true, is_edited, |t| Ok(vec![format!(
        "UPDATE {} SET {} = {} WHERE {}", table(t), content(t)?, literal(EDITED), t.is_row(0)
    )]);
    "ON CONFLICT DO UPDATE of approved content", As::Anybody, true, is_edited, |t| Ok(vec![format!(
        "{} ON CONFLICT ({}) DO UPDATE SET {} = {}", t.insert(0), key(t)?, content(t)?, literal(EDITED)
    )]);
    "MERGE that updates approved content", As::Anybody, true, is_edited, |t| Ok(vec![format!(
        "MERGE INTO {} AS t USING (SELECT 1) AS s ON {} WHEN MATCHED THEN UPDATE SET {} = {}",
        table(t), t.is_row(0), content(t)?, literal(EDITED)
    )]);
    "trigger disabled", As::Owner, false, is_row,
        |t| then_insert(t, format!("ALTER TABLE {} DISABLE TRIGGER {}", table(t), trigger(t)));
    "all triggers disabled", As::Owner, false, is_row,
        |t| then_insert(t, format!("ALTER TABLE {} DISABLE TRIGGER USER", table(t)));
    "trigger disabled on one partition", As::Owner, false, is_row, |t| Ok(vec![
        format!("ALTER TABLE {} DISABLE TRIGGER {}", leaf(t)?, trigger(t)),
        t.insert_into(leaf(t)?, 0),
    ]);
    "trigger enabled, but not always", As::Owner, false, is_row,
        |t| then_insert(t, format!("ALTER TABLE {} ENABLE TRIGGER {}", table(t), trigger(t)));
    "trigger dropped", As::Owner, false, is_row,
        |t| then_insert(t, format!("DROP TRIGGER {} ON {}", trigger(t), table(t)));
    "trigger renamed", As::Owner, false, is_row,
        |t| then_insert(t, format!("ALTER TRIGGER {} ON {} RENAME TO verdict_self_test", trigger(t), table(t)));
    "trigger replaced", As::Owner, false, is_row, |t| then_insert(t, format!(
        "CREATE OR REPLACE TRIGGER {} AFTER INSERT ON {} FOR EACH ROW WHEN (false)
             EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger()", trigger(t), table(t)
    ));
    "trigger tied to another extension", As::Owner, false, is_row, |t| then_insert(t, format!(
        "ALTER TRIGGER {} ON {} DEPENDS ON EXTENSION plpgsql", trigger(t), table(t)
    ));
    "content column dropped with CASCADE", As::Owner, false, is_row, |t| {
        content(t)?;
        Ok(vec![format!("ALTER TABLE {} DROP COLUMN {} CASCADE", table(t), content(t)?), t.insert(0)])
    };
    "content column renamed and replaced", As::Owner, false, is_row, |t| Ok(vec![
        format!("ALTER TABLE {} RENAME COLUMN {} TO verdict_self_test", table(t), content(t)?),
        format!("ALTER TABLE {} ADD COLUMN {} pg_catalog.text", table(t), content(t)?),
        t.insert(0),
    ]);
    "content column retyped with USING", As::Owner, false, is_edited, |t| Ok(vec![format!(
        "ALTER TABLE {} ALTER COLUMN {} TYPE pg_catalog.text USING {}", table(t), content(t)?, literal(EDITED)
    )]);
    "table renamed and replaced", As::Owner, false, is_row, |t| Ok(vec![
        format!("ALTER TABLE {} RENAME TO verdict_self_test", table(t)),
        format!("CREATE TABLE {} (LIKE {}.verdict_self_test INCLUDING DEFAULTS)", table(t), quote(&t.relation.name.schema)),
        t.insert(0),
    ]);
    "schema renamed and replaced", As::Owner, false, is_row, |t| {
        let schema = quote(&t.relation.name.schema);
        Ok(vec![
            format!("ALTER SCHEMA {schema} RENAME TO verdict_self_test"),
            format!("CREATE SCHEMA {schema}"),
            format!("CREATE TABLE {} (LIKE verdict_self_test.{} INCLUDING DEFAULTS)", table(t), quote(&t.relation.name.table)),
            t.insert(0),
        ])
    };
    "rule", As::Owner, false, is_row, |t| Ok(vec![
        format!("CREATE RULE verdict_self_test AS ON INSERT TO {} DO ALSO NOTHING", table(t)), t.insert(0),
    ]);
    "INSERT through a view", As::Owner, false, is_row, |t| {
        let view = format!("{}.verdict_self_test", quote(&t.relation.name.schema));
        Ok(vec![
            format!("CREATE VIEW {view} AS SELECT * FROM {}", table(t)),
            t.insert_into(&view, 0),
        ])
    };
    "trigger that rewrites an innocent update", As::Owner, true, is_edited, |t| {
        let function = format!("{}.verdict_self_test", quote(&t.relation.name.schema));
        Ok(vec![
            format!(
                "CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS
                 $verdict$ BEGIN NEW.{} := {}; RETURN NEW; END $verdict$", content(t)?, literal(EDITED)
            ),
            format!("CREATE TRIGGER verdict_self_test BEFORE UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION {function}()", table(t)),
            format!("UPDATE {} SET {} = {} WHERE {}", table(t), columns_kept(t), columns_kept(t), t.is_row(0)),
        ])
    };
    "child table that inherits", As::Owner, false, is_row, |t| {
        if t.leaf.is_some() {
            return Err("a partitioned table has no children that merely inherit");
        }
        let child = format!("{}.verdict_self_test", quote(&t.relation.name.schema));
        Ok(vec![format!("CREATE TABLE {child} () INHERITS ({})", table(t)), t.insert_into(&child, 0)])
    };
}

/// A column that an innocent update sets to itself.
fn columns_kept(target: &Target) -> String {
    let columns = target.columns();
    let first = columns
        .split(", ")
        .find(|name| Some(*name) != target.content.as_deref().map(quote).as_deref());
    first.unwrap_or("ctid").to_owned()
}
