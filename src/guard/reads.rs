//! Checks all columns that a guard reads: key, content and condition.

use super::mapping;
use super::registry::{self, Guard, Mapped};
use crate::args;
use crate::store::hooks::{self, Hook};
use pg::catalog::{self, Name, Relation};
use pg::condition::Condition;
use pg::defaults;
use pg::expression::Problem;
use pg::report::{Report, SqlState};
use pgrx::pg_sys::NoLock;
use serde_json::{Map, Value};

/// The first of these columns whose generation expression somebody could replace. Looks at the
/// table and at its partitions, which may have expressions of their own.
///
/// # Errors
///
/// Undefined object when a partition has gone.
pub fn generated_by_others(
    columns: &[String],
    relation: &Relation,
) -> Result<Option<(String, Name, Problem)>, Report> {
    for part in catalog::parts(relation, NoLock) {
        let part = catalog::relation(part)?;
        for name in columns {
            let found = part.column(name);
            let problem =
                found.and_then(|column| defaults::generation_problem(part.oid, column.attnum));
            if let Some(problem) = problem {
                return Ok(Some((name.clone(), part.name, problem)));
            }
        }
    }
    Ok(None)
}

/// The columns that a guard reads, after the checks.
pub struct Reads {
    pub key: Option<Mapped>,
    pub content: Option<Map<String, Value>>,
    condition: Option<(String, Condition)>,
}

impl Reads {
    /// Checks the arguments of `verdict.guard` against the table.
    ///
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
                let parsed = Condition::parse(args::not_blank("condition", Some(text))?, relation)?;
                Ok::<_, Report>((text.to_owned(), parsed))
            })
            .transpose()?;
        let reads = Self {
            key: mapping::key(key, hook, relation)?,
            content: mapping::content(content, hook, relation)?,
            condition,
        };
        for column in reads.columns() {
            let generated = relation.column(&column).and_then(|column| column.generated);
            if generated == Some(catalog::Generated::Virtual) {
                return Err(Report::new(
                    SqlState::InvalidParameter,
                    format!(
                        "argument \"condition\": column \"{column}\" is a virtual generated column, which a trigger cannot see"
                    ),
                ));
            }
        }
        Ok(reads)
    }

    /// Refuses guarded columns whose generation expression somebody could replace: that role would
    /// decide what the guard reads.
    ///
    /// # Errors
    ///
    /// 22023.
    pub fn must_be_generated_by_postgres(&self, relation: &Relation) -> Result<(), Report> {
        match generated_by_others(&self.columns(), relation)? {
            None => Ok(()),
            Some((column, table, problem)) => Err(Report::new(
                SqlState::InvalidParameter,
                format!(
                    "column \"{column}\" of table {table} cannot be guarded: it is generated, and what generates it cannot be relied on"
                ),
            )
            .detail(problem.what)
            .hint(match problem.instead {
                Some(instead) => format!("Write instead: {instead}"),
                None => "Guard the columns that it is made of, or generate it with built-in functions only.".to_owned(),
            })),
        }
    }

    /// Names of the columns that are read to judge a row, as [`Guard::columns_read`].
    pub fn columns(&self) -> Vec<String> {
        let content: Vec<Mapped> = self
            .content
            .iter()
            .flatten()
            .filter_map(|(_, column)| column.as_str().map(Mapped::parse))
            .collect();
        let condition = self.condition.iter();
        let condition: Vec<String> = condition
            .flat_map(|(_, condition)| condition.columns.clone())
            .collect();
        registry::column_names(self.key.as_ref(), content.iter(), &condition)
    }

    /// The condition as a tree, for the triggers.
    pub fn condition(&self) -> Option<&Condition> {
        self.condition.as_ref().map(|(_, condition)| condition)
    }

    /// The condition as the caller wrote it.
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
        relation.attnums(self.columns()).into()
    }
}

/// Checks the guard's columns as they are today, to make its triggers again.
///
/// # Errors
///
/// What [`Reads::check`] refuses: a column that is gone, or of another type.
pub fn reads_again(guard: &Guard, relation: &Relation) -> Result<Reads, Report> {
    let hook = hooks::by_id(guard.hook_id)?.ok_or_else(|| {
        Report::new(
            SqlState::UndefinedObject,
            format!("the hook of guard \"{}\" does not exist", guard.name),
        )
    })?;
    let key = guard.key.as_ref().map(registry::Mapped::written);
    let content = guard.content_map();
    Reads::check(
        key.as_deref(),
        content.as_ref(),
        guard.condition.as_deref(),
        &hook,
        relation,
    )
}
