//! What makes a guard weaker than it was before a statement.

use super::difference::in_words;
use super::drift;
use crate::guard::registry::Watched;
use pg::catalog::{self, Relation, RelationKind};
use pg::ddl_event::DdlEvent;
use pg::report::Report;
use pg::{rows, sql};
use pgrx::pg_sys::{NoLock, Oid};

/// The statement, except for the tables that it touched.
pub struct DdlStatement {
    pub tag: String,
    pub attaches: bool,
    pub detached: Option<String>,
    pub renamed_column: Option<(String, String)>,
    renames_label: bool,
    new_expressions: Vec<String>,
    enables_rules: bool,
}

impl DdlStatement {
    pub fn read(event: DdlEvent) -> Self {
        Self {
            tag: event.tag(),
            attaches: event.attaches(),
            detached: event.detached(),
            renamed_column: event.renamed_column(),
            renames_label: event.renames_label(),
            new_expressions: event.new_expressions(),
            enables_rules: event.enables_rules(),
        }
    }
}

/// How a guard is weaker after a statement.
pub struct Weakness {
    pub what: String,
    pub way_out: &'static str,
    /// Whether the guard does not stand as installed. Then it is not watched until it stands again.
    /// If not, the guard stands, but something has come that it cannot judge.
    pub is_drift: bool,
}

impl Weakness {
    fn came(what: String, way_out: &'static str) -> Option<Self> {
        Some(Self {
            what,
            way_out,
            is_drift: false,
        })
    }

    fn drift(what: String, way_out: &'static str) -> Option<Self> {
        Some(Self {
            what,
            way_out,
            is_drift: true,
        })
    }
}

/// What a statement has brought.
#[derive(Default)]
pub struct Brought {
    /// Tables that it has attached as partitions.
    pub attached: Vec<Oid>,
    /// Types that it has touched.
    pub types: Vec<Oid>,
}

/// How the statement has weakened the guard, as far as these tables of its tree show.
///
/// # Errors
///
/// SPI's own.
pub fn after(
    statement: &DdlStatement,
    brought: &Brought,
    watched: &Watched,
    root: &Relation,
    members: &[Oid],
) -> Result<Option<Weakness>, Report> {
    if watched.table != root.name {
        return Ok(Weakness::drift(
            format!(
                "its table would be called {}, not {}",
                root.name, watched.table
            ),
            "To rename a guarded table: verdict.rename(relation, new_name). To put another table in its place: verdict.rehome(old, new).",
        ));
    }
    let drifted = drift::differences(watched, root, members)?;
    if let Some((member, differs)) = drifted.first() {
        let name = catalog::relation(*member)?.name;
        return Ok(Weakness::drift(
            format!("on table {name}: {}", in_words(differs)),
            "To change a guard: verdict.alter_guard(relation, hook, …). To take it off: verdict.unguard(relation, hook, reason). To open it for a while: verdict.break_glass(relation, reason, duration).",
        ));
    }
    came(statement, brought, watched, root, members)
}

/// Rows or tables that no guard has judged or will judge.
fn came(
    statement: &DdlStatement,
    brought: &Brought,
    watched: &Watched,
    root: &Relation,
    members: &[Oid],
) -> Result<Option<Weakness>, Report> {
    for attached in &brought.attached {
        if !rows::is_any(*attached)? {
            continue;
        }
        let name = catalog::relation(*attached)?.name;
        return Ok(Weakness::came(
            format!("table {name} would be attached with rows that no guard has judged"),
            "Attach it empty and insert the rows, or let a verdict admin attach it and look at verdict.reconcile(hook, relation).",
        ));
    }
    if let Some(foreign) = new_foreign_partition(statement, brought, members)? {
        return Ok(Weakness::came(
            format!(
                "{} would be a partition whose rows are kept elsewhere, out of reach of a guard here",
                foreign.name
            ),
            "Put the rows into a table of this server, and guard the other server's table there.",
        ));
    }
    let columns = watched.guard.columns_guarded();
    let changed = statement.new_expressions.iter();
    if let Some(column) = changed.into_iter().find(|name| columns.contains(name)) {
        return Ok(Weakness::came(
            format!("guarded column {column} would get other values in all rows"),
            "A verdict admin can do that, and look at verdict.reconcile(hook, relation) afterwards.",
        ));
    }
    if statement.renames_label
        && let Some(column) = columns.iter().find(|name| {
            let column = root.column(name);
            column.is_some_and(|column| {
                brought
                    .types
                    .contains(&catalog::element_type(column.base_type))
            })
        })
    {
        return Ok(Weakness::came(
            format!("guarded column {column} would show another value in all rows with that label"),
            "A verdict admin can do that, and look at verdict.reconcile(hook, relation) afterwards.",
        ));
    }
    if (statement.tag == "CREATE RULE" || statement.enables_rules)
        && let Some(rule) = rule_on(members)?
    {
        return Ok(Weakness::came(
            format!("rule {rule} could keep rows away from it"),
            "Use a view with the rule, and leave the table as it is.",
        ));
    }
    Ok(None)
}

fn new_foreign_partition(
    statement: &DdlStatement,
    brought: &Brought,
    members: &[Oid],
) -> Result<Option<Relation>, Report> {
    let attached = brought.attached.iter();
    let mut new: Vec<Oid> = attached
        .flat_map(|table| catalog::tree(*table, NoLock))
        .collect();
    if statement.tag == "CREATE FOREIGN TABLE" {
        new.extend(members);
    }
    for table in new {
        let facts = catalog::relation(table)?;
        if facts.kind == RelationKind::Foreign {
            return Ok(Some(facts));
        }
    }
    Ok(None)
}

fn rule_on(members: &[Oid]) -> Result<Option<String>, Report> {
    sql::one(
        "SELECT r.rulename::pg_catalog.text FROM pg_catalog.pg_rewrite AS r
         WHERE r.ev_class = ANY ($1) AND r.ev_enabled <> 'D' LIMIT 1",
        &[members.to_vec().into()],
    )
}
