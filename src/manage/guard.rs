//! `verdict.guard` and `verdict.unguard`.

use super::arguments::{Arguments, takes_arguments};
use super::registering::{self, Conduct};
use super::soft;
use super::triggers::{install, uninstall};
use crate::args;
use crate::guard::mapping;
use crate::guard::reads::Reads;
use crate::guard::registry;
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
use pgrx::{PgLogLevel, pg_extern, pg_sys::Oid};

takes_arguments! {
    fn put_guard(arguments) -> i32 {
        or_raise(put(arguments))
    }
}

fn put(mut arguments: Arguments) -> Result<i32, Report> {
    transaction::must_be_writable()?;
    let content = json::argument("content", arguments.content.take())?;
    let relation = table_to_change(arguments.relation)?;
    let hook = hooks::by_name(args::required("hook", arguments.hook)?)?;
    mapping::guardable(&relation)?;
    let (policy, locking) = arguments.policy(None)?;
    let Arguments {
        key,
        condition,
        flag_column,
        flag_value,
        ..
    } = arguments;
    let reads = Reads::check(key, content.as_ref(), condition, &hook, &relation)?;
    if let Some(text) = condition {
        condition::must_not_depend_on_settings(text, &relation)?;
    }
    reads.must_be_generated_by_postgres(&relation)?;
    let name = match arguments.name {
        Some(name) => args::name("name", Some(name))?.to_owned(),
        None => default_name(&relation, &hook),
    };
    refuse_twice(&relation, &hook, &name)?;
    hooks::lock(&hook, "KEY SHARE")?;
    mapping::lock_guardable_tree(&relation, pgrx::pg_sys::ShareRowExclusiveLock)?;
    let columns = reads.columns();
    let conduct = Conduct {
        name,
        policy,
        locking,
        flag: soft::flag(flag_column, flag_value, &columns, &relation)?,
        redact: mapping::redact(arguments.redact, &relation)?,
    };
    registering::insert(&relation, &hook, &conduct, &reads)?;
    let guard = find(&relation, &hook)?;
    soft::check(&guard, &columns, &relation)?;
    install(&relation, &guard, &reads)?;
    Ok(guard.id)
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
