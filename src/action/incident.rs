//! One row of `verdict.incidents`: which row had a finding, and what was done about it.

use super::done::Done;
use crate::guard::info::CachedGuard;
use crate::guard::registry::Guard;
use crate::guc;
use crate::judge::case::Case;
use pg::catalog::{self, Name};
use pg::columns::RowSlot;
use pg::log::ereport;
use pg::report::Report;
use pg::{clock, identity, own_table, row_text, session};
use pgrx::pg_sys::Datum;
use pgrx::{IntoDatum, JsonB, PgLogLevel};
use serde_json::json;
use verdict::DriftDone;

/// The longest text that is kept of one column of a row, in bytes.
const VALUE_CAP: usize = 1_024;

/// Writes the incident in this transaction: it stands or falls with the row that it is about. `stored`: the row is.
///
/// # Errors
///
/// Undefined object when the extension's SQL is not installed; a read-only transaction's own.
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
    let text = |text: &str| text.to_owned().into_datum();
    let quarantine_id = match done {
        Done::Held(id) => id.into_datum(),
        _ => None,
    };
    let id = clock::own_next_id("incidents_id_seq")?;
    let action = cached.guard.policy.actions.get(case.finding);
    let digest = case.digest.map(|digest| digest.as_bytes().to_vec());
    let message = refusal.and_then(|found| found.err_msg);
    let mut cells = vec![
        ("id", id.into_datum()),
        ("at", Some(Datum::from(case.now))),
        ("guard_id", cached.guard.id.into_datum()),
        ("verdict_id", case.found.map(|found| found.id).into_datum()),
        ("quarantine_id", quarantine_id),
        (
            "err_code",
            refusal.and_then(|found| found.err_code).into_datum(),
        ),
        ("guard", text(&cached.guard.name)),
        ("relation", text(&cached.root.to_string())),
        ("finding", text(case.finding.as_str())),
        ("action", text(action.as_str())),
        ("done", text(done.as_str())),
        ("operation", text(case.operation.as_str())),
        ("path", text(case.path())),
        ("subject", case.key.and_then(|key| text(key.subject.text()))),
        ("digest", digest.into_datum()),
        ("err_msg", message.and_then(|message| text(message.text()))),
        ("row_image", image(cached, row, stored)),
    ];
    cells.extend(who());
    own_table::append("incidents", &cells)
}

/// An older version of the SQL has no incidents: the server's log gets a line instead.
fn log_instead(cached: &CachedGuard, case: &Case, done: Done) {
    let mut line = case.facts(cached);
    line.insert("event".into(), json!("row_passed"));
    line.insert("done".into(), json!(done.as_str()));
    let line = serde_json::Value::Object(line);
    ereport(PgLogLevel::LOG_SERVER_ONLY, &format!("verdict: {line}"));
}

/// Writes down what a statement has done to a guard.
///
/// # Errors
///
/// As [`write`].
pub fn write_drift(guard: &Guard, table: &Name, done: DriftDone, what: &str) -> Result<(), Report> {
    let text = |text: &str| text.to_owned().into_datum();
    let id = clock::own_next_id("incidents_id_seq")?;
    let mut cells = vec![
        ("id", id.into_datum()),
        ("at", Some(Datum::from(clock::current()))),
        ("guard_id", guard.id.into_datum()),
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

/// Who is at work, and from where.
fn who() -> [(&'static str, Option<Datum>); 5] {
    let acting = identity::role_name(identity::current_user());
    [
        ("pid", session::pid().into_datum()),
        ("session_role", identity::session_user().into_datum()),
        ("acting_role", acting.into_datum()),
        ("application_name", session::application_name().into_datum()),
        ("client_addr", session::client_addr().into_datum()),
    ]
}

fn image(cached: &CachedGuard, row: RowSlot, stored: bool) -> Option<Datum> {
    let cap = guc::row_image_bytes();
    if cap == 0 {
        return None;
    }
    let hidden = |name: &str| cached.guard.redact.iter().any(|column| column == name);
    let caps = (cap, VALUE_CAP.min(cap));
    JsonB(row_text::bounded(row, cached.info.table, stored, caps, hidden).into()).into_datum()
}
