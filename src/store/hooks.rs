//! The hooks: which webhook there is, how it answers, what a failure means.

use crate::args;
use pg::cached::{self, Cached};
use pg::json;
use pg::report::{Report, SqlState};
use pg::sql::{self, or_raise};
use pg::transaction;
use pg::{catalog, identity, table};
use pgrx::datum::Interval;
use pgrx::{AnyElement, JsonB, pg_extern, pg_sys};
use std::cell::RefCell;
use std::rc::Rc;
use verdict::{Dialect, FieldMap, JsonPointer};

/// A hook as it was configured.
#[derive(Debug)]
pub struct Hook {
    pub id: i32,
    pub name: String,
    pub dialect: Dialect,
    pub failed_continue: bool,
    pub valid_for: pg_sys::Interval,
    pub subject: SubjectSource,
    pub fields: FieldMap,
}

/// Where a verdict's subject comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubjectSource {
    /// A place in the request.
    Pointer(JsonPointer),
    /// The content's digest in hexadecimal: for servers that have no id yet when they ask.
    Digest,
}

impl SubjectSource {
    /// `''` stands for the digest.
    fn parse(text: &str) -> Result<Self, Report> {
        if text.is_empty() {
            return Ok(Self::Digest);
        }
        JsonPointer::parse(text).map(Self::Pointer).map_err(|error| {
            Report::new(SqlState::InvalidParameter, format!("argument \"subject\": {error}"))
                .hint("A JSON pointer such as '/serverMsgID', or '' when subjects are content digests.")
        })
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Pointer(pointer) => pointer.as_str(),
            Self::Digest => "",
        }
    }
}

thread_local! {
    static HOOKS: RefCell<Cached<Vec<Rc<Hook>>>> = const { RefCell::new(Cached::nothing()) };
}

/// All hooks, from the backend's memory or read again when anything has changed.
///
/// # Errors
///
/// Undefined object when the extension's SQL is not installed; a row that this version cannot read.
pub fn all() -> Result<Rc<Vec<Rc<Hook>>>, Report> {
    cached::or_read(&HOOKS, "hooks", || {
        let mut all = Vec::new();
        table::for_each("hooks", |row| {
            all.push(Rc::new(read(row)?));
            Ok(())
        })?;
        Ok(all)
    })
}

/// The hook of that name.
///
/// # Errors
///
/// Undefined object, with the names that exist.
pub fn by_name(name: &str) -> Result<Rc<Hook>, Report> {
    let hooks = all()?;
    hooks
        .iter()
        .find(|hook| hook.name == name)
        .cloned()
        .ok_or_else(|| {
            let names: Vec<&str> = hooks.iter().map(|hook| hook.name.as_str()).collect();
            let report = Report::new(
                SqlState::UndefinedObject,
                format!("hook \"{name}\" does not exist"),
            );
            match names.as_slice() {
                [] => report.hint("Create it first: SELECT verdict.create_hook('…');"),
                names => report.hint(format!("Available hooks: {}.", names.join(", "))),
            }
        })
}

/// The hook with that id, `None` when it was dropped.
///
/// # Errors
///
/// As [`all`].
pub fn by_id(id: i32) -> Result<Option<Rc<Hook>>, Report> {
    Ok(all()?.iter().find(|hook| hook.id == id).cloned())
}

fn read(row: &table::OwnRow) -> Result<Hook, Report> {
    let name = row.text("name")?;
    let broken = |what: String| {
        Report::new(
            SqlState::NotInPrerequisiteState,
            format!("hook \"{name}\" cannot be read: {what}"),
        )
        .hint("Was the row written by hand, or by a newer version of pg_verdict?")
    };
    Ok(Hook {
        id: row.required("id")?,
        dialect: row
            .text("dialect")?
            .parse()
            .map_err(|error: verdict::UnknownDialect| broken(error.to_string()))?,
        failed_continue: row.required("failed_continue")?,
        valid_for: row
            .interval("valid_for")
            .ok_or_else(|| broken("valid_for is NULL".into()))?,
        subject: SubjectSource::parse(&row.text("subject")?)
            .map_err(|report| broken(report.message))?,
        fields: FieldMap::from_json(&row.required_json("fields")?)
            .map_err(|error| broken(error.to_string()))?,
        name,
    })
}

#[pg_extern(sql = false)]
pub fn create_hook(
    name: Option<&str>,
    dialect: Option<&str>,
    failed_continue: Option<bool>,
    valid_for: Option<Interval>,
    subject: Option<&str>,
    fields: Option<AnyElement>,
    server: Option<&str>,
) -> i32 {
    or_raise((|| {
        transaction::must_be_writable()?;
        let name = args::name("name", name)?;
        let dialect = args::word::<Dialect>("dialect", dialect)?;
        let failed_continue = args::required("failed_continue", failed_continue)?;
        let valid_for = parse_valid_for(args::required("valid_for", valid_for)?)?;
        let subject = SubjectSource::parse(subject.unwrap_or(dialect.subject()))?;
        let fields = match json::argument("fields", fields)? {
            Some(map) => parse_fields(&map)?,
            None => dialect.fields(name),
        };
        if all()?.iter().any(|hook| hook.name == name) {
            return Err(Report::new(
                SqlState::DuplicateObject,
                format!("hook \"{name}\" exists already"),
            )
            .hint("Change it with verdict.alter_hook, or choose another name."));
        }
        identity::as_extension_owner(|| {
            sql::required(
                "INSERT INTO verdict.hooks (name, dialect, failed_continue, valid_for, subject, fields, server, created_by)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
                &[
                    name.into(),
                    dialect.as_str().into(),
                    failed_continue.into(),
                    valid_for.into(),
                    subject.as_str().into(),
                    JsonB(fields.to_json()).into(),
                    server.into(),
                    identity::session_user().into(),
                ],
            )
        })
    })())
}

#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)] // the SQL function's own
pub fn alter_hook(
    name: Option<&str>,
    dialect: Option<&str>,
    failed_continue: Option<bool>,
    valid_for: Option<Interval>,
    subject: Option<&str>,
    fields: Option<AnyElement>,
    server: Option<&str>,
    legal_hold: Option<bool>,
) {
    or_raise((|| {
        transaction::must_be_writable()?;
        let hook = by_name(args::required("name", name)?)?;
        let dialect = dialect
            .map(|word| args::word::<Dialect>("dialect", Some(word)))
            .transpose()?;
        let valid_for = valid_for.map(parse_valid_for).transpose()?;
        let subject = subject.map(SubjectSource::parse).transpose()?;
        let fields = json::argument("fields", fields)?;
        let fields = fields.map(|map| parse_fields(&map)).transpose()?;
        let rebinds = subject.as_ref().is_some_and(|new| *new != hook.subject)
            || fields
                .as_ref()
                .is_some_and(|new| !new.names().eq(hook.fields.names()));
        if rebinds {
            refuse_if_guarded(
                &hook,
                "its subject and fields cannot change: the guards' columns are mapped to them",
            )?;
        }
        identity::as_extension_owner(|| {
            sql::run(
                "UPDATE verdict.hooks SET
                     dialect = coalesce($2, dialect), failed_continue = coalesce($3, failed_continue),
                     valid_for = coalesce($4, valid_for), subject = coalesce($5, subject),
                     fields = coalesce($6, fields), server = coalesce($7, server),
                     legal_hold = coalesce($8, legal_hold)
                 WHERE id = $1",
                &[
                    hook.id.into(),
                    dialect.map(Dialect::as_str).into(),
                    failed_continue.into(),
                    valid_for.into(),
                    subject.as_ref().map(SubjectSource::as_str).into(),
                    fields.map(|map| JsonB(map.to_json())).into(),
                    server.into(),
                    legal_hold.into(),
                ],
            )
        })
    })());
}

#[pg_extern(sql = false)]
pub fn drop_hook(name: Option<&str>) {
    or_raise((|| {
        transaction::must_be_writable()?;
        let hook = by_name(args::required("name", name)?)?;
        // First alone with the hook, then asked: a guard that is being put on holds the hook until
        // it is there.
        lock(&hook, "UPDATE")?;
        refuse_if_guarded(&hook, "it cannot be dropped")?;
        identity::as_extension_owner(|| {
            sql::run("DELETE FROM verdict.hooks WHERE id = $1", &[hook.id.into()])
        })
    })());
}

/// Keeps the hook as it is until the transaction ends, FOR `strength`.
///
/// # Errors
///
/// Undefined object when it has been dropped meanwhile.
pub fn lock(hook: &Hook, strength: &str) -> Result<(), Report> {
    let statement = format!("SELECT id FROM verdict.hooks WHERE id = $1 FOR {strength}");
    let found = identity::as_extension_owner(|| sql::one::<i32>(&statement, &[hook.id.into()]))?;
    found.map(|_| ()).ok_or_else(|| {
        Report::new(
            SqlState::UndefinedObject,
            format!("hook \"{}\" has just been dropped", hook.name),
        )
    })
}

/// # Errors
///
/// Dependent objects, with the guards and how to take them off.
fn refuse_if_guarded(hook: &Hook, so: &str) -> Result<(), Report> {
    let mut guards = Vec::new();
    table::for_each("guards", |row| {
        if row.get("hook_id") == Some(hook.id) {
            guards.push(format!(
                "guard {} on table {}",
                catalog::quote(&row.text("name")?),
                row.relation()?
            ));
        }
        Ok(())
    })?;
    if guards.is_empty() {
        return Ok(());
    }
    Err(Report::new(
        SqlState::DependentObjects,
        format!("hook \"{}\" has guards: {so}", hook.name),
    )
    .detail(guards.join("\n"))
    .hint("Take the guards off first: verdict.unguard(relation, hook, reason)."))
}

fn parse_fields(map: &serde_json::Value) -> Result<FieldMap, Report> {
    FieldMap::from_json(map).map_err(|error| {
        Report::new(SqlState::InvalidParameter, format!("argument \"fields\": {error}"))
            .hint(r#"Name each content field and its place in the request: {"content": "/content", "sendID": "/sendID"}."#)
    })
}

/// # Errors
///
/// 22023 for a validity that is not positive, or infinite (its leaf could never be retired).
pub fn parse_valid_for(valid_for: Interval) -> Result<Interval, Report> {
    let usable = sql::one::<bool>(
        "SELECT pg_catalog.isfinite($1) AND $1 > '0'::pg_catalog.interval
                AND $1 <= '100 years'::pg_catalog.interval",
        &[valid_for.into()],
    )?;
    if usable != Some(true) {
        let text = sql::required::<String>("SELECT $1::pg_catalog.text", &[valid_for.into()])?;
        return Err(Report::new(
            SqlState::InvalidParameter,
            format!(
                "argument \"valid_for\" must be more than zero and at most 100 years, not \"{text}\""
            ),
        )
        .hint("For example '1 day'. To take an approval back now, use verdict.revoke."));
    }
    Ok(valid_for)
}
