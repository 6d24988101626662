//! One row of `verdict.incidents`: which row had a finding, and what was done about it.

use super::done::Done;
use crate::guard::info::CachedGuard;
use crate::guard::registry::Guard;
use crate::guc;
use crate::judge::case::Case;
use pg::catalog::{self, Name};
use pg::columns::RowSlot;
use pg::log::ereport;
use pg::own_table::Value;
use pg::report::Report;
use pg::{clock, identity, own_table, row_text, session};
use pgrx::{JsonB, PgLogLevel};
use serde_json::json;
use verdict::DriftDone;

/// How many bytes of one column's value an incident keeps at most.
const VALUE_CAP: usize = 1_024;

/// Writes the incident in this transaction: row and incident are both committed, or neither is.
/// `stored` says whether the row is in the table.
///
/// # Errors
///
/// Undefined object when the extension's SQL is not installed. In a read-only transaction,
/// PostgreSQL's error.
pub fn write(
    cached: &CachedGuard,
    case: &Case,
    row: RowSlot,
    stored: bool,
    done: Done,
) -> Result<(), Report> {
    if !catalog::has_own("incidents") {
        log_instead(cached, case, done);
        return Ok(());
    }
    let refusal = case.refusal();
    let text = Value::text;
    let quarantine_id = match done {
        Done::Held(id) => Some(id),
        _ => None,
    };
    let id = clock::own_next_id("incidents_id_seq")?;
    let action = cached.guard.policy.actions.get(case.finding);
    let digest = case.digest.map(|digest| digest.as_bytes().to_vec());
    let message = refusal.and_then(|found| found.err_msg);
    let mut cells = vec![
        ("id", Value::of(id)),
        ("at", Value::moment(case.now)),
        ("guard_id", Value::of(cached.guard.id)),
        ("verdict_id", Value::of(case.found.map(|found| found.id))),
        ("quarantine_id", Value::of(quarantine_id)),
        (
            "err_code",
            Value::of(refusal.and_then(|found| found.err_code)),
        ),
        ("guard", text(&cached.guard.name)),
        ("relation", text(&cached.root.to_string())),
        ("finding", text(case.finding.as_str())),
        ("action", text(action.as_str())),
        ("done", text(done.as_str())),
        ("operation", text(case.operation.as_str())),
        ("path", text(case.path())),
        (
            "subject",
            Value::of(case.key.as_ref().map(|key| key.subject.text())),
        ),
        ("digest", Value::of(digest)),
        (
            "err_msg",
            Value::of(message.as_ref().map(|message| message.text())),
        ),
        ("row_image", Value::of(image(cached, row, stored))),
    ];
    cells.extend(who());
    own_table::append("incidents", &cells)
}

/// An older version of the SQL has no table of incidents. Then the server's log gets a line.
fn log_instead(cached: &CachedGuard, case: &Case, done: Done) {
    let mut line = case.facts(cached);
    line.insert("event".into(), json!("row_passed"));
    line.insert("done".into(), json!(done.as_str()));
    let line = serde_json::Value::Object(line);
    ereport(PgLogLevel::LOG_SERVER_ONLY, &format!("verdict: {line}"));
}

/// Writes an incident about a statement that changed a guard.
///
/// # Errors
///
/// As [`write`].
pub fn write_drift(guard: &Guard, table: &Name, done: DriftDone, what: &str) -> Result<(), Report> {
    let text = Value::text;
    let id = clock::own_next_id("incidents_id_seq")?;
    let mut cells = vec![
        ("id", Value::of(id)),
        ("at", Value::moment(clock::current())),
        ("guard_id", Value::of(guard.id)),
        ("guard", text(&guard.name)),
        ("relation", text(&table.to_string())),
        ("finding", text("drift")),
        ("action", text("watch")),
        ("done", text(done.as_str())),
        ("operation", text("ddl")),
        ("path", text("client")),
        ("detail", text(what)),
    ];
    cells.extend(who());
    own_table::append("incidents", &cells)
}

/// The role, and where its session comes from.
fn who() -> [(&'static str, Value); 5] {
    let acting = identity::role_name(identity::current_user());
    [
        ("pid", Value::of(session::pid())),
        ("session_role", Value::of(identity::session_user())),
        ("acting_role", Value::of(acting)),
        ("application_name", Value::of(session::application_name())),
        ("client_addr", Value::of(session::client_addr())),
    ]
}

fn image(cached: &CachedGuard, row: RowSlot, stored: bool) -> Option<JsonB> {
    let cap = guc::row_image_bytes();
    if cap == 0 {
        return None;
    }
    let hidden = |name: &str| cached.guard.redact.iter().any(|column| column == name);
    let caps = (cap, VALUE_CAP.min(cap));
    let image = row_text::bounded(row, cached.info.table, stored, caps, hidden);
    Some(JsonB(image.into()))
}
