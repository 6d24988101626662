//! What is said of a row with a finding: to the client an error, to the server's log a line.

use super::plan::Plan;
use crate::pg::leaf::Found;
use crate::pg::span::Span;
use crate::report::{About, Report, SqlState};
use crate::store::lookup::Key;
use serde_json::{Map, Value, json};
use std::cell::Cell;
use verdict::{Finding, Mode};

/// One row's case.
#[derive(Clone, Copy)]
pub struct Case {
    pub finding: Finding,
    pub key: Option<Key>,
    pub found: Option<Found>,
    /// An edit under `edits => 'refuse'`: no verdict would help.
    pub final_content: bool,
}

/// What became of it.
#[derive(Clone, Copy)]
pub struct Done {
    pub apply: bool,
    pub enforced: bool,
}

impl Case {
    /// The verdict whose words explain the refusal. The business system's words belong to its refusals; of an
    /// approval they say nothing.
    fn refusal(&self) -> Option<&Found> {
        let refused = matches!(self.finding, Finding::Denied | Finding::Failed);
        self.found.as_ref().filter(|_| refused)
    }
}

/// The longest text that a DETAIL or log line carries of a subject or message, in bytes.
const TEXT_CAP: usize = 256;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// The error of a rejection. The message begins with the code: of eight real servers only one logs the SQLSTATE.
pub fn report(plan: &Plan, case: &Case) -> Report {
    let code = case.finding.sqlstate();
    let said = case.refusal().map(business_words).unwrap_or_default();
    let message = format!(
        "{code} {}: row for table {} refused by guard \"{}\"{said}",
        case.finding, plan.table, plan.guard.name
    );
    Report::new(SqlState::Finding(case.finding), message)
        .detail(Value::Object(facts(plan, case)).to_string())
        .hint(hint(case))
        .about(About {
            schema: Some(plan.table.schema.clone()),
            table: Some(plan.table.table.clone()),
            constraint: Some(plan.guard.name.clone()),
        })
}

/// The log's line: `verdict:` and JSON. `count` is how many this session has logged.
pub fn log_line(plan: &Plan, case: &Case, done: Done) -> Span {
    let count = COUNT.get() + 1;
    COUNT.set(count);
    let mut line = facts(plan, case);
    line.insert(
        "event".into(),
        json!(if done.enforced {
            "row_rejected"
        } else {
            "row_passed"
        }),
    );
    line.insert(
        "action".into(),
        json!(plan.guard.policy.actions.get(case.finding).as_str()),
    );
    line.insert("mode".into(), json!(plan.guard.policy.mode.as_str()));
    line.insert(
        "observed".into(),
        json!(plan.guard.policy.mode == Mode::Observe),
    );
    line.insert(
        "path".into(),
        json!(if done.apply { "apply" } else { "client" }),
    );
    line.insert("count".into(), json!(count));
    Span::copy(format!("verdict: {}", Value::Object(line)).as_bytes())
}

fn facts(plan: &Plan, case: &Case) -> Map<String, Value> {
    let found = case.found.as_ref();
    let text = |span: &Span| json!(bounded(span.text()));
    [
        ("code", json!(case.finding.sqlstate())),
        ("finding", json!(case.finding.as_str())),
        ("guard", json!(plan.guard.name)),
        ("table", json!(plan.table.to_string())),
        (
            "subject",
            case.key
                .as_ref()
                .map_or(Value::Null, |key| text(&key.subject)),
        ),
        (
            "verdict",
            found.map_or(Value::Null, |found| json!(found.id)),
        ),
        (
            "err_code",
            case.refusal()
                .and_then(|found| found.err_code)
                .map_or(Value::Null, Value::from),
        ),
        (
            "err_msg",
            case.refusal()
                .and_then(|found| found.err_msg.as_ref())
                .map_or(Value::Null, text),
        ),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

/// `: 5001 消息发送失败` when the business system gave its reason.
fn business_words(found: &Found) -> String {
    match (
        found.err_code,
        found
            .err_msg
            .as_ref()
            .map(|span| bounded(span.text()))
            .filter(|text| !text.is_empty()),
    ) {
        (Some(code), Some(text)) => format!(": {code} {text}"),
        (None, Some(text)) => format!(": {text}"),
        (Some(code), None) => format!(": {code}"),
        (None, None) => String::new(),
    }
}

fn bounded(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_CAP)]
}

fn hint(case: &Case) -> &'static str {
    match case.finding {
        _ if case.final_content => {
            "Stored content is final under this guard (edits => 'refuse'), whatever verdict there is."
        }
        Finding::Missing => {
            "No verdict is recorded for this subject. Ask the webhook, record its answer with verdict.record, then store the row."
        }
        Finding::Denied => {
            "The webhook refused this message. The server above should not have stored it."
        }
        Finding::Failed => {
            "The webhook gave no answer that can be believed. Ask again and record the answer."
        }
        Finding::Expired => {
            "The approval is past its validity. Ask the webhook again, or lengthen the hook's valid_for."
        }
        Finding::Altered => {
            "The content is not what was approved. Content that is to be stored needs a verdict of its own."
        }
        Finding::Reused => {
            "The approval has been spent on another row. Each row needs an approval of its own."
        }
        Finding::Revoked => "The approval was taken back with verdict.revoke.",
    }
}
