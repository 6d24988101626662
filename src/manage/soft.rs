//! Checks for soft actions (flag, quarantine, discard), which work only on some tables.

use crate::args;
use crate::guard::registry::{self, Guard};
use pg::authors;
use pg::catalog::{self, Relation};
use pg::columns::{Reader, reader_of};
use pg::identity::{self, Restriction};
use pg::log::ereport;
use pg::report::{Report, SqlState};
use pg::{row_text, sql};
use pgrx::PgLogLevel;
use verdict::{Action, Edits, Finding};

/// The flag column and the flag value as the column's type writes it; `None` for a guard without a
/// flag.
///
/// # Errors
///
/// 22004, 42703, 22023: a column or value that cannot be a flag.
pub fn flag(
    column: Option<&str>,
    value: Option<&str>,
    guarded: &[String],
    relation: &Relation,
) -> Result<Option<(String, String)>, Report> {
    let Some(name) = column else {
        return match value {
            None => Ok(None),
            Some(_) => Err(Report::new(
                SqlState::NullNotAllowed,
                "argument \"flag_column\" must not be null when flag_value is given",
            )
            .hint("flag_value is the value that flag_column gets.")),
        };
    };
    let refuse = |what: &str, hint: &str| {
        Err(Report::new(
            SqlState::InvalidParameter,
            format!("argument \"flag_column\": column \"{name}\" {what}"),
        )
        .hint(hint))
    };
    let found = relation.column(args::name("flag_column", Some(name))?);
    let Some(found) = found else {
        return Err(Report::new(
            SqlState::UndefinedColumn,
            format!(
                "argument \"flag_column\": column \"{name}\" of relation {} does not exist",
                relation.name
            ),
        ));
    };
    if found.generated.is_some() {
        return refuse("is generated", "A flag column is one that can be set.");
    }
    if guarded.iter().any(|column| column == name) {
        return refuse(
            "is the guard's key, content or condition column",
            "A flag there would change what the guard judges. Use another column.",
        );
    }
    match reader_of(found.base_type, None) {
        Ok(Reader::Json | Reader::Jsonb) | Err(_) => {
            return refuse(
                &format!("is of type {}", catalog::type_name(found.type_oid)),
                "A flag is a text, an integer, a boolean, a uuid or an enum.",
            );
        }
        Ok(_) => {}
    }
    for member in catalog::tree(relation.oid, pgrx::pg_sys::AccessShareLock) {
        let attnum = catalog::relation(member)?
            .column(name)
            .map_or(0, |column| column.attnum);
        if catalog::partitioned_by(member, attnum) {
            return refuse(
                "is part of the partition key",
                "PostgreSQL cannot move a row to another partition while it is being inserted. Use another column.",
            );
        }
    }
    let text = args::required("flag_value", value)?;
    // A domain's CHECK may call functions of the table's owner, and of nobody else.
    authors::must_be_trusted_to_read(relation, found.type_oid, relation.owner)?;
    let written = identity::as_role(relation.owner, Restriction::SecurityRestricted, || {
        row_text::canonical(found.type_oid, found.typmod, text)
    });
    written
        .map(|written| Some((name.to_owned(), written)))
        .map_err(|report| Report {
            message: format!("argument \"flag_value\": {}", report.message),
            ..report
        })
}

/// Refuses soft actions where the row before it is stored may differ from the stored row. Warns
/// when other tables reference the rows.
///
/// # Errors
///
/// 22023, naming the column.
pub fn check(guard: &Guard, guarded: &[String], relation: &Relation) -> Result<(), Report> {
    refuse_other_value(guard, relation)?;
    if !guard.is_soft() {
        return Ok(());
    }
    if guard.policy.edits == Edits::Refuse
        && guard.policy.actions.get(Finding::Altered) == Action::Quarantine
    {
        return Err(Report::new(
            SqlState::InvalidParameter,
            "edits => 'refuse' and on_altered => 'quarantine' do not go together: an edit that no verdict could allow would be held",
        )
        .hint("Use on_altered => 'reject' or 'discard', or edits => 'enforce'."));
    }
    let generated = guarded
        .iter()
        .filter_map(|name| relation.column(name))
        .find(|column| column.generated.is_some());
    if let Some(column) = generated {
        return Err(Report::new(
            SqlState::InvalidParameter,
            format!(
                "actions quarantine, discard and flag cannot work here: guarded column \"{}\" is generated",
                column.name
            ),
        )
        .detail("These actions are taken before a row is stored, when generated columns have no value yet.")
        .hint("Use reject or allow, flag without a flag_column, or guard columns that are not generated."));
    }
    let leaves_out = Finding::ALL
        .iter()
        .map(|finding| guard.policy.actions.get(*finding))
        .any(|action| matches!(action, Action::Quarantine | Action::Discard));
    if !leaves_out {
        return Ok(());
    }
    let referencing = sql::one::<String>(
        "SELECT pg_catalog.string_agg(DISTINCT pg_catalog.format('%I.%I', n.nspname, r.relname), ', ')
         FROM pg_catalog.pg_constraint AS c
         JOIN pg_catalog.pg_class AS r ON r.oid = c.conrelid
         JOIN pg_catalog.pg_namespace AS n ON n.oid = r.relnamespace
         WHERE c.contype = 'f' AND c.confrelid = $1
             AND c.conparentid = 0::pg_catalog.oid",
        &[relation.oid.into()],
    )?;
    if let Some(tables) = referencing {
        ereport(
            PgLogLevel::NOTICE,
            &format!(
                "rows of {tables} reference table {}: when a row is held or discarded, rows that reference it fail with 23503",
                relation.name
            ),
        );
    }
    Ok(())
}

/// Refuses another flag value for a column that another guard flags. Each guard would overwrite the
/// other's flag, and both would refuse every row.
///
/// # Errors
///
/// 22023, naming the other guard.
fn refuse_other_value(guard: &Guard, relation: &Relation) -> Result<(), Report> {
    let Some((column, value)) = &guard.flag else {
        return Ok(());
    };
    for other in registry::guards_of(&relation.name)? {
        let Some((_, other_value)) = other.flag.filter(|(name, _)| name == column) else {
            continue;
        };
        if other.id == guard.id || other_value == *value {
            continue;
        }
        return Err(Report::new(
            SqlState::InvalidParameter,
            format!(
                "argument \"flag_value\": guard \"{}\" flags column \"{column}\" with \"{other_value}\", not with \"{value}\"",
                other.name
            ),
        )
        .hint("Guards that share a flag column must share its value. Use the same value, or another column."));
    }
    Ok(())
}
