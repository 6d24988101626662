//! The error that refuses a row.

use super::log_line;
use crate::guard::cache;
use crate::guard::info::{CachedGuard, GuardInfo};
use crate::judge::case::{Case, Obstacle, bounded};
use pg::leaf::FoundVerdict;
use pg::log;
use pg::plain::PlainFrame;
use pg::report::{About, Report, SqlState};
use serde_json::Value;
use verdict::Finding;

/// Raises the error. The transaction rolls back and its incident with it; the log line stays.
pub fn refuse(info: &GuardInfo, case: &Case, plain: PlainFrame) {
    let line = plain.step(|| cache::with_cached(info, |cached| Ok(log_line::line(cached, case))));
    if let Some(line) = line {
        log::server_only(line, plain);
    }
    plain.step(|| cache::with_cached(info, |cached| Err::<(), _>(report(cached, case))));
}

/// The error of a rejection. Its message begins with the code: of eight real servers only one logs
/// the SQLSTATE.
fn report(cached: &CachedGuard, case: &Case) -> Report {
    let code = case.finding.sqlstate();
    let said = case.refusal().map(business_words).unwrap_or_default();
    let message = format!(
        "{code} {}: row for table {} refused by guard \"{}\"{said}",
        case.finding, cached.table, cached.guard.name
    );
    Report::new(SqlState::Finding(code), message)
        .detail(Value::Object(case.facts(cached)).to_string())
        .hint(hint(cached, case))
        .about(About {
            schema: Some(cached.table.schema.clone()),
            table: Some(cached.table.table.clone()),
            constraint: Some(cached.guard.name.clone()),
        })
}

/// `: 5001 消息发送失败`, if the business system gave a code and a message.
fn business_words(found: &FoundVerdict) -> String {
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

fn hint(cached: &CachedGuard, case: &Case) -> String {
    let action = cached.guard.policy.actions.get(case.finding);
    match case.obstacle {
        None => advice(case.finding).to_owned(),
        Some(Obstacle::FinalContent) => {
            "Stored content is final under this guard (edits => 'refuse'), whatever verdict there is.".to_owned()
        }
        Some(Obstacle::JudgedOtherwise) if case.finding == Finding::Reused => format!(
            "The guard's action is {action}, but the approval was not spent yet when the guard first looked at the row: another row of this statement, or another session, has spent it since. Store the row again in a separate statement."
        ),
        Some(Obstacle::JudgedOtherwise) => format!(
            "The guard's action is {action}, but the stored row is not the row that its BEFORE trigger judged: another trigger changed the row, or a verdict was recorded at this moment. Store the row again; if this error comes again, look for BEFORE triggers whose names come after zz_verdict_guard_{}.",
            cached.guard.id
        ),
        Some(Obstacle::ForeignKey) => format!(
            "The guard's action is {action}, but a foreign key makes this change, and the old row would reference a row that no longer exists. Approve the new row, or change the row first."
        ),
        Some(Obstacle::TooLarge(size)) => format!(
            "The guard's action is {action}, but a row of {size} bytes cannot be held: at most {} can.",
            super::hold::ROW_CAP
        ),
    }
}

fn advice(finding: Finding) -> &'static str {
    match finding {
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
            "The content differs from the approved content. Get a verdict for the new content."
        }
        Finding::Reused => {
            "The approval has been spent on another row. Each row needs a separate approval."
        }
        Finding::Revoked => "The approval was taken back with verdict.revoke.",
    }
}
