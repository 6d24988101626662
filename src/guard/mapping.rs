//! Checks the columns that a guard reads against the table and the hook.

use super::registry::Mapped;
use crate::args;
use crate::store::hooks::{Hook, SubjectSource};
use pg::catalog::{self, Column, Generated, Relation, RelationKind};
use pg::columns::{Unreadable, reader_of};
use pg::report::{Report, SqlState};
use serde_json::{Map, Value};
use verdict::FIELDS_CAP;

/// Refuses what cannot be guarded: views, foreign tables, temporary tables, catalogs, our own
/// tables, single partitions.
///
/// # Errors
///
/// 42809.
pub fn guardable(relation: &Relation) -> Result<(), Report> {
    let why = match relation.kind {
        _ if relation.is_catalog => Some("it is a system catalog"),
        _ if relation.name.schema == catalog::SCHEMA => Some("it belongs to pg_verdict"),
        RelationKind::View => Some("it is a view: guard the table that it writes to"),
        RelationKind::MaterializedView => Some("it is a materialized view"),
        RelationKind::Foreign => Some(
            "it is a foreign table: its rows are kept elsewhere, out of reach of a trigger here",
        ),
        RelationKind::Other => Some("it is not a table"),
        _ if relation.temporary => Some("it is a temporary table"),
        _ if relation.is_partition => {
            Some("it is a partition: guard the partitioned table above it")
        }
        RelationKind::Table | RelationKind::Partitioned => None,
    };
    match why {
        None => Ok(()),
        Some(why) => Err(Report::new(
            SqlState::WrongObjectType,
            format!("relation {} cannot be guarded: {why}", relation.name),
        )),
    }
}

/// Locks the table and everything below it until the transaction ends. Refuses the table when some
/// of its rows are kept elsewhere.
///
/// # Errors
///
/// 42809.
pub fn lock_guardable_tree(relation: &Relation, lockmode: u32) -> Result<(), Report> {
    for member in catalog::tree(relation.oid, lockmode) {
        let member = catalog::relation(member)?;
        if member.kind == RelationKind::Foreign {
            return Err(Report::new(
                SqlState::WrongObjectType,
                format!(
                    "relation {} cannot be guarded: its partition {} is a foreign table",
                    relation.name, member.name
                ),
            ));
        }
    }
    Ok(())
}

/// The key column.
///
/// # Errors
///
/// 42703, 22023.
pub fn key(key: Option<&str>, hook: &Hook, relation: &Relation) -> Result<Option<Mapped>, Report> {
    let refuse =
        |what: String, hint: &str| Err(Report::new(SqlState::InvalidParameter, what).hint(hint));
    match (key, &hook.subject) {
        (None, SubjectSource::Digest) => Ok(None),
        (None, SubjectSource::Pointer(_)) => refuse(
            format!(
                "argument \"key\" must name the column that holds the subject: the subjects of hook \"{}\" are ids",
                hook.name
            ),
            "For example key => 'server_msg_id'. Matching by content needs a hook created with subject => ''.",
        ),
        (Some(_), SubjectSource::Digest) => refuse(
            format!(
                "argument \"key\" must be null: the subjects of hook \"{}\" are content digests",
                hook.name
            ),
            "Leave key out and give content.",
        ),
        (Some(text), SubjectSource::Pointer(_)) => {
            let mapped = Mapped::parse(text);
            let column = readable("key", &mapped, relation)?;
            let json = [
                pgrx::pg_sys::JSONOID,
                pgrx::pg_sys::JSONBOID,
                pgrx::pg_sys::BOOLOID,
            ];
            if json.contains(&column.base_type) {
                return refuse(
                    format!(
                        "argument \"key\": column \"{}\" is of type {}",
                        mapped.name,
                        catalog::type_name(column.type_oid)
                    ),
                    "A subject is a text, an integer, a uuid or a bytea in hexadecimal.",
                );
            }
            Ok(Some(mapped))
        }
    }
}

/// The content map: every field of the hook, and no other field.
///
/// # Errors
///
/// 42703, 22023.
pub fn content(
    map: Option<&Value>,
    hook: &Hook,
    relation: &Relation,
) -> Result<Option<Map<String, Value>>, Report> {
    let fields: Vec<&str> = hook.fields.names().collect();
    let refuse = |what: String| {
        Report::new(
            SqlState::InvalidParameter,
            format!("argument \"content\": {what}"),
        )
        .hint(format!(
            "The fields of hook \"{}\": {}. Map each to a column.",
            hook.name,
            fields.join(", ")
        ))
    };
    let Some(map) = map else {
        return match hook.subject {
            SubjectSource::Digest => Err(refuse(
                "it must be given: the hook's subjects are content digests".into(),
            )),
            SubjectSource::Pointer(_) => Ok(None),
        };
    };
    let object = map
        .as_object()
        .ok_or_else(|| refuse("it must be a JSON object of field and column".into()))?;
    if let Some(unknown) = object.keys().find(|key| !fields.contains(&key.as_str())) {
        return Err(refuse(format!("\"{unknown}\" is not a field of the hook")));
    }
    if let Some(missing) = fields.iter().find(|field| !object.contains_key(**field)) {
        return Err(refuse(format!("field \"{missing}\" is missing")));
    }
    if object.len() > FIELDS_CAP {
        return Err(refuse(format!("more than {FIELDS_CAP} fields")));
    }
    for (field, column) in object {
        let column = column
            .as_str()
            .ok_or_else(|| refuse(format!("the column of field \"{field}\" must be a string")))?;
        readable("content", &Mapped::parse(column), relation)?;
    }
    Ok(Some(object.clone()))
}

fn readable<'a>(
    argument: &str,
    mapped: &Mapped,
    relation: &'a Relation,
) -> Result<&'a Column, Report> {
    args::name(argument, Some(&mapped.name))?;
    let column = relation.column(&mapped.name).ok_or_else(|| {
        let names: Vec<&str> = relation
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .collect();
        Report::new(
            SqlState::UndefinedColumn,
            format!(
                "argument \"{argument}\": column \"{}\" of relation {} does not exist",
                mapped.name, relation.name
            ),
        )
        .hint(format!("Its columns: {}.", names.join(", ")))
    })?;
    let type_name = catalog::type_name(column.type_oid);
    let refuse = |what: String, hint: &str| {
        Err(Report::new(
            SqlState::InvalidParameter,
            format!("argument \"{argument}\": column \"{}\" {what}", mapped.name),
        )
        .hint(hint))
    };
    if column.generated == Some(Generated::Virtual) {
        return refuse(
            "is a virtual generated column, which a trigger cannot see".into(),
            "Use a STORED generated column.",
        );
    }
    match reader_of(column.base_type, mapped.form.as_deref()) {
        Ok(_) => Ok(column),
        Err(Unreadable::NeedsForm) => refuse(
            "is of type bytea, whose meaning must be said".into(),
            "Write 'column:hex' for ids or 'column:utf8' for text.",
        ),
        Err(Unreadable::Form) => refuse(
            format!("is of type {type_name}, which takes no such form"),
            "Only a bytea takes a form: 'column:hex' or 'column:utf8'.",
        ),
        Err(Unreadable::Type) => refuse(
            format!(
                "is of type {type_name}, whose text depends on settings or has no canonical form"
            ),
            "Use text, varchar, char, name, an integer, boolean, uuid, an enum, json, jsonb or bytea; or a stored generated column of such a type.",
        ),
    }
}

/// The columns whose values incidents do not show.
///
/// # Errors
///
/// 22004, 42703.
pub fn redact(
    columns: Option<Vec<Option<String>>>,
    relation: &Relation,
) -> Result<Vec<String>, Report> {
    columns
        .unwrap_or_default()
        .into_iter()
        .map(|name| {
            let name = args::required("redact", name)?;
            if relation.column(&name).is_none() {
                return Err(Report::new(
                    SqlState::UndefinedColumn,
                    format!(
                        "argument \"redact\": column \"{name}\" of relation {} does not exist",
                        relation.name
                    ),
                ));
            }
            Ok(name)
        })
        .collect()
}
