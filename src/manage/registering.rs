//! Writes a guard's row of `verdict.guards`: what `verdict.guard` inserts, `verdict.alter_guard`
//! changes.

use crate::guard::reads::Reads;
use crate::guard::registry::Mapped;
use crate::store::hooks::Hook;
use pg::catalog::Relation;
use pg::report::Report;
use pg::{identity, sql};
use pgrx::JsonB;
use pgrx::datum::DatumWithOid;
use serde_json::Value;
use verdict::{Finding, Locking, Policy};

/// How a guard acts on what it finds: the columns of its row that name none of the table's columns
/// to read.
pub struct Conduct {
    pub name: String,
    pub policy: Policy,
    pub locking: Locking,
    /// The column that `flag` sets, and the text of the value that it gets.
    pub flag: Option<(String, String)>,
    /// Columns whose values incidents do not show.
    pub redact: Vec<String>,
}

/// A column of the row, and its value.
type Cell = (String, DatumWithOid<'static>);

fn cell(column: &str, value: impl Into<DatumWithOid<'static>>) -> Cell {
    (column.to_owned(), value.into())
}

fn conduct_cells(conduct: &Conduct) -> Vec<Cell> {
    let policy = &conduct.policy;
    let (flag_column, flag_value) = conduct.flag.clone().unzip();
    let mut cells = vec![
        cell("name", conduct.name.clone()),
        cell("locking", conduct.locking.as_str()),
        cell("mode", policy.mode.as_str()),
        cell("edits", policy.edits.as_str()),
        cell("legacy", policy.legacy.as_str()),
        cell("replica_role", policy.replica_role.as_str()),
        cell("flag_column", flag_column),
        cell("flag_value", flag_value),
        cell("redact", JsonB(conduct.redact.clone().into())),
    ];
    cells.extend(Finding::ALL.iter().map(|finding| {
        cell(
            &format!("on_{finding}"),
            policy.actions.get(*finding).as_str(),
        )
    }));
    cells
}

fn reads_cells(reads: &Reads, relation: &Relation) -> Vec<Cell> {
    let content = reads.content.clone();
    vec![
        cell("key", reads.key.as_ref().map(Mapped::written)),
        cell("content", content.map(|map| JsonB(Value::Object(map)))),
        cell("condition", reads.condition_text().map(str::to_owned)),
        cell("condition_columns", JsonB(reads.condition_columns())),
        cell("columns", JsonB(reads.attnums(relation))),
    ]
}

/// `$1, $2, …`, from `first` on.
fn parameters(first: usize, count: usize) -> String {
    let all = (first..first + count).map(|n| format!("${n}"));
    all.collect::<Vec<_>>().join(", ")
}

/// Registers a new guard.
///
/// # Errors
///
/// SPI's own.
pub fn insert(
    relation: &Relation,
    hook: &Hook,
    conduct: &Conduct,
    reads: &Reads,
) -> Result<(), Report> {
    let mut cells = vec![
        cell("relation_schema", relation.name.schema.clone()),
        cell("relation_name", relation.name.table.clone()),
        cell("hook_id", hook.id),
        cell("created_by", identity::session_user()),
    ];
    cells.extend(conduct_cells(conduct));
    cells.extend(reads_cells(reads, relation));
    let (columns, values): (Vec<_>, Vec<_>) = cells.into_iter().unzip();
    let statement = format!(
        "INSERT INTO verdict.guards ({}) VALUES ({})",
        columns.join(", "),
        parameters(1, columns.len())
    );
    identity::as_extension_owner(|| sql::run(&statement, &values))
}

/// Changes a guard's row; its columns only when `reads` are given.
///
/// # Errors
///
/// SPI's own.
pub fn update(
    guard_id: i32,
    conduct: &Conduct,
    reads: Option<(&Reads, &Relation)>,
) -> Result<(), Report> {
    let mut cells = conduct_cells(conduct);
    cells.extend(
        reads
            .into_iter()
            .flat_map(|(reads, relation)| reads_cells(reads, relation)),
    );
    let (columns, mut values): (Vec<_>, Vec<_>) = cells.into_iter().unzip();
    values.insert(0, guard_id.into());
    let statement = format!(
        "UPDATE verdict.guards SET ({}) = ROW ({}) WHERE id = $1",
        columns.join(", "),
        parameters(2, columns.len())
    );
    identity::as_extension_owner(|| sql::run(&statement, &values))
}
