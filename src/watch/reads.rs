//! Which columns a guard reads: key, content and condition, checked together.

use super::mapping;
use super::registry::Mapped;
use crate::args;
use crate::pg::catalog::{self, Relation};
use crate::pg::condition::Condition;
use crate::report::{Report, SqlState};
use crate::store::hooks::Hook;
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

    /// The condition as a tree, for the triggers.
    pub fn condition(&self) -> Option<&Condition> {
        self.condition.as_ref().map(|(_, condition)| condition)
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
        relation.attnums(self.columns()).into()
    }
}
