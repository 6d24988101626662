//! `verdict.status` and `verdict.parse`: looking without touching.

use super::hooks;
use super::lookup::{self, Key};
use crate::args;
use pg::call::Call;
use pg::clock;
use pg::plain::PlainFrame;
use pg::report::{Report, SqlState};
use pg::span::Span;
use pg::sql::or_raise;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::Datum;
use pgrx::{name, pg_extern};
use verdict::{Decision, Dialect, GuardedRow, RowDigest, Terms, Timestamp, decide};

/// `verdict.status(hook, subject)`: would a row with this subject pass, content aside?
pub fn status(call: Call, plain: PlainFrame) -> Datum {
    let [hook, subject] = [0, 1].map(|n| call.bytes(n, plain));
    let (key, failed_continue) = plain.step(|| {
        let hook = hooks::by_name(args::required("hook", hook.as_ref().map(Span::text))?)?;
        let subject = args::required("subject", subject)?;
        let hash = verdict::subject_hash(hook.id, subject.text());
        Ok((
            Key {
                hook_id: hook.id,
                subject,
                hash,
            },
            hook.failed_continue,
        ))
    });
    let now = clock::now(plain);
    let found = lookup::newest(key, now, plain);
    let terms = Terms {
        failed_continue,
        consume: false,
    };
    let row = GuardedRow {
        has_subject: true,
        digest: RowDigest::Unbound,
    };
    let decision = decide(
        &row,
        found.as_ref().and_then(lookup::standing).as_ref(),
        terms,
        Timestamp(now),
    );
    let text = |value: &'static str| Span::of_static(value).to_varlena(plain);
    let finding = match decision {
        Decision::Found(finding) => Some(text(finding.as_str())),
        Decision::Approved | Decision::FailedOpen => None,
    };
    call.row(
        [
            Some(Datum::from(finding.is_none())),
            finding,
            found.map(|found| Datum::from(found.id)),
            found.map(|found| found.outcome.to_varlena(plain)),
            found
                .and_then(|found| found.cause)
                .map(|cause| cause.to_varlena(plain)),
            found.and_then(|found| found.err_code).map(Datum::from),
            found
                .and_then(|found| found.err_msg)
                .map(|message| message.to_varlena(plain)),
            found.map(|found| Datum::from(found.recorded_at)),
            found.map(|found| Datum::from(found.expires_at)),
        ],
        plain,
    )
}

type Parsed = TableIterator<
    'static,
    (
        name!(outcome, String),
        name!(cause, Option<String>),
        name!(err_code, Option<i32>),
        name!(err_msg, Option<String>),
        name!(err_detail, Option<String>),
    ),
>;

#[pg_extern(sql = false)]
pub fn parse(dialect: Option<&str>, response: Option<&[u8]>, http_status: Option<i32>) -> Parsed {
    let answer = or_raise((|| {
        let dialect: Dialect = args::required("dialect", dialect)?.parse().map_err(
            |error: verdict::UnknownDialect| {
                Report::new(
                    SqlState::InvalidParameter,
                    format!("argument \"dialect\": {error}"),
                )
            },
        )?;
        Ok(dialect.answer(
            args::required("response", response)?,
            args::required("http_status", http_status)?,
        ))
    })());
    TableIterator::once((
        answer.outcome.as_str().to_owned(),
        answer
            .outcome
            .cause()
            .map(|cause| cause.as_str().to_owned()),
        answer.err_code,
        answer.err_msg,
        answer.err_detail,
    ))
}
