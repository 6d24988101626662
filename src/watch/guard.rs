//! `verdict.guard` and `verdict.unguard`.

use super::options::{Checked, Options};
use super::registry::{Mapped, trigger_name};
use super::{mapping, registry};
use crate::args;
use crate::enforce::plan::Duty;
use crate::pg::catalog::{self, Kind, Relation};
use crate::pg::condition::Condition;
use crate::pg::entry::say;
use crate::pg::identity::{self, Restriction};
use crate::pg::sql::{self, or_raise};
use crate::pg::{table, trigger};
use crate::report::{Report, SqlState};
use crate::store::hooks::{self, Hook};
use pgrx::{JsonB, PgLogLevel, pg_extern, pg_sys::Oid};
use serde_json::{Map, Value};

/// What a guard reads, once checked.
pub struct Reads {
    pub key: Option<Mapped>,
    pub content: Option<Map<String, Value>>,
    condition: Option<(String, Condition)>,
}

impl Reads {
    /// # Errors
    ///
    /// What [`mapping`] and [`Condition::parse`] refuse.
    pub fn check(
        key: Option<&str>,
        content: Option<&Value>,
        condition: Option<&str>,
        hook: &Hook,
        relation: &Relation,
    ) -> Result<Self, Report> {
        let condition = condition
            .map(|text| {
                let parsed = Condition::parse(args::said("condition", Some(text))?, relation)?;
                Ok::<_, Report>((text.to_owned(), parsed))
            })
            .transpose()?;
        let reads = Self {
            key: mapping::key(key, hook, relation)?,
            content: mapping::content(content, hook, relation)?,
            condition,
        };
        for column in reads.columns() {
            let generated = relation.column(&column).map(|column| column.generated);
            if generated == Some(catalog::Generated::Virtual) {
                return Err(Report::new(
                    SqlState::InvalidParameter,
                    format!(
                        "argument condition: column \"{column}\" is a virtual generated column, which a trigger cannot see"
                    ),
                ));
            }
        }
        Ok(reads)
    }

    /// Names of all guarded columns, each once.
    pub fn columns(&self) -> Vec<String> {
        let mut names: Vec<String> = self.key.iter().map(|key| key.name.clone()).collect();
        let content = self.content.iter().flatten();
        names.extend(
            content.map(|(_, column)| Mapped::parse(column.as_str().unwrap_or_default()).name),
        );
        let conditions = self.condition.iter();
        names.extend(conditions.flat_map(|(_, condition)| condition.columns.clone()));
        names.sort();
        names.dedup();
        names
    }

    /// The condition as it was written.
    pub fn condition_text(&self) -> Option<&str> {
        self.condition.as_ref().map(|(text, _)| text.as_str())
    }

    /// Names of the condition's columns.
    pub fn condition_columns(&self) -> Value {
        match &self.condition {
            Some((_, condition)) => Value::from(condition.columns.clone()),
            None => Value::Array(Vec::new()),
        }
    }

    /// Guarded column → attribute number.
    pub fn attnums(&self, relation: &Relation) -> Value {
        let pairs = self.columns().into_iter().filter_map(|name| {
            let attnum = relation.column(&name)?.attnum;
            Some((name, Value::from(attnum)))
        });
        Value::Object(pairs.collect())
    }
}

#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)] // the SQL function's own
fn guard(
    relation: Option<Oid>,
    hook: Option<&str>,
    key: Option<&str>,
    content: Option<JsonB>,
    condition: Option<&str>,
    on_missing: Option<&str>,
    on_denied: Option<&str>,
    on_failed: Option<&str>,
    on_expired: Option<&str>,
    on_altered: Option<&str>,
    on_reused: Option<&str>,
    on_revoked: Option<&str>,
    locking: Option<&str>,
    mode: Option<&str>,
    edits: Option<&str>,
    name: Option<&str>,
) -> i32 {
    let actions = [
        on_missing, on_denied, on_failed, on_expired, on_altered, on_reused, on_revoked,
    ];
    or_raise((|| {
        let relation = table_argument(relation)?;
        let hook = hooks::by_name(args::required("hook", hook)?)?;
        mapping::guardable(&relation)?;
        let options = Options {
            actions,
            locking,
            mode,
            edits,
        }
        .check(true)?;
        let reads = Reads::check(
            key,
            content.as_ref().map(|JsonB(map)| map),
            condition,
            &hook,
            &relation,
        )?;
        let name = match name {
            Some(name) => args::name("name", Some(name))?.to_owned(),
            None => default_name(&relation, &hook),
        };
        refuse_twice(&relation, &hook, &name)?;
        for member in catalog::tree(relation.oid, pgrx::pg_sys::ShareRowExclusiveLock) {
            let member = catalog::relation(member)?;
            if member.kind == Kind::Foreign {
                return Err(Report::new(
                    SqlState::WrongObjectType,
                    format!(
                        "relation {} cannot be guarded: its partition {} is a foreign table",
                        relation.name, member.name
                    ),
                ));
            }
        }
        let id = register(&relation, &hook, &name, &reads, &options)?;
        install(&relation, id, &reads)?;
        Ok(id)
    })())
}

#[pg_extern(sql = false)]
fn unguard(relation: Option<Oid>, hook: Option<&str>, reason: Option<&str>) {
    or_raise((|| {
        let relation = table_argument(relation)?;
        let hook = hooks::by_name(args::required("hook", hook)?)?;
        let reason = args::said("reason", reason)?;
        let guard = find(&relation, &hook)?;
        uninstall(&relation, guard.id)?;
        identity::as_extension_owner(|| {
            sql::run(
                "DELETE FROM verdict.guards WHERE id = $1",
                &[guard.id.into()],
            )
        })?;
        let who = identity::role_name(identity::current_user());
        say(
            PgLogLevel::LOG,
            &format!(
                "verdict: guard \"{}\" taken off table {} by {who}: {reason}",
                guard.name, relation.name
            ),
        );
        Ok(())
    })());
}

/// The table of an argument `relation`, which the caller must own.
///
/// # Errors
///
/// 22004, 42704, 42501.
pub fn table_argument(relation: Option<Oid>) -> Result<Relation, Report> {
    let relation = catalog::relation(args::required("relation", relation)?)?;
    if !identity::owns(relation.owner) {
        return Err(Report::new(
            SqlState::InsufficientPrivilege,
            format!("must be owner of relation {}", relation.name),
        )
        .hint(format!(
            "Its owner is {}.",
            identity::role_name(relation.owner)
        )));
    }
    Ok(relation)
}

/// The guard of this table for this hook.
///
/// # Errors
///
/// 42704.
pub fn find(relation: &Relation, hook: &Hook) -> Result<registry::Guard, Report> {
    let mut found = None;
    table::for_each("guards", |row| {
        if is_on(row, relation) && row.get("hook_id") == Some(hook.id) {
            found = Some(registry::read(row)?);
        }
        Ok(())
    })?;
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

fn is_on(row: &table::Row, relation: &Relation) -> bool {
    row.text("relation_schema") == relation.name.schema
        && row.text("relation_name") == relation.name.table
}

fn refuse_twice(relation: &Relation, hook: &Hook, name: &str) -> Result<(), Report> {
    table::for_each("guards", |row| {
        if is_on(row, relation) && row.get("hook_id") == Some(hook.id) {
            return Err(Report::new(
                SqlState::DuplicateObject,
                format!(
                    "table {} already has a guard for hook \"{}\"",
                    relation.name, hook.name
                ),
            )
            .hint("Change it with verdict.alter_guard, or take it off with verdict.unguard."));
        }
        Ok(())
    })?;
    refuse_name(relation, name, 0)
}

/// Refuses a name that another guard of this table has.
///
/// # Errors
///
/// 42710.
pub fn refuse_name(relation: &Relation, name: &str, own_id: i32) -> Result<(), Report> {
    table::for_each("guards", |row| {
        if is_on(row, relation) && row.text("name") == name && row.get("id") != Some(own_id) {
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
    })
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
) -> Result<i32, Report> {
    let key = reads.key.as_ref().map(Mapped::written);
    let [missing, denied, failed, expired, altered, reused, revoked] = options.actions;
    identity::as_extension_owner(|| {
        sql::one(
            "INSERT INTO verdict.guards (name, relation_schema, relation_name, hook_id, key, content, condition,
                 condition_columns, columns, on_missing, on_denied, on_failed, on_expired, on_altered, on_reused,
                 on_revoked, locking, mode, edits, created_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
             RETURNING id",
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
                identity::session_user().into(),
            ],
        )
    })
    .map(|id| id.unwrap_or(0))
}

/// Puts the guard's triggers on the table, as its owner.
///
/// # Errors
///
/// PostgreSQL's own.
pub fn install(relation: &Relation, id: i32, reads: &Reads) -> Result<(), Report> {
    identity::as_role(relation.owner, Restriction::SecurityRestricted, || {
        let columns = reads.columns();
        let name = trigger_name(id, Duty::Inserts);
        trigger::create(
            relation.oid,
            &trigger::Plan {
                name: &name,
                events: trigger::INSERT | trigger::UPDATE,
                columns: &columns,
                condition: reads.condition.as_ref().map(|(_, condition)| condition),
            },
        )?;
        let name = trigger_name(id, Duty::Updates);
        let plan = trigger::Plan {
            name: &name,
            events: trigger::UPDATE,
            columns: &[],
            condition: None,
        };
        trigger::create(relation.oid, &plan)?;
        if relation.kind == Kind::Partitioned {
            let name = trigger_name(id, Duty::Moves);
            let plan = trigger::Plan {
                name: &name,
                events: trigger::DELETE,
                columns: &[],
                condition: None,
            };
            trigger::create(relation.oid, &plan)?;
        }
        Ok(())
    })
}

/// Takes the guard's triggers off, as the table's owner.
///
/// # Errors
///
/// PostgreSQL's own.
pub fn uninstall(relation: &Relation, id: i32) -> Result<(), Report> {
    identity::as_role(relation.owner, Restriction::SecurityRestricted, || {
        for duty in [Duty::Inserts, Duty::Updates, Duty::Moves] {
            trigger::drop_if_exists(relation.oid, &trigger_name(id, duty));
        }
        Ok(())
    })
}
