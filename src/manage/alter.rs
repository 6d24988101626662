//! `verdict.alter_guard`: options without a lock on the table; columns and condition with new
//! triggers.

use super::arguments::{Arguments, takes_arguments};
use super::guard::{find, refuse_name, table_to_change};
use super::registering::{self, Conduct};
use super::soft;
use super::triggers::{install, uninstall};
use crate::args;
use crate::guard::mapping;
use crate::guard::reads::Reads;
use crate::guard::registry::{Guard, Mapped};
use crate::store::hooks::{self, Hook};
use pg::catalog::{self, Relation};
use pg::condition;
use pg::json;
use pg::report::Report;
use pg::sql::or_raise;
use pg::transaction;
use serde_json::Value;

takes_arguments! {
    fn change_guard(arguments) {
        or_raise(change(arguments))
    }
}

fn change(mut arguments: Arguments) -> Result<(), Report> {
    transaction::must_be_writable()?;
    let content = json::argument("content", arguments.content.take())?;
    let relation = table_to_change(arguments.relation)?;
    let hook = hooks::by_name(args::required("hook", arguments.hook)?)?;
    let guard = find(&relation, &hook)?;
    let (policy, locking) = arguments.policy(Some(&guard))?;
    let Arguments {
        key,
        condition,
        flag_column,
        flag_value,
        ..
    } = arguments;
    let name = match arguments.name {
        None => guard.name.clone(),
        Some(name) => {
            refuse_name(&relation, args::name("name", Some(name))?, Some(guard.id))?;
            name.to_owned()
        }
    };
    let changes_reads = key.is_some() || content.is_some() || condition.is_some();
    let changes_flag = flag_column.is_some() || flag_value.is_some();
    let redact = match arguments.redact {
        None => guard.redact.clone(),
        Some(columns) => mapping::redact(Some(columns), &relation)?,
    };
    let merge = || merged(&guard, key, content.as_ref(), condition, &hook, &relation);
    let mut reads = (changes_reads || changes_flag).then(merge).transpose()?;
    if let Some(text) = condition.filter(|text| !text.is_empty()) {
        condition::must_not_depend_on_settings(text, &relation)?;
    }
    if let Some(reads) = reads.as_ref().filter(|_| changes_reads) {
        reads.must_be_generated_by_postgres(&relation)?;
    }
    let flag = match &reads {
        Some(reads) => flag(&guard, flag_column, flag_value, &reads.columns(), &relation)?,
        None => guard.flag.clone(),
    };
    let conduct = Conduct {
        name,
        policy,
        locking,
        flag,
        redact,
    };
    let with_reads = reads.as_ref().map(|reads| (reads, &relation));
    registering::update(guard.id, &conduct, with_reads)?;
    let altered = find(&relation, &hook)?;
    if reads.is_none() && altered.is_soft() != guard.is_soft() {
        reads = Some(merge()?);
    }
    if let Some(reads) = reads {
        soft::check(&altered, &reads.columns(), &relation)?;
        catalog::tree(relation.oid, pgrx::pg_sys::ShareRowExclusiveLock);
        uninstall(&relation, guard.id)?;
        install(&relation, &altered, &reads)?;
    }
    Ok(())
}

/// The flag from now on: what was given, else what stands. An empty column name takes it off.
fn flag(
    guard: &Guard,
    column: Option<&str>,
    value: Option<&str>,
    guarded: &[String],
    relation: &Relation,
) -> Result<Option<(String, String)>, Report> {
    let standing = guard.flag.as_ref();
    if column == Some("") {
        return Ok(None);
    }
    soft::flag(
        column.or(standing.map(|(column, _)| column.as_str())),
        value.or(standing.map(|(_, value)| value.as_str())),
        guarded,
        relation,
    )
}

/// What the guard reads from now on: what was given, else what stands. An empty text takes the
/// condition off, an empty object the binding to content.
fn merged(
    guard: &Guard,
    key: Option<&str>,
    content: Option<&Value>,
    condition: Option<&str>,
    hook: &Hook,
    relation: &Relation,
) -> Result<Reads, Report> {
    let standing_key = guard.key.as_ref().map(Mapped::written);
    let content = match content {
        Some(Value::Object(map)) if map.is_empty() => None,
        Some(given) => Some(given.clone()),
        None => guard.content_map(),
    };
    let condition = condition
        .or(guard.condition.as_deref())
        .filter(|text| !text.is_empty());
    Reads::check(
        key.or(standing_key.as_deref()),
        content.as_ref(),
        condition,
        hook,
        relation,
    )
}
