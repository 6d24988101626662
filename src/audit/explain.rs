//! `verdict.explain`: every step of the decision for one row, without a lock and without writing.

use crate::args;
use crate::guard::cache;
use crate::guard::info::{CachedGuard, GuardInfo};
use crate::guard::registry;
use crate::judge::facts::{Content, facts};
use crate::store::lookup::{self, Key};
use pg::call::Call;
use pg::catalog;
use pg::clock;
use pg::leaf::FoundVerdict;
use pg::plain::PlainFrame;
use pg::report::{Report, SqlState};
use pg::rows::TableRow;
use pg::span::Span;
use pg::sql::or_raise;
use pgrx::pg_extern;
use pgrx::pg_sys::{Datum, Oid};
use serde_json::{Value, json};
use verdict::{Decision, Finding, GuardedRow, StepAnswer, Timestamp, decide, explain};

/// `verdict.explain_row(relation, r jsonb)`: the steps of all guards as JSON, which
/// `verdict.explain` unfolds.
pub fn explain_row(call: Call, plain: PlainFrame) -> Datum {
    let relation = call.oid(0);
    let given = call.json(1, plain);
    let (relation, given) = plain.step(|| {
        let relation = args::required("relation", relation)?;
        let given = args::required("r", given)?;
        must_be_guarded(relation)?;
        Ok((relation, given))
    });
    let made = TableRow::open(relation, plain);
    let read = || Ok((read_columns(relation)?, given.text().to_owned()));
    made.put_json(read, plain);
    explained(relation, made, plain)
}

/// `verdict.explain_value(r anyelement)`: the same for a row of a guarded table, as it is.
pub fn explain_value(call: Call, plain: PlainFrame) -> Datum {
    let row_type = call.type_of(0, plain);
    let given = call.datum(0);
    let (relation, given) = plain.step(|| {
        let relation = table_of_row_type(row_type)?;
        must_be_guarded(relation)?;
        Ok((relation, args::required("r", given)?))
    });
    let made = TableRow::open(relation, plain);
    made.put_value(given, plain);
    explained(relation, made, plain)
}

/// # Errors
///
/// 42704.
fn must_be_guarded(relation: Oid) -> Result<(), Report> {
    let facts = catalog::relation(relation)?;
    if cache::guards_on(relation)?.is_empty() {
        return Err(registry::no_guard(&facts.name));
    }
    Ok(())
}

/// What the guards of the table look at: nothing else of a row need be read.
fn read_columns(relation: Oid) -> Result<Vec<String>, Report> {
    let guards = cache::guards_on(relation)?;
    let mut names: Vec<String> = guards
        .iter()
        .flat_map(|cached| cached.guard.columns_guarded())
        .collect();
    names.sort();
    names.dedup();
    Ok(names)
}

/// The steps of all guards. Closes the table.
fn explained(relation: Oid, made: TableRow, plain: PlainFrame) -> Datum {
    let mut all = Span::EMPTY;
    let mut i = 0;
    while let Some(info) = plain.step(|| cache::nth_guard_on(relation, i)) {
        let steps = explain_guard(&info, made, plain);
        all = plain.step(|| {
            let comma = if i == 0 { "" } else { "," };
            Ok(Span::copy(
                format!("{}{comma}{}", all.text(), steps.text()).as_bytes(),
            ))
        });
        i += 1;
    }
    made.close(plain);
    plain
        .step(|| Ok(Span::copy(format!("[{}]", all.text()).as_bytes())))
        .to_varlena(plain)
}

/// One guard's steps, as JSON objects with commas between them.
fn explain_guard(info: &GuardInfo, made: TableRow, plain: PlainFrame) -> Span {
    if !made.under_condition_of(info.insert_trigger(), plain) {
        return plain
            .step(|| cache::with_cached(info, |cached| Ok(written(cached, not_judged(cached)))));
    }
    let content = Content::read(info, made.slot(), plain);
    let (row, key) = plain.step(|| cache::with_cached(info, |cached| facts(cached, &content)));
    let now = clock::now(plain);
    let found = key.and_then(|key| lookup::newest(key, now, plain));
    plain.step(|| {
        cache::with_cached(info, |cached| {
            Ok(written(
                cached,
                steps(cached, &row, key, found.as_ref(), now),
            ))
        })
    })
}

fn written(cached: &CachedGuard, steps: Vec<Value>) -> Span {
    let rows: Vec<String> = steps
        .into_iter()
        .enumerate()
        .map(|(i, mut step)| {
            step["guard"] = json!(cached.guard.name);
            step["step"] = json!(i);
            step.to_string()
        })
        .collect();
    Span::copy(rows.join(",").as_bytes())
}

fn step(question: &str, answer: &str, detail: String) -> Value {
    json!({"question": question, "answer": answer, "detail": detail})
}

const UNDER_CONDITION: &str = "Is the row under the guard's condition?";

fn not_judged(cached: &CachedGuard) -> Vec<Value> {
    let condition = cached.guard.condition.as_deref().unwrap_or_default();
    vec![
        step(UNDER_CONDITION, "no", condition.to_owned()),
        step(
            "Decision",
            "not judged",
            "the row passes this guard".to_owned(),
        ),
    ]
}

fn steps(
    cached: &CachedGuard,
    row: &GuardedRow,
    key: Option<Key>,
    found: Option<&FoundVerdict>,
    now: i64,
) -> Vec<Value> {
    let verdict = found.and_then(lookup::standing);
    let policy = &cached.info.policy;
    let terms = cached.info.terms();
    let condition = cached.guard.condition.as_deref();
    let mut steps = vec![step(
        UNDER_CONDITION,
        "yes",
        condition
            .unwrap_or("it has none: every row is judged")
            .to_owned(),
    )];
    let refusal = refusal(found);
    for (i, asked) in explain(row, verdict.as_ref(), terms, Timestamp(now))
        .into_iter()
        .enumerate()
    {
        let detail = match (key, asked.answer) {
            (Some(key), _) if i == 0 => format!("subject \"{}\"", key.subject.text()),
            (_, StepAnswer::No(Finding::Denied)) => format!("{}{refusal}", asked.detail),
            _ => asked.detail,
        };
        steps.push(step(asked.question, asked.answer.as_str(), detail));
    }
    let (answer, detail) = match decide(row, verdict.as_ref(), terms, Timestamp(now)) {
        Decision::Approved => ("approved".to_owned(), "the row passes".to_owned()),
        Decision::FailedOpen => (
            "failed_open".to_owned(),
            "the row passes: the hook says failed_continue".to_owned(),
        ),
        Decision::Found(finding) => (
            finding.to_string(),
            format!(
                "action {}, mode {}, SQLSTATE {}{}",
                policy.actions.get(finding),
                policy.mode,
                finding.sqlstate(),
                if finding == Finding::Denied {
                    &refusal
                } else {
                    ""
                }
            ),
        ),
    };
    steps.push(step("Decision", &answer, detail));
    steps
}

/// The business system's code and words, where it said any: `; 5001 no spam`.
fn refusal(found: Option<&FoundVerdict>) -> String {
    let code = found.and_then(|found| found.err_code);
    let words = found.and_then(|found| found.err_msg.as_ref().map(Span::text));
    let told: Vec<String> = code
        .map(|code| code.to_string())
        .into_iter()
        .chain(words.map(str::to_owned))
        .collect();
    match told.is_empty() {
        true => String::new(),
        false => format!("; {}", told.join(" ")),
    }
}

/// The relation whose rows a composite value is of: `verdict.relation_of` of version 0.1.0.
#[pg_extern(sql = false)]
pub fn relation_of(row_type: Option<Oid>) -> Option<Oid> {
    or_raise(table_of_row_type(row_type).map(Some))
}

fn table_of_row_type(row_type: Option<Oid>) -> Result<Oid, Report> {
    let relation = row_type.and_then(catalog::relation_of_row_type);
    relation.ok_or_else(|| {
        Report::new(
            SqlState::WrongObjectType,
            "argument \"r\" must be a row of a table",
        )
        .hint("For example SELECT e.* FROM messages AS m, verdict.explain(m) AS e.")
    })
}
