//! `verdict.alter_guard`: options without a lock on the table; columns and condition with new triggers.

use super::guard::{find, refuse_name, table_to_change};
use super::options::Options;
use super::soft;
use super::triggers::{install, uninstall};
use crate::args;
use crate::guard::mapping;
use crate::guard::reads::Reads;
use crate::guard::registry::{Guard, Mapped};
use crate::store::hooks::{self, Hook};
use pg::catalog::{self, Relation};
use pg::condition;
use pg::identity;
use pg::json;
use pg::report::Report;
use pg::sql::{self, or_raise};
use pg::transaction;
use pgrx::{AnyElement, JsonB, pg_extern, pg_sys::Oid};
use serde_json::Value;

#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)] // the SQL function's own
pub fn change_guard(
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
) {
    let actions = [
        on_missing, on_denied, on_failed, on_expired, on_altered, on_reused, on_revoked,
    ];
    or_raise((|| {
        transaction::must_be_writable()?;
        let content = json::argument("content", content)?;
        let relation = table_to_change(relation)?;
        let hook = hooks::by_name(args::required("hook", hook)?)?;
        let guard = find(&relation, &hook)?;
        let options = Options {
            actions,
            locking,
            mode,
            edits,
            legacy,
            replica_role,
        }
        .check(false)?;
        if let Some(name) = name {
            refuse_name(&relation, args::name("name", Some(name))?, Some(guard.id))?;
        }
        let changes_reads = key.is_some() || content.is_some() || condition.is_some();
        let changes_flag = flag_column.is_some() || flag_value.is_some();
        let redact = redact
            .map(|columns| mapping::redact(Some(columns), &relation))
            .transpose()?;
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
        let [missing, denied, failed, expired, altered, reused, revoked] = options.actions;
        identity::as_extension_owner(|| {
            sql::run(
                "UPDATE verdict.guards SET
                     on_missing = coalesce($2, on_missing), on_denied = coalesce($3, on_denied),
                     on_failed = coalesce($4, on_failed), on_expired = coalesce($5, on_expired),
                     on_altered = coalesce($6, on_altered), on_reused = coalesce($7, on_reused),
                     on_revoked = coalesce($8, on_revoked), locking = coalesce($9, locking),
                     mode = coalesce($10, mode), edits = coalesce($11, edits), name = coalesce($12, name),
                     legacy = coalesce($13, legacy), replica_role = coalesce($14, replica_role),
                     redact = coalesce($15, redact), flag_column = $16, flag_value = $17
                 WHERE id = $1",
                &[
                    guard.id.into(),
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
                    name.into(),
                    options.legacy.into(),
                    options.replica_role.into(),
                    redact.map(|columns| JsonB(columns.into())).into(),
                    flag.as_ref().map(|(column, _)| column.as_str()).into(),
                    flag.as_ref().map(|(_, value)| value.as_str()).into(),
                ],
            )?;
            match &reads {
                Some(reads) => register(guard.id, reads, &relation),
                None => Ok(()),
            }
        })?;
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
    })());
}

fn register(id: i32, reads: &Reads, relation: &Relation) -> Result<(), Report> {
    sql::run(
        "UPDATE verdict.guards SET key = $2, content = $3, condition = $4, condition_columns = $5, columns = $6
         WHERE id = $1",
        &[
            id.into(),
            reads.key.as_ref().map(Mapped::written).into(),
            reads.content.clone().map(|map| JsonB(map.into())).into(),
            reads.condition_text().into(),
            JsonB(reads.condition_columns()).into(),
            JsonB(reads.attnums(relation)).into(),
        ],
    )
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

/// What the guard reads from now on: what was given, else what stands. An empty text takes the condition off, an empty
/// object the binding to content.
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
