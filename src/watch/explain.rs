//! `verdict.explain`: every step of the decision for one row, without a lock and without writing.

use crate::args;
use crate::enforce::plan::{self, Plan};
use crate::enforce::{self, judge};
use crate::pg::catalog;
use crate::pg::clock;
use crate::pg::columns::{Raw, Reader};
use crate::pg::entry::{Call, Plain};
use crate::pg::leaf::Found;
use crate::pg::span::Span;
use crate::report::{Report, SqlState};
use crate::store::lookup::{self, Depth, Key};
use pgrx::pg_sys::{Datum, Oid};
use serde_json::{Value, json};
use std::rc::Rc;
use verdict::{Decision, Row, Timestamp, decide, explain};

/// `verdict.explain_guard(relation, guard_id, r jsonb)`: the steps as JSON, which `verdict.explain` unfolds.
pub fn explain_guard(call: Call, plain: Plain) -> Datum {
    let relation = call.oid(0);
    let guard_id = call.int4(1);
    let row_json = call.json(2, plain);
    let (relation, guard_id, row, key) = plain.step(|| {
        let relation = args::required("relation", relation)?;
        let guard_id = args::required("guard_id", guard_id)?;
        let plan = plan_of(relation, guard_id)?;
        let given = args::required("r", row_json)?;
        let given: Value = serde_json::from_slice(given.bytes()).unwrap_or_default();
        let (row, key) = facts(&plan, &given)?;
        Ok((relation, guard_id, row, key))
    });
    let now = clock::now(plain);
    let mut found = key.and_then(|key| lookup::newest(key, Depth::Open, now, plain));
    if let (None, Some(key)) = (found, key) {
        found = lookup::newest(key, Depth::All, now, plain);
    }
    let explained = plain.step(|| {
        let plan = plan_of(relation, guard_id)?;
        let text = steps(&plan, &row, key, found.as_ref(), now).to_string();
        Ok(Span::copy(text.as_bytes()))
    });
    explained.to_varlena(plain)
}

fn plan_of(relation: Oid, guard_id: i32) -> Result<Rc<Plan>, Report> {
    plan::load(relation)?
        .into_iter()
        .find(|plan| plan.shape.guard_id == guard_id)
        .ok_or_else(|| {
            Report::new(
                SqlState::UndefinedObject,
                format!("guard {guard_id} is not on this table"),
            )
            .hint("See verdict.guards.")
        })
}

fn steps(plan: &Plan, row: &Row, key: Option<Key>, found: Option<&Found>, now: i64) -> Value {
    let verdict = found.and_then(judge::standing);
    let policy = &plan.shape.policy;
    let condition = plan.guard.condition.as_ref().map_or_else(
        || "every row".to_owned(),
        |condition| format!("rows for which ({condition}) is not false; taken for granted here"),
    );
    let mut steps = vec![
        json!({"step": 0, "question": "Which rows are judged?", "answer": "", "detail": condition}),
    ];
    for (i, step) in explain(row, verdict.as_ref(), policy, Timestamp(now))
        .into_iter()
        .enumerate()
    {
        let mut detail = step.detail;
        if i == 0
            && let Some(key) = key
        {
            detail = format!("subject \"{}\"", key.subject.text());
        }
        steps.push(json!({"step": i + 1, "question": step.question, "answer": step.answer.as_str(), "detail": detail}));
    }
    let decision = decide(row, verdict.as_ref(), policy, Timestamp(now));
    let (answer, detail) = match decision {
        Decision::Approved => ("approved".to_owned(), "the row passes".to_owned()),
        Decision::FailedOpen => (
            "failed_open".to_owned(),
            "the row passes: the hook says failed_continue".to_owned(),
        ),
        Decision::Found(finding) => {
            let action = policy.actions.get(finding);
            (
                finding.to_string(),
                format!(
                    "action {action}, mode {}, SQLSTATE {}",
                    policy.mode,
                    finding.sqlstate()
                ),
            )
        }
    };
    steps.push(
        json!({"step": steps.len(), "question": "Decision", "answer": answer, "detail": detail}),
    );
    Value::Array(steps)
}

/// The row's facts from its JSON: the same as the trigger's, read from values instead of from a slot.
fn facts(plan: &Plan, given: &Value) -> Result<(Row, Option<Key>), Report> {
    let object = given.as_object().ok_or_else(|| {
        Report::new(
            SqlState::InvalidParameter,
            "argument r must be a JSON object of columns and values",
        )
        .hint("For example to_jsonb(m) for a row m of the table.")
    })?;
    let read =
        |name: &str, reader: Reader| raw(object.get(name).unwrap_or(&Value::Null), name, reader);
    let key = match (&plan.guard.key, plan.shape.key) {
        (Some(mapped), Some(column)) => Some(read(&mapped.name, column.reader)?),
        _ => None,
    };
    let content = plan
        .guard
        .content
        .values()
        .zip(plan.shape.content())
        .map(|(mapped, column)| read(&mapped.name, column.reader))
        .collect::<Result<Vec<Raw>, Report>>()?;
    enforce::facts(plan, &enforce::Content::of(key, &content))
}

fn raw(value: &Value, column: &str, reader: Reader) -> Result<Raw, Report> {
    let refuse = || {
        Report::new(
            SqlState::InvalidParameter,
            format!("argument r: \"{column}\" is not a value of its column's type"),
        )
        .detail(format!("The value is {value}."))
    };
    if value.is_null() {
        return Ok(Raw::Null);
    }
    let text = || value.as_str().ok_or_else(refuse);
    let bytes = || {
        text()?
            .strip_prefix("\\x")
            .and_then(unhex)
            .ok_or_else(refuse)
    };
    Ok(match reader {
        Reader::Text | Reader::Name | Reader::Enum => Raw::Text(Span::copy(text()?.as_bytes())),
        Reader::TrimmedText => Raw::Text(Span::copy(text()?.trim_end_matches(' ').as_bytes())),
        Reader::Int2 | Reader::Int4 | Reader::Int8 => {
            Raw::Integer(value.as_i64().ok_or_else(refuse)?)
        }
        Reader::Bool => Raw::Boolean(value.as_bool().ok_or_else(refuse)?),
        Reader::Uuid => {
            let bytes = unhex(&text()?.replace('-', ""))
                .filter(|bytes| bytes.len() == 16)
                .ok_or_else(refuse)?;
            Raw::Uuid(Span::copy(&bytes))
        }
        Reader::Json | Reader::Jsonb => Raw::Json(Span::copy(value.to_string().as_bytes())),
        Reader::ByteaHex => Raw::Hex(Span::copy(&bytes()?)),
        Reader::ByteaUtf8 => Raw::Utf8(Span::copy(&bytes()?)),
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).ok())
        .collect()
}

/// The relation whose rows a composite value is of, for `verdict.explain(anyelement)`.
#[pgrx::pg_extern(sql = false)]
fn relation_of(row_type: Option<Oid>) -> Option<Oid> {
    row_type.and_then(catalog::relation_of_row_type)
}
