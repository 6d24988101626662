//! A rejected row leaves nothing in the database. The server's log gets one line: `verdict:` and
//! JSON.

use crate::guard::info::CachedGuard;
use crate::guc;
use crate::judge::case::Case;
use pg::log::ereport;
use pg::span::Span;
use pg::startup;
use pgrx::PgLogLevel;
use serde_json::{Value, json};
use std::cell::Cell;

/// One second. A session writes at most `verdict.log_rate` lines in it.
const WINDOW: i64 = 1_000_000;

#[derive(Clone, Copy)]
struct Rate {
    /// When the window began, in microseconds.
    since: i64,
    written: u32,
    /// How many lines were left out since the last written line.
    left_out: u64,
}

thread_local! {
    static RATE: Cell<Rate> = const { Cell::new(Rate { since: i64::MIN, written: 0, left_out: 0 }) };
}

/// The line, or `None` when this session has already written enough lines this second. Then the
/// line is counted as left out.
pub fn line(cached: &CachedGuard, case: &Case) -> Option<Span> {
    let left_out = admit(case.now, guc::log_rate())?;
    let mut line = case.facts(cached);
    line.insert("event".into(), json!("row_rejected"));
    line.insert("operation".into(), json!(case.operation.as_str()));
    line.insert("path".into(), json!(case.path()));
    line.insert("left_out".into(), json!(left_out));
    Some(Span::copy(
        format!("verdict: {}", Value::Object(line)).as_bytes(),
    ))
}

/// How many lines were left out before this one; `None` when this one is left out too.
fn admit(now: i64, rate: Option<u32>) -> Option<u64> {
    let mut state = RATE.get();
    if now.saturating_sub(state.since) >= WINDOW || now < state.since {
        state.since = now;
        state.written = 0;
    }
    let admitted = rate.is_none_or(|rate| state.written < rate);
    let left_out = state.left_out;
    if admitted {
        state.written += 1;
        state.left_out = 0;
    } else {
        if state.left_out == 0 {
            startup::at_exit_once(tell_left_out);
        }
        state.left_out += 1;
    }
    RATE.set(state);
    admitted.then_some(left_out)
}

/// Runs at the end of a session: reports the lines that were left out and not reported yet.
fn tell_left_out() {
    let left_out = RATE.get().left_out;
    if left_out > 0 {
        let line = json!({"event": "rows_rejected", "left_out": left_out});
        ereport(PgLogLevel::LOG_SERVER_ONLY, &format!("verdict: {line}"));
    }
}
