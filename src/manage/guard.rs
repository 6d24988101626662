//! `verdict.guard` and `verdict.unguard`.

use super::options::{Checked, Options};
use super::soft;
use super::triggers::{install, uninstall};
use crate::args;
use crate::guard::mapping;
use crate::guard::reads::Reads;
use crate::guard::registry;
use crate::guard::registry::Mapped;
use crate::store::hooks::{self, Hook};
use crate::watch::baseline;
use pg::catalog::{self, Name, Relation};
use pg::condition;
use pg::identity;
use pg::json;
use pg::lock;
use pg::log::ereport;
use pg::report::{Report, SqlState};
use pg::sql::{self, or_raise};
use pg::transaction;
use pgrx::{AnyElement, JsonB, PgLogLevel, pg_extern, pg_sys::Oid};
use serde_json::Value;

#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)] // the SQL function's own
pub fn put_guard(
    relation: Option<Oid>,
    hook: Option<&str>,
    key: Option<&str>,
    content: Option<AnyElement>,
    condition: Option<&str>,
    on_missing: Option<&str>,
    on_denied: Option<&str>,
    on_failed: Option<&str>,
    on_expired: Option<&str>,
    on_altered: Option<&str>,
    on_reused: Option<&str>,
    on_revoked: Option<&str>,
    flag_column: Option<&str>,
    flag_value: Option<&str>,
    locking: Option<&str>,
    mode: Option<&str>,
    edits: Option<&str>,
    legacy: Option<&str>,
    replica_role: Option<&str>,
    name: Option<&str>,
    redact: Option<Vec<Option<String>>>,
) -> i32 {
    let actions = [
        on_missing, on_denied, on_failed, on_expired, on_altered, on_reused, on_revoked,
    ];
    or_raise((|| {
        transaction::must_be_writable()?;
        let content = json::argument("content", content)?;
        let relation = table_to_change(relation)?;
        let hook = hooks::by_name(args::required("hook", hook)?)?;
        mapping::guardable(&relation)?;
        let options = Options {
            actions,
            locking,
            mode,
            edits,
            legacy,
            replica_role,
        }
        .check(true)?;
        let reads = Reads::check(key, content.as_ref(), condition, &hook, &relation)?;
        if let Some(text) = condition {
            condition::must_not_depend_on_settings(text, &relation)?;
        }
        reads.must_be_generated_by_postgres(&relation)?;
        let name = match name {
            Some(name) => args::name("name", Some(name))?.to_owned(),
            None => default_name(&relation, &hook),
        };
        refuse_twice(&relation, &hook, &name)?;
        hooks::lock(&hook, "KEY SHARE")?;
        mapping::lock_guardable_tree(&relation, pgrx::pg_sys::ShareRowExclusiveLock)?;
        let guarded = reads.columns();
        let marks = Marks {
            flag: soft::flag(flag_column, flag_value, &guarded, &relation)?,
            redact: mapping::redact(redact, &relation)?,
        };
        register(&relation, &hook, &name, &reads, &options, &marks)?;
        let guard = find(&relation, &hook)?;
        soft::check(&guard, &guarded, &relation)?;
        install(&relation, &guard, &reads)?;
        Ok(guard.id)
    })())
}

#[pg_extern(sql = false)]
pub fn unguard(relation: Option<Oid>, hook: Option<&str>, reason: Option<&str>) {
    or_raise((|| {
        transaction::must_be_writable()?;
        let relation = table_to_change(relation)?;
        let hook = hooks::by_name(args::required("hook", hook)?)?;
        let reason = args::not_blank("reason", reason)?;
        let guard = find(&relation, &hook)?;
        uninstall(&relation, guard.id)?;
        unregister(guard.id)?;
        log_removed(&guard.name, &relation.name, reason);
        Ok(())
    })());
}

/// `verdict.forget(relation, hook, reason)`: for a guard whose table does not exist any more.
#[pg_extern(sql = false)]
pub fn forget(relation: Option<&str>, hook: Option<&str>, reason: Option<&str>) {
    or_raise((|| {
        transaction::must_be_writable()?;
        let relation = args::not_blank("relation", relation)?;
        let hook = hooks::by_name(args::required("hook", hook)?)?;
        let reason = args::not_blank("reason", reason)?;
        let registered = registry::registered()?;
        let watched = registered.iter().find(|watched| {
            watched.guard.hook_id == hook.id && watched.table.to_string() == relation
        });
        let Some(watched) = watched else {
            return Err(Report::new(
                SqlState::UndefinedObject,
                format!(
                    "no guard for hook \"{}\" is registered on {relation}",
                    hook.name
                ),
            )
            .hint("Write the table as verdict.coverage() shows it: schema.table."));
        };
        if catalog::find(&watched.table.schema, &watched.table.table).is_some() {
            return Err(Report::new(
                SqlState::NotInPrerequisiteState,
                format!("table {relation} exists"),
            )
            .hint("Take its guard off: verdict.unguard(relation, hook, reason)."));
        }
        unregister(watched.guard.id)?;
        log_removed(&watched.guard.name, &watched.table, reason);
        Ok(())
    })());
}

/// Takes a guard out of the registry.
fn unregister(id: i32) -> Result<(), Report> {
    baseline::remove(id)?;
    identity::as_extension_owner(|| {
        sql::run("DELETE FROM verdict.guards WHERE id = $1", &[id.into()])
    })
}

fn log_removed(guard: &str, table: &Name, reason: &str) {
    let who = identity::role_name(identity::current_user());
    ereport(
        PgLogLevel::LOG,
        &format!("verdict: guard \"{guard}\" taken off table {table} by {who}: {reason}"),
    );
}

/// As [`table_argument`], for a change of the table's guards: two such changes wait for each other.
///
/// # Errors
///
/// As [`table_argument`].
pub fn table_to_change(relation: Option<Oid>) -> Result<Relation, Report> {
    let asked = args::table_argument(relation)?;
    lock::guards_of(asked.oid);
    // It may have been renamed or dropped while we waited.
    args::table_argument(relation)
}

/// The guard of this table for this hook.
///
/// # Errors
///
/// 42704.
pub fn find(relation: &Relation, hook: &Hook) -> Result<registry::Guard, Report> {
    let mut guards = registry::guards_of(&relation.name)?.into_iter();
    let found = guards.find(|guard| guard.hook_id == hook.id);
    found.ok_or_else(|| {
        Report::new(
            SqlState::UndefinedObject,
            format!(
                "table {} has no guard for hook \"{}\"",
                relation.name, hook.name
            ),
        )
        .hint("See verdict.guards.")
    })
}

fn refuse_twice(relation: &Relation, hook: &Hook, name: &str) -> Result<(), Report> {
    let guards = registry::guards_of(&relation.name)?;
    if guards.iter().any(|guard| guard.hook_id == hook.id) {
        return Err(Report::new(
            SqlState::DuplicateObject,
            format!(
                "table {} already has a guard for hook \"{}\"",
                relation.name, hook.name
            ),
        )
        .hint("Change it with verdict.alter_guard, or take it off with verdict.unguard."));
    }
    refuse_name(relation, name, None)
}

/// Refuses a name that another guard of this table has.
///
/// # Errors
///
/// 42710.
pub fn refuse_name(relation: &Relation, name: &str, own_id: Option<i32>) -> Result<(), Report> {
    let guards = registry::guards_of(&relation.name)?;
    if guards
        .iter()
        .any(|guard| guard.name == name && Some(guard.id) != own_id)
    {
        return Err(Report::new(
            SqlState::DuplicateObject,
            format!(
                "table {} already has a guard named \"{name}\"",
                relation.name
            ),
        )
        .hint("Choose another name."));
    }
    Ok(())
}

fn default_name(relation: &Relation, hook: &Hook) -> String {
    let full = format!("{}_{}", relation.name.table, hook.name);
    full[..full.floor_char_boundary(63)].to_owned()
}

fn register(
    relation: &Relation,
    hook: &Hook,
    name: &str,
    reads: &Reads,
    options: &Checked,
    marks: &Marks,
) -> Result<(), Report> {
    let key = reads.key.as_ref().map(Mapped::written);
    let [missing, denied, failed, expired, altered, reused, revoked] = options.actions;
    identity::as_extension_owner(|| {
        sql::run(
            "INSERT INTO verdict.guards (name, relation_schema, relation_name, hook_id, key, content, condition,
                 condition_columns, columns, on_missing, on_denied, on_failed, on_expired, on_altered, on_reused,
                 on_revoked, locking, mode, edits, legacy, replica_role, flag_column, flag_value, redact, created_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
                 $22, $23, $24, $25)",
            &[
                name.into(),
                relation.name.schema.as_str().into(),
                relation.name.table.as_str().into(),
                hook.id.into(),
                key.into(),
                reads.content.clone().map(|map| JsonB(Value::Object(map))).into(),
                reads.condition_text().into(),
                JsonB(reads.condition_columns()).into(),
                JsonB(reads.attnums(relation)).into(),
                missing.into(),
                denied.into(),
                failed.into(),
                expired.into(),
                altered.into(),
                reused.into(),
                revoked.into(),
                options.locking.into(),
                options.mode.into(),
                options.edits.into(),
                options.legacy.into(),
                options.replica_role.into(),
                marks.flag.as_ref().map(|(column, _)| column.as_str()).into(),
                marks.flag.as_ref().map(|(_, value)| value.as_str()).into(),
                JsonB(Value::from(marks.redact.clone())).into(),
                identity::session_user().into(),
            ],
        )
    })
}

/// What a guard does to rows, and hides of them, beside its actions.
struct Marks {
    flag: Option<(String, String)>,
    redact: Vec<String>,
}
