//! A guard as the registry keeps it: names, not OIDs, so that dump and restore carry it.

use crate::enforce::shape::Duty;
use crate::pg::catalog::Name;
use crate::pg::table::Row;
use crate::report::{Report, SqlState};
use std::collections::BTreeMap;
use std::str::FromStr;
use verdict::{Action, Actions, Finding, Legacy, Locking, Policy, ReplicaRole};

/// A guard's row.
#[derive(Clone, Debug)]
pub struct Guard {
    pub id: i32,
    pub name: String,
    pub hook_id: i32,
    /// `None`: matched by content digest.
    pub key: Option<Mapped>,
    /// Field → column, in the order of the digest. Empty: not bound to content.
    pub content: BTreeMap<String, Mapped>,
    pub condition: Option<String>,
    pub condition_columns: Vec<String>,
    /// Without the hook's `failed_continue`.
    pub policy: Policy,
    pub locking: Locking,
    /// The column that `flag` sets, and the text of the value that it gets.
    pub flag: Option<(String, String)>,
    /// Columns whose values incidents do not show.
    pub redact: Vec<String>,
}

impl Guard {
    /// Field → column as `verdict.guard` takes it; `None` when the guard is not bound to content.
    pub fn content_map(&self) -> Option<serde_json::Value> {
        let columns = self
            .content
            .iter()
            .map(|(field, column)| (field.clone(), column.written().into()));
        (!self.content.is_empty()).then(|| serde_json::Value::Object(columns.collect()))
    }

    /// Whether a row may be changed or left out: what needs a BEFORE trigger.
    pub fn is_soft(&self) -> bool {
        Finding::ALL
            .iter()
            .map(|finding| self.policy.actions.get(*finding))
            .any(|action| action.is_soft() && (action != Action::Flag || self.flag.is_some()))
    }
}

/// A column and, for bytea, what its bytes mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapped {
    pub name: String,
    pub form: Option<String>,
}

impl Mapped {
    /// `column`, `column:hex` or `column:utf8`.
    pub fn parse(text: &str) -> Self {
        match text.rsplit_once(':') {
            Some((name, form @ ("hex" | "utf8"))) => Self {
                name: name.to_owned(),
                form: Some(form.to_owned()),
            },
            _ => Self {
                name: text.to_owned(),
                form: None,
            },
        }
    }
}

impl Mapped {
    /// As [`Mapped::parse`] reads it.
    pub fn written(&self) -> String {
        match &self.form {
            Some(form) => format!("{}:{form}", self.name),
            None => self.name.clone(),
        }
    }
}

/// Reads a row of `verdict.guards`.
///
/// # Errors
///
/// VD009 for a row that this version cannot read: the guard refuses rather than guesses.
pub fn read(row: &Row) -> Result<Guard, Report> {
    let name = row.text("name");
    let broken = |error: verdict::UnknownWord| {
        Report::new(
            SqlState::GuardMisconfigured,
            format!("VD009: guard \"{name}\" cannot be read: {error}"),
        )
        .hint("Was the row written by hand, or by a newer version of pg_verdict?")
    };
    let mut actions = Actions::default();
    for finding in Finding::ALL {
        actions.set(
            *finding,
            row.text(&format!("on_{finding}")).parse().map_err(broken)?,
        );
    }
    let policy = Policy {
        failed_continue: false,
        actions,
        mode: row.text("mode").parse().map_err(broken)?,
        edits: row.text("edits").parse().map_err(broken)?,
        legacy: or_default(row, "legacy", Legacy::Enforce).map_err(broken)?,
        replica_role: or_default(row, "replica_role", ReplicaRole::Client).map_err(broken)?,
    };
    let content = row.json("content").unwrap_or_default();
    let content = content.as_object().into_iter().flatten();
    Ok(Guard {
        id: row.get("id").unwrap_or(0),
        hook_id: row.get("hook_id").unwrap_or(0),
        key: row.get::<String>("key").map(|key| Mapped::parse(&key)),
        content: content
            .map(|(field, column)| {
                (
                    field.clone(),
                    Mapped::parse(column.as_str().unwrap_or_default()),
                )
            })
            .collect(),
        condition: row.get("condition"),
        condition_columns: names(row.json("condition_columns")),
        policy,
        locking: row.text("locking").parse().map_err(broken)?,
        flag: row.get("flag_column").zip(row.get("flag_value")),
        redact: names(row.json("redact")),
        name,
    })
}

/// What is said of a table that nothing guards.
pub fn no_guard(table: &Name) -> Report {
    Report::new(
        SqlState::UndefinedObject,
        format!("table {table} has no guard"),
    )
    .hint("See verdict.guards.")
}

/// A word that an older version of the SQL does not keep.
fn or_default<T: FromStr>(row: &Row, column: &str, default: T) -> Result<T, T::Err> {
    row.get::<String>(column)
        .map_or(Ok(default), |word| word.parse())
}

fn names(list: Option<serde_json::Value>) -> Vec<String> {
    list.unwrap_or_default()
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect()
}

/// The name of one of a guard's triggers. Triggers fire in the order of their names: those before the row is stored
/// should come after the application's own.
pub fn trigger_name(guard_id: i32, duty: Duty) -> String {
    match duty {
        Duty::Inserts => format!("verdict_guard_{guard_id}"),
        Duty::Updates => format!("verdict_guard_{guard_id}_update"),
        Duty::Moves => format!("verdict_guard_{guard_id}_move"),
        Duty::BeforeInserts => format!("zz_verdict_guard_{guard_id}_insert"),
        Duty::BeforeUpdates => format!("zz_verdict_guard_{guard_id}_update"),
    }
}
