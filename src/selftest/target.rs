//! What the self-test is run on: a guarded table, and a row for it that was never approved.

use crate::guard::cache;
use crate::guard::info::{CachedGuard, GuardInfo};
use crate::guard::registry;
use crate::judge::facts::{Content, facts};
use crate::store::hooks;
use crate::store::sql::reviewed;
use crate::store::writer;
use pg::catalog::{self, Column, Relation, RelationKind, literal, quote};
use pg::clock;
use pg::columns::Reader;
use pg::identity::{self, Restriction};
use pg::plain::{PlainFrame, catching_longjmp};
use pg::report::{Report, SqlState};
use pg::rows::TableRow;
use pg::settings;
use pg::span::Span;
use pg::sql;
use pgrx::pg_sys::Oid;
use serde_json::{Map, Value, json};
use verdict::{Outcome, Via};

/// A guarded table and what the attempts need to name.
pub struct Target {
    pub relation: Relation,
    pub info: GuardInfo,
    pub hook_id: i32,
    /// The column that tells the test's rows from others, and how its values are written.
    mark: Mark,
    /// A content column that can be changed, and where there is one.
    pub content: Option<String>,
    pub condition_columns: Vec<String>,
    pub flag: Option<(String, String)>,
    pub primary_key: Vec<String>,
    /// A partition, for a partitioned table.
    pub leaf: Option<String>,
    row: Map<String, Value>,
    /// The columns that the guard looks at.
    guarded: Vec<String>,
}

struct Mark {
    column: String,
    reader: Reader,
}

/// A column's text by which the row that should not be there is told.
pub struct Trace {
    pub column: String,
    pub text: String,
}

/// What an edit writes.
pub const EDITED: &str = "verdict self-test: edited";

impl Target {
    /// # Errors
    ///
    /// 42704 for a table without a guard; 22023 when no row for it can be made up.
    pub fn of(relation: Relation, sample: Option<Value>) -> Result<Self, Report> {
        let plans = cache::guards_on(relation.oid)?;
        let Some(cached) = plans.first() else {
            return Err(registry::no_guard(&relation.name));
        };
        let mark = mark(cached, &relation)?;
        let content = cached
            .guard
            .content
            .values()
            .map(|mapped| mapped.name.as_str())
            .find(|name| *name != mark.column && is_text(&relation, name))
            .or_else(|| {
                let own = cached.guard.key.is_none().then_some(mark.column.as_str());
                own.filter(|name| is_text(&relation, name))
            })
            .map(str::to_owned);
        let row = match sample {
            Some(Value::Object(row)) => row,
            Some(_) => {
                return Err(Report::new(
                    SqlState::InvalidParameter,
                    "argument \"sample\" must be a JSON object of columns and values",
                ));
            }
            None => sample_of(&relation)?,
        };
        Ok(Self {
            info: cached.info,
            hook_id: cached.guard.hook_id,
            mark,
            content,
            condition_columns: cached.guard.condition_columns.clone(),
            flag: cached.guard.flag.clone(),
            primary_key: sql::primary_key(&relation)?,
            leaf: a_leaf(&relation)?,
            row,
            guarded: cached.guard.columns_guarded(),
            relation,
        })
    }

    /// A row that was never approved, with marks of its own.
    pub fn row(&self, n: usize) -> Map<String, Value> {
        let mut row = self.row.clone();
        row.insert(self.mark.column.clone(), self.mark_value(n));
        row
    }

    /// `INSERT INTO table (columns) SELECT …` of that row.
    pub fn insert(&self, n: usize) -> String {
        self.insert_into(&self.relation.name.to_string(), n)
    }

    pub fn insert_into(&self, table: &str, n: usize) -> String {
        format!(
            "INSERT INTO {table} ({}) {}",
            self.columns(),
            self.select(n)
        )
    }

    /// The columns of the row, for an INSERT.
    pub fn columns(&self) -> String {
        let names: Vec<String> = self.row(0).keys().map(|name| quote(name)).collect();
        names.join(", ")
    }

    /// `SELECT columns FROM jsonb_populate_record(…)` of that row.
    pub fn select(&self, n: usize) -> String {
        format!(
            "SELECT {} FROM pg_catalog.jsonb_populate_record(NULL::{}, {}::pg_catalog.jsonb)",
            self.columns(),
            self.relation.name,
            literal(&Value::Object(self.row(n)).to_string())
        )
    }

    /// What tells the test's row.
    pub fn trace(&self, n: usize) -> Trace {
        let text = match self.mark_value(n) {
            Value::String(text) => text,
            other => other.to_string(),
        };
        Trace {
            column: self.mark.column.clone(),
            text,
        }
    }

    /// `column = value` that finds the test's row.
    pub fn is_row(&self, n: usize) -> String {
        let Trace { column, text } = self.trace(n);
        format!(
            "pg_catalog.rtrim({}::pg_catalog.text) OPERATOR(pg_catalog.=) {}",
            quote(&column),
            literal(&text)
        )
    }

    fn mark_value(&self, n: usize) -> Value {
        // Unlike any row's, and short enough for a varchar(16).
        let unique = 900_000_000 + n as i64;
        match self.mark.reader {
            Reader::Int2 => json!(-30_000 - n as i64),
            Reader::Int4 | Reader::Int8 => json!(-unique),
            Reader::Uuid => json!(format!("5e1f7e57-0000-4000-8000-000{unique}")),
            Reader::ByteaHex | Reader::ByteaUtf8 => {
                json!(format!("\\x{}", hex(&unique.to_string())))
            }
            _ => json!(format!("vst{unique}")),
        }
    }

    /// Records an approval for the test's row, as a reviewer would.
    ///
    /// # Errors
    ///
    /// 22023 for a row that has no subject.
    pub fn approve(&self, n: usize) -> Result<(), Report> {
        let (oid, info) = (self.relation.oid, self.info);
        let given = Span::copy(Value::Object(self.row(n)).to_string().as_bytes());
        let key = catching_longjmp(|plain| {
            let row = self.made(oid, given, plain);
            let content = Content::read(&info, row.slot(), plain);
            let facts = plain.step(|| cache::with_cached(&info, |cached| facts(cached, &content)));
            row.close(plain);
            facts
        });
        let (row, key) = key;
        let hook = hooks::by_id(self.hook_id)?;
        let Some((hook, key)) = hook.zip(key) else {
            return Err(Report::new(
                SqlState::InvalidParameter,
                "the row has no subject that could be approved",
            ));
        };
        let digest = match row.digest {
            verdict::RowDigest::Of(digest) => Some(digest),
            _ => None,
        };
        let digest = digest.as_ref().map(|digest| &digest.as_bytes()[..]);
        let subject = key.subject.text();
        let entry = reviewed(
            &hook,
            subject,
            digest,
            Outcome::Approved,
            Via::SelfTest,
            "self-test",
        )?;
        catching_longjmp(|plain| writer::write(&entry, plain));
        Ok(())
    }

    /// The test's row as the guard would see it: as far as it looks.
    fn made(&self, oid: Oid, given: Span, plain: PlainFrame) -> TableRow {
        let row = TableRow::open(oid, plain);
        row.put_json(
            || Ok((self.guarded.clone(), given.text().to_owned())),
            plain,
        );
        row
    }

    /// Whether the guard would judge the row: whether it is under the condition.
    pub fn is_judged(&self) -> Result<bool, Report> {
        let (oid, info) = (self.relation.oid, self.info);
        let given = Span::copy(Value::Object(self.row(0)).to_string().as_bytes());
        Ok(catching_longjmp(|plain| {
            let row = self.made(oid, given, plain);
            let under = row.under_condition_of(info.insert_trigger(), plain);
            row.close(plain);
            under
        }))
    }
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn is_text(relation: &Relation, name: &str) -> bool {
    let text = [
        pgrx::pg_sys::TEXTOID,
        pgrx::pg_sys::VARCHAROID,
        pgrx::pg_sys::BPCHAROID,
    ];
    relation
        .column(name)
        .is_some_and(|column| text.contains(&column.base_type) && column.generated.is_none())
}

/// The key column, or, for a guard that matches by content, a text among the content.
fn mark(cached: &CachedGuard, relation: &Relation) -> Result<Mark, Report> {
    let by_key = cached.guard.key.as_ref().zip(cached.info.key);
    let by_content = || {
        cached
            .guard
            .content
            .values()
            .zip(cached.info.content())
            .find(|(mapped, _)| is_text(relation, &mapped.name))
    };
    let found = by_key.or_else(by_content).map(|(mapped, column)| Mark {
        column: mapped.name.clone(),
        reader: column.reader,
    });
    let settable = found.filter(|mark| {
        relation
            .column(&mark.column)
            .is_some_and(|column| column.generated.is_none())
    });
    settable.ok_or_else(|| {
        Report::new(
            SqlState::InvalidParameter,
            "argument \"relation\": no column tells the self-test's rows from others",
        )
        .detail("The guard's key column is generated, or no content column is a text.")
    })
}

/// A row of the table, or one of values that its columns' types have.
fn sample_of(relation: &Relation) -> Result<Map<String, Value>, Report> {
    let settable: Vec<&Column> = relation
        .columns
        .iter()
        .filter(|column| column.generated.is_none())
        .collect();
    let statement = format!(
        "SELECT pg_catalog.to_jsonb(t)::pg_catalog.text FROM {} AS t LIMIT 1",
        relation.name
    );
    // Where row security is forced on the owner, he reads what it shows him.
    let found = identity::as_role(relation.owner, Restriction::SecurityRestricted, || {
        settings::with(&[(c"row_security", c"on")], || {
            sql::one::<String>(&statement, &[])
        })
    })?;
    let keys = sql::primary_key(relation)?;
    let has_default = sql::one::<Vec<String>>(
        "SELECT pg_catalog.array_agg(attname::pg_catalog.text) FROM pg_catalog.pg_attribute
         WHERE attrelid = $1 AND (atthasdef OR attidentity <> '')",
        &[relation.oid.into()],
    )?
    .unwrap_or_default();
    // A row that is too deep or too large to be read is no sample.
    let found = found.and_then(|text| serde_json::from_str(&text).ok());
    if let Some(Value::Object(mut row)) = found {
        // Its own values but for what must be unique and comes by itself.
        row.retain(|name, _| {
            settable.iter().any(|column| column.name == *name)
                && !(keys.contains(name) && has_default.contains(name))
        });
        return Ok(row);
    }
    Ok(settable
        .into_iter()
        .filter(|column| !has_default.contains(&column.name))
        .map(|column| (column.name.clone(), a_value(column)))
        .collect())
}

fn a_value(column: &Column) -> Value {
    use pgrx::pg_sys;
    match column.base_type {
        pg_sys::INT2OID
        | pg_sys::INT4OID
        | pg_sys::INT8OID
        | pg_sys::NUMERICOID
        | pg_sys::FLOAT4OID
        | pg_sys::FLOAT8OID => json!(1),
        pg_sys::BOOLOID => json!(false),
        pg_sys::UUIDOID => json!("5e1f7e57-0000-4000-8000-000000000000"),
        pg_sys::JSONOID | pg_sys::JSONBOID => json!({}),
        pg_sys::BYTEAOID => json!("\\x00"),
        pg_sys::TIMESTAMPTZOID | pg_sys::TIMESTAMPOID | pg_sys::DATEOID => {
            json!(clock::timestamp(clock::current()).to_string())
        }
        pg_sys::TEXTOID | pg_sys::VARCHAROID | pg_sys::BPCHAROID | pg_sys::NAMEOID => json!("x"),
        _ => Value::Null,
    }
}

fn a_leaf(relation: &Relation) -> Result<Option<String>, Report> {
    if relation.kind != RelationKind::Partitioned {
        return Ok(None);
    }
    for part in catalog::parts(relation, pgrx::pg_sys::NoLock) {
        let part: Oid = part;
        let facts = catalog::relation(part)?;
        if facts.kind == RelationKind::Table {
            return Ok(Some(facts.name.to_string()));
        }
    }
    Ok(None)
}
