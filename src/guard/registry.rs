//! A guard as the registry keeps it. The registry keeps names and not OIDs, so that dump and
//! restore carry it.

use pg::cached::{self, Cached};
use pg::catalog::Name;
use pg::report::{Report, SqlState};
use pg::table::{self, OwnRow};
use pgrx::JsonB;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::str::FromStr;
use verdict::{Action, Actions, Finding, Legacy, Locking, Policy, ReplicaRole};

/// A guard's row.
#[derive(Clone, Debug)]
pub struct Guard {
    pub id: i32,
    pub name: String,
    pub hook_id: i32,
    /// `None`: the subject is the content's digest.
    pub key: Option<Mapped>,
    /// Field → column, in the order of the digest. Empty when the guard binds no content.
    pub content: BTreeMap<String, Mapped>,
    pub condition: Option<String>,
    pub condition_columns: Vec<String>,
    /// Without the hook's `failed_continue`.
    pub policy: Policy,
    pub locking: Locking,
    /// The flag column, and the text of the flag value.
    pub flag: Option<(String, String)>,
    /// Columns whose values incidents do not show.
    pub redact: Vec<String>,
}

impl Guard {
    /// Field → column, as `verdict.guard` takes it; `None` when the guard binds no content.
    pub fn content_map(&self) -> Option<serde_json::Value> {
        let columns = self
            .content
            .iter()
            .map(|(field, column)| (field.clone(), column.written().into()));
        (!self.content.is_empty()).then(|| serde_json::Value::Object(columns.collect()))
    }

    /// Names of the columns that are read to judge a row: key, content and condition. Sorted, each
    /// once.
    pub fn columns_read(&self) -> Vec<String> {
        column_names(
            self.key.as_ref(),
            self.content.values(),
            &self.condition_columns,
        )
    }

    /// Names of the columns that nobody may change without the guard: the columns read, and the
    /// flag column. Sorted.
    pub fn columns_guarded(&self) -> Vec<String> {
        let mut names = self.columns_read();
        names.extend(self.flag.iter().map(|(name, _)| name.clone()));
        names.sort();
        names.dedup();
        names
    }

    /// Whether the guard may change a row or keep it out of the table. This needs a BEFORE trigger.
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
    /// The text that [`Mapped::parse`] reads.
    pub fn written(&self) -> String {
        match &self.form {
            Some(form) => format!("{}:{form}", self.name),
            None => self.name.clone(),
        }
    }
}

/// Names of key, content and condition columns. Sorted, each once.
pub fn column_names<'a>(
    key: Option<&'a Mapped>,
    content: impl Iterator<Item = &'a Mapped>,
    condition: &[String],
) -> Vec<String> {
    let mut names: Vec<String> = key
        .into_iter()
        .chain(content)
        .map(|column| column.name.clone())
        .chain(condition.iter().cloned())
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Reads a row of `verdict.guards`.
///
/// # Errors
///
/// VD009 for a row that this version cannot read: the guard refuses rather than guesses.
pub fn read(row: &OwnRow) -> Result<Guard, Report> {
    let name = row.text("name")?;
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
            row.text(&format!("on_{finding}"))?
                .parse()
                .map_err(broken)?,
        );
    }
    let policy = Policy {
        failed_continue: false,
        actions,
        mode: row.text("mode")?.parse().map_err(broken)?,
        edits: row.text("edits")?.parse().map_err(broken)?,
        legacy: or_default(row, "legacy", Legacy::Enforce)?.map_err(broken)?,
        replica_role: or_default(row, "replica_role", ReplicaRole::Client)?.map_err(broken)?,
    };
    let content = match row.nullable::<JsonB>("content")? {
        None => BTreeMap::new(),
        Some(JsonB(map)) => content_columns(&map).ok_or_else(|| malformed(&name, "content"))?,
    };
    Ok(Guard {
        id: row.required("id")?,
        hook_id: row.required("hook_id")?,
        key: row
            .nullable::<String>("key")?
            .map(|key| Mapped::parse(&key)),
        content,
        condition: row.nullable("condition")?,
        condition_columns: names(&row.required_json("condition_columns")?)
            .ok_or_else(|| malformed(&name, "condition_columns"))?,
        policy,
        locking: row.text("locking")?.parse().map_err(broken)?,
        flag: row.newer("flag_column")?.zip(row.newer("flag_value")?),
        redact: match row.newer::<JsonB>("redact")? {
            None => Vec::new(),
            Some(JsonB(list)) => names(&list).ok_or_else(|| malformed(&name, "redact"))?,
        },
        name,
    })
}

/// The error for a table that no guard is on.
pub fn no_guard(table: &Name) -> Report {
    Report::new(
        SqlState::UndefinedObject,
        format!("table {table} has no guard"),
    )
    .hint("See verdict.guards.")
}

/// The word in a column, or the default when an older version of the SQL has no such column.
fn or_default<T: FromStr>(
    row: &OwnRow,
    column: &str,
    default: T,
) -> Result<Result<T, T::Err>, Report> {
    let word = row.newer::<String>(column)?;
    Ok(word.map_or(Ok(default), |word| word.parse()))
}

/// A JSON array of strings.
fn names(list: &serde_json::Value) -> Option<Vec<String>> {
    let names = list.as_array()?.iter();
    names.map(|name| name.as_str().map(str::to_owned)).collect()
}

/// A JSON object of field and column.
fn content_columns(map: &serde_json::Value) -> Option<BTreeMap<String, Mapped>> {
    let columns = map.as_object()?.iter();
    columns
        .map(|(field, column)| Some((field.clone(), Mapped::parse(column.as_str()?))))
        .collect()
}

/// The error for a jsonb column of the registry that has another form than ours.
fn malformed(guard: &str, column: &str) -> Report {
    Report::new(
        SqlState::GuardMisconfigured,
        format!("VD009: guard \"{guard}\" cannot be read: its {column} has an unknown form"),
    )
    .hint("Was the row written by hand, or by a newer version of pg_verdict?")
}

/// The guards that are registered on this table.
///
/// # Errors
///
/// Undefined object when the extension's SQL is not installed; VD009 for a row that cannot be read.
pub fn guards_of(table: &Name) -> Result<Vec<Guard>, Report> {
    let mut guards = Vec::new();
    table::for_each("guards", |row| {
        if row.relation()? == *table {
            guards.push(read(row)?);
        }
        Ok(())
    })?;
    Ok(guards)
}

/// A guard of a table, and the part of its registry row that only the watch needs.
#[derive(Clone, Debug)]
pub struct Watched {
    pub guard: Guard,
    pub table: Name,
    /// The WHEN of the guard's triggers, as PostgreSQL wrote it when they were made.
    pub when_clause: Option<String>,
}

thread_local! {
    static REGISTERED: RefCell<Cached<Vec<Watched>>> = const { RefCell::new(Cached::nothing()) };
}

/// All registered guards: from the cache, or read again when anything has changed.
///
/// # Errors
///
/// Undefined object when the extension's SQL is not installed; VD009 for a row that cannot be read.
pub fn registered() -> Result<Rc<Vec<Watched>>, Report> {
    cached::or_read(&REGISTERED, "guards", || {
        let mut all = Vec::new();
        table::for_each("guards", |row| {
            all.push(Watched {
                guard: read(row)?,
                table: row.relation()?,
                when_clause: row.newer("when_clause")?,
            });
            Ok(())
        })?;
        all.sort_by_key(|watched: &Watched| watched.guard.id);
        Ok(all)
    })
}
