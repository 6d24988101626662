//! The statement that stores a held row as it would have been stored when it came.

use super::held::{HeldColumn, HeldRow};
use pg::authors;
use pg::catalog::{self, Column, Relation, RelationKind, quote};
use pg::deferred;
use pg::identity::{self, Restriction};
use pg::report::{Report, SqlState};
use pg::row_text;
use pg::settings;
use pg::sql;
use pg::statement::{Parameter, Statement};
use pgrx::IntoDatum;
use pgrx::pg_sys::{self, Oid};

/// A statement and the role that must run it.
#[derive(Clone, Copy)]
pub struct Restore {
    pub statement: Statement,
    pub owner: Oid,
}

/// Prepares the statement.
///
/// # Errors
///
/// 42P01 when the table is gone. 55000 when its columns have changed and `adapt` is false. The
/// error of a type's input function when it refuses a value's text.
pub fn prepare(held: &HeldRow, adapt: bool) -> Result<Restore, Report> {
    let relation = table_of(held)?;
    authors::must_be_trusted(&relation, relation.owner)?;
    let columns = matched(held, &relation, adapt)?;
    let (text, parameters) =
        identity::as_role(relation.owner, Restriction::SecurityRestricted, || {
            settings::with(&settings::EXACT, || {
                if held.is_update {
                    update(held.id, &relation, &columns)
                } else {
                    insert(&relation, &columns)
                }
            })
        })?;
    // The input functions of the values may have run code of the table's owner.
    if catalog::relation(relation.oid)?.columns != relation.columns {
        return Err(Report::new(
            SqlState::NotInPrerequisiteState,
            format!(
                "row {} stays held: table {} was changed while the row's values were read",
                held.id, relation.name
            ),
        )
        .hint("A domain's check or another function of one of its types changes the table."));
    }
    deferred::check_now(&relation)?;
    Ok(Restore {
        statement: Statement::new(&text, &parameters, &relation.name.schema),
        owner: relation.owner,
    })
}

fn table_of(held: &HeldRow) -> Result<Relation, Report> {
    let gone = |what: String| {
        Err(Report::new(
            SqlState::UndefinedTable,
            format!("row {} stays held: {what}", held.id),
        )
        .hint(
            "Was the table renamed? Rename it back, or refuse the row: verdict.refuse(id, reason).",
        ))
    };
    let Some(oid) = catalog::find(&held.table.schema, &held.table.table) else {
        return gone(format!("there is no table {}", held.table));
    };
    let relation = catalog::relation(oid)?;
    match relation.kind {
        RelationKind::Table | RelationKind::Partitioned => {}
        _ => return gone(format!("{} is not a table any more", held.table)),
    }
    must_be_same(held, &relation)?;
    Ok(relation)
}

/// Checks that the table is the one that the row came for. Somebody may have made another table of
/// the same name since, and could read the row there. In the same database, the table's OID must be
/// the same. In another database, after dump and restore, OIDs differ, and so its owner must be the
/// same.
fn must_be_same(held: &HeldRow, relation: &Relation) -> Result<(), Report> {
    let owner = identity::role_name(relation.owner);
    let known_here = held.origin.is_some() && held.origin == catalog::origin();
    let same = match known_here {
        true => held.table_oid == Some(relation.oid),
        false => held.table_owner.as_ref() == Some(&owner),
    };
    if same {
        return Ok(());
    }
    let what = match (known_here, &held.table_owner) {
        (true, _) => {
            format!(
                "The table that the row came for was dropped or renamed. This one belongs to {owner}."
            )
        }
        (false, Some(then)) => format!(
            "The row came with a restore. The table belonged to {then} then, and this one belongs to {owner}."
        ),
        (false, None) => {
            format!(
                "It is not known who owned the table that the row came for. This one belongs to {owner}."
            )
        }
    };
    Err(Report::new(
        SqlState::NotInPrerequisiteState,
        format!(
            "row {} stays held: table {} is not the one that the row came for",
            held.id, held.table
        ),
    )
    .detail(what)
    .hint(format!(
        "Refuse it: verdict.refuse(id, reason). If the table has taken the other one's place on purpose, a superuser says so: UPDATE verdict.quarantine SET origin = NULL, relation_owner = {} WHERE id = {}.",
        catalog::literal(&owner),
        held.id
    )))
}

/// The held columns, each with the table's present column.
fn matched<'a>(
    held: &'a HeldRow,
    relation: &'a Relation,
    adapt: bool,
) -> Result<Vec<(&'a HeldColumn, &'a Column)>, Report> {
    let mut changes = Vec::new();
    let mut columns = Vec::new();
    let settable = |column: &&Column| column.generated.is_none();
    for column in &held.columns {
        match relation.column(&column.name).filter(settable) {
            None => changes.push(format!("column {} is gone", quote(&column.name))),
            Some(now) => {
                let type_name = catalog::type_name_with(now.type_oid, now.typmod);
                if type_name != column.type_name {
                    changes.push(format!(
                        "column {} was {} and is {type_name}",
                        quote(&column.name),
                        column.type_name
                    ));
                }
                columns.push((column, now));
            }
        }
    }
    for now in relation.columns.iter().filter(settable) {
        if !held.columns.iter().any(|column| column.name == now.name) {
            changes.push(format!("column {} is new", quote(&now.name)));
        }
    }
    if changes.is_empty() || adapt {
        return Ok(columns);
    }
    Err(Report::new(
        SqlState::NotInPrerequisiteState,
        format!(
            "row {} stays held: table {} is not what it was when the row came",
            held.id, relation.name
        ),
    )
    .detail(changes.join("; "))
    .hint("With adapt => true new columns get their defaults, and values of columns that are gone are lost."))
}

fn parameter(column: &Column, text: Option<&str>) -> Result<Parameter, Report> {
    let value = text
        .map(|text| row_text::datum_of(column.type_oid, column.typmod, text))
        .transpose()?;
    Ok((column.type_oid, value))
}

type Sql = (String, Vec<Parameter>);

fn insert(relation: &Relation, columns: &[(&HeldColumn, &Column)]) -> Result<Sql, Report> {
    let names: Vec<String> = columns.iter().map(|(_, now)| quote(&now.name)).collect();
    let places: Vec<String> = (1..=columns.len()).map(|n| format!("${n}")).collect();
    let parameters = columns
        .iter()
        .map(|(held, now)| parameter(now, held.value.as_deref()))
        .collect::<Result<Vec<_>, Report>>()?;
    // Identity columns get their held values, too.
    let text = format!(
        "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})",
        relation.name,
        names.join(", "),
        places.join(", ")
    );
    Ok((text, parameters))
}

/// Whether the column still has the text that the row was held with. The text is what the type's
/// output function writes. A cast to text would not do: it makes `true` of `t`, and removes the
/// trailing spaces of a char(n).
fn is_still(name: &str, text: Option<&str>, parameters: &mut Vec<Parameter>) -> String {
    let Some(text) = text else {
        return format!("pg_catalog.num_nulls(t.{name}) OPERATOR(pg_catalog.=) 1");
    };
    parameters.push((pg_sys::TEXTOID, text.to_owned().into_datum()));
    format!(
        "pg_catalog.num_nulls(t.{name}) OPERATOR(pg_catalog.=) 0
             AND pg_catalog.format('%s', t.{name}) COLLATE pg_catalog.\"C\" OPERATOR(pg_catalog.=) ${}",
        parameters.len()
    )
}

/// Sets the columns that the held update would have set, in the one row that has not changed since.
fn update(
    held_id: i64,
    relation: &Relation,
    columns: &[(&HeldColumn, &Column)],
) -> Result<Sql, Report> {
    let mut parameters = Vec::new();
    let mut set = Vec::new();
    let mut matches = Vec::new();
    let key = sql::primary_key(relation)?;
    for (held, now) in columns {
        let name = quote(&now.name);
        let changed = held.value != held.old_value;
        if changed {
            parameters.push(parameter(now, held.value.as_deref())?);
            set.push(format!("{name} = ${}", parameters.len()));
        }
        let is_key = key.contains(&now.name) && held.old_value.is_some();
        if is_key && catalog::has_own_equality(now.base_type) {
            parameters.push(parameter(now, held.old_value.as_deref())?);
            // Only the operator of pg_catalog: another one for this type may belong to anybody.
            matches.push(format!(
                "t.{name} OPERATOR(pg_catalog.=) ${}",
                parameters.len()
            ));
        } else if is_key || changed || key.is_empty() {
            matches.push(is_still(&name, held.old_value.as_deref(), &mut parameters));
        }
    }
    if set.is_empty() {
        return Err(Report::new(
            SqlState::NotInPrerequisiteState,
            format!(
                "row {held_id} stays held: nothing of the update is left to set in table {}",
                relation.name
            ),
        )
        .detail("The columns that it would set are gone.")
        .hint("Refuse it: verdict.refuse(id, reason)."));
    }
    let text = format!(
        "UPDATE {} AS t SET {} WHERE {}",
        relation.name,
        set.join(", "),
        matches.join(" AND ")
    );
    Ok((text, parameters))
}
