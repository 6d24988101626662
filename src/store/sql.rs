//! `verdict.record` and its kin: from arguments to an entry for the writer.
//!
//! Each begins by hearing what others have committed: a hook may have been dropped since this
//! transaction began.

use super::hooks::{self, Hook, SubjectSource};
use super::lookup::Key;
use super::writer::{self, NewVerdict, Replaces};
use crate::args;
use crate::guc;
use pg::call::Call;
use pg::plain::PlainFrame;
use pg::report::{Report, SqlState};
use pg::span::Span;
use pg::{clock, identity, lock, lock_timeout};
use pgrx::pg_sys::Datum;
use std::rc::Rc;
use verdict::{
    Answer, Digest, DigestBuilder, DigestError, Json, JsonString, JsonValue, NoAnswer, Outcome,
    Request, RequestError, StrictJsonError, Via,
};

/// How much of an answer's bytes is kept.
const RESPONSE_CAP: usize = verdict::BODY_CAP;

/// `verdict.record(hook, request, response, http_status)`, for text and for bytea.
pub fn record(call: Call, plain: PlainFrame) -> Datum {
    lock::accept_invalidations(plain);
    let [hook, request, response] = [0, 1, 2].map(|n| call.bytes(n, plain));
    let status = call.int4(3);
    let entry = plain.step(|| {
        let hook = hook_argument(hook)?;
        let request = args::required("request", request)?;
        let response = args::required("response", response)?;
        let status = args::required("http_status", status)?;
        let answer = hook.dialect.answer(response.bytes(), status);
        let mut entry = about_request(&hook, request, &answer, Via::Record)?;
        entry.http_status = Some(status);
        entry.response = Some(Span::copy(
            &response.bytes()[..response.bytes().len().min(RESPONSE_CAP)],
        ));
        entry.response_bytes = Some(i32::try_from(response.bytes().len()).unwrap_or(i32::MAX));
        Ok(entry)
    });
    written(call, &entry, plain)
}

/// `verdict.record_no_answer(hook, request, cause)`.
pub fn record_no_answer(call: Call, plain: PlainFrame) -> Datum {
    lock::accept_invalidations(plain);
    let [hook, request, cause] = [0, 1, 2].map(|n| call.bytes(n, plain));
    let entry = plain.step(|| {
        let hook = hook_argument(hook)?;
        let request = args::required("request", request)?;
        let cause = args::word::<NoAnswer>("cause", cause.as_ref().map(Span::text))?;
        about_request(&hook, request, &Answer::none(cause), Via::RecordNoAnswer)
    });
    written(call, &entry, plain)
}

/// `verdict.approve(hook, subject, content, valid_for)`.
pub fn approve(call: Call, plain: PlainFrame) -> Datum {
    lock::accept_invalidations(plain);
    let [hook, subject] = [0, 1].map(|n| call.bytes(n, plain));
    let content = call.json(2, plain);
    let valid_for = call.interval(3);
    let entry = plain.step(|| {
        let hook = hook_argument(hook)?;
        let digest = content.map(|content| content_digest(&hook, content)).transpose()?;
        let subject = match (&hook.subject, digest) {
            (SubjectSource::Pointer(_), _) => subject_argument(subject)?,
            (SubjectSource::Digest, None) => {
                return Err(Report::new(
                    SqlState::NullNotAllowed,
                    format!("argument \"content\" must not be null: the subjects of hook \"{}\" are content digests", hook.name),
                ));
            }
            (SubjectSource::Digest, Some(digest)) => digest_subject(subject, digest)?,
        };
        let mut entry = blank(&hook, &subject, Outcome::Approved, Via::Approve);
        entry.digest = digest.map(|digest| Span::copy(digest.as_bytes()));
        if let Some(valid_for) = valid_for {
            hooks::parse_valid_for(clock::interval(valid_for)?)?;
            entry.valid_for = valid_for;
        }
        Ok(entry)
    });
    written(call, &entry, plain)
}

/// `verdict.deny(hook, subject, err_code, err_msg)`.
pub fn deny(call: Call, plain: PlainFrame) -> Datum {
    lock::accept_invalidations(plain);
    let [hook, subject] = [0, 1].map(|n| call.bytes(n, plain));
    let err_code = call.int4(2);
    let err_msg = call.bytes(3, plain);
    let entry = plain.step(|| {
        let hook = hook_argument(hook)?;
        let mut entry = blank(
            &hook,
            &subject_argument(subject)?,
            Outcome::Denied,
            Via::Deny,
        );
        entry.err_code = err_code;
        entry.err_msg = err_msg.map(|message| capped(&message));
        Ok(entry)
    });
    written(call, &entry, plain)
}

/// `verdict.revoke(hook, subject, reason)`.
pub fn revoke(call: Call, plain: PlainFrame) -> Datum {
    lock::accept_invalidations(plain);
    let [hook, subject, reason] = [0, 1, 2].map(|n| call.bytes(n, plain));
    let entry = plain.step(|| {
        let hook = hook_argument(hook)?;
        let mut entry = blank(
            &hook,
            &subject_argument(subject)?,
            Outcome::Denied,
            Via::Revoke,
        );
        args::not_blank("reason", reason.as_ref().map(Span::text))?;
        entry.reason = reason.map(|reason| capped(&reason));
        entry.replaces = Replaces::Passing;
        Ok(entry)
    });
    let level = lock_timeout::begin(guc::revoke_timeout_ms(), plain);
    let row = written(call, &entry, plain);
    lock_timeout::end(level, plain);
    row
}

/// Writes and returns what was written: `(id, outcome, cause, subject, digest, recorded_at,
/// expires_at)`.
fn written(call: Call, entry: &NewVerdict, plain: PlainFrame) -> Datum {
    let written = writer::write(entry, plain);
    let text = |value: &'static str| Span::of_static(value).to_varlena(plain);
    call.row(
        [
            Some(Datum::from(written.id)),
            Some(text(entry.outcome.as_str())),
            entry.outcome.cause().map(|cause| text(cause.as_str())),
            Some(entry.key.subject.to_varlena(plain)),
            entry.digest.map(|digest| digest.to_varlena(plain)),
            Some(Datum::from(written.recorded_at)),
            Some(Datum::from(written.expires_at)),
        ],
        plain,
    )
}

fn hook_argument(hook: Option<Span>) -> Result<Rc<Hook>, Report> {
    hooks::by_name(args::required("hook", hook.as_ref().map(Span::text))?)
}

/// A subject that was given as an argument: not NULL, not empty, not longer than what a request may
/// carry.
fn subject_argument(subject: Option<Span>) -> Result<String, Report> {
    let subject = args::required("subject", subject)?;
    let text = subject.text();
    if text.is_empty() || text.len() > verdict::SUBJECT_CAP {
        return Err(Report::new(
            SqlState::InvalidParameter,
            format!(
                "argument \"subject\" has {} bytes; a subject has 1 to {}",
                text.len(),
                verdict::SUBJECT_CAP
            ),
        ));
    }
    Ok(text.to_owned())
}

fn digest_subject(subject: Option<Span>, digest: Digest) -> Result<String, Report> {
    let hex = digest.to_hex();
    match subject {
        Some(given) if given.text() != hex => Err(Report::new(
            SqlState::InvalidParameter,
            "argument \"subject\" is not the digest of argument content",
        )
        .detail(format!("The content's digest is {hex}."))
        .hint("The hook's subjects are content digests: leave subject NULL.")),
        _ => Ok(hex),
    }
}

fn about_request(
    hook: &Hook,
    request: Span,
    answer: &Answer,
    via: Via,
) -> Result<NewVerdict, Report> {
    let request = Request::parse(request.bytes()).map_err(|error| bad_request(&error))?;
    // A request whose content has no digest (duplicate keys, numbers beyond doubles) is on record
    // all the same: a guard that is bound to content finds `altered`.
    let digest = request.digest(&hook.fields);
    let subject = match (&hook.subject, &digest) {
        (SubjectSource::Pointer(pointer), _) => request
            .subject(pointer)
            .map_err(|error| bad_request(&error))?,
        (SubjectSource::Digest, Ok(digest)) => digest.to_hex(),
        (SubjectSource::Digest, Err(error)) => {
            return Err(Report::new(
                SqlState::InvalidParameter,
                format!("argument \"request\": {error}"),
            )
            .hint("The hook's subjects are content digests, and this content has none."));
        }
    };
    let mut entry = blank(hook, &subject, answer.outcome, via);
    entry.digest = digest.ok().map(|digest| Span::copy(digest.as_bytes()));
    entry.err_code = answer.err_code;
    entry.err_msg = answer
        .err_msg
        .as_ref()
        .map(|text| Span::copy(text.as_bytes()));
    entry.err_detail = answer
        .err_detail
        .as_ref()
        .map(|text| Span::copy(text.as_bytes()));
    Ok(entry)
}

fn bad_request(error: &RequestError) -> Report {
    let state = match error {
        RequestError::TooLarge(_) => SqlState::TooLarge,
        RequestError::OutOfMemory => SqlState::OutOfMemory,
        _ => SqlState::InvalidParameter,
    };
    if state != SqlState::InvalidParameter {
        return Report::new(state, format!("argument \"request\": {error}"));
    }
    Report::new(SqlState::InvalidParameter, format!("argument \"request\": {error}"))
        .hint("Pass the webhook's request body as it was received, and check the hook's subject pointer (verdict.hooks).")
}

fn content_digest(hook: &Hook, content: Span) -> Result<Digest, Report> {
    let refuse = |what: String| {
        let names: Vec<&str> = hook.fields.names().collect();
        Report::new(
            SqlState::InvalidParameter,
            format!("argument \"content\": {what}"),
        )
        .hint(format!(
            "The fields of hook \"{}\": {}.",
            hook.name,
            names.join(", ")
        ))
    };
    let json = Json::check(content.bytes()).map_err(|error| match error {
        StrictJsonError::TooLarge { .. } => {
            Report::new(SqlState::TooLarge, format!("argument \"content\": {error}"))
        }
        StrictJsonError::OutOfMemory => Report::new(
            SqlState::OutOfMemory,
            format!("argument \"content\": {error}"),
        ),
        error => refuse(error.to_string()),
    })?;
    let mut values: Vec<(&str, JsonValue)> = Vec::new();
    let mut unknown: Option<JsonString> = None;
    let is_object = json.root().each_member(|key, value| {
        match hook.fields.names().find(|name| key.is_text(name)) {
            Some(name) => values.push((name, value)),
            None if unknown.is_none_or(|known| key.cmp_text(known).is_lt()) => unknown = Some(key),
            None => {}
        }
        true
    });
    if !is_object {
        return Err(refuse(
            "it must be a JSON object of the content fields".into(),
        ));
    }
    if let Some(unknown) = unknown {
        return Err(refuse(format!(
            "\"{}\" is not a field of the hook",
            unknown.excerpt()
        )));
    }
    let given = |name: &str| values.iter().find(|(given, _)| *given == name);
    if let Some(missing) = hook.fields.names().find(|name| given(name).is_none()) {
        return Err(refuse(format!(
            "field \"{missing}\" is missing (write null if it has no value)"
        )));
    }
    let mut builder = DigestBuilder::new(hook.fields.len());
    // In the order of the digest. A jsonb has no key twice.
    for name in hook.fields.names() {
        if let Some((_, value)) = given(name) {
            builder
                .json_field(name, *value)
                .map_err(|error| match error {
                    DigestError::OutOfMemory => Report::new(
                        SqlState::OutOfMemory,
                        format!("argument \"content\": {error}"),
                    ),
                    error => refuse(error.to_string()),
                })?;
        }
    }
    builder.finish().map_err(|error| refuse(error.to_string()))
}

/// A reviewer's word on a row: an approval of its content, or a denial of its subject.
///
/// # Errors
///
/// 22023 for a subject that no verdict can be about.
pub fn reviewed(
    hook: &Hook,
    subject: &str,
    digest: Option<&[u8]>,
    outcome: Outcome,
    via: Via,
    reason: &str,
) -> Result<NewVerdict, Report> {
    let subject = subject_argument(Some(Span::copy(subject.as_bytes())))?;
    let mut entry = blank(hook, &subject, outcome, via);
    entry.digest = digest.map(Span::copy);
    entry.reason = Some(capped(&Span::copy(reason.as_bytes())));
    Ok(entry)
}

fn blank(hook: &Hook, subject: &str, outcome: Outcome, via: Via) -> NewVerdict {
    let hash = verdict::subject_hash(hook.id, subject);
    NewVerdict {
        key: Key {
            hook_id: hook.id,
            subject: Span::copy(subject.as_bytes()),
            hash,
        },
        outcome,
        via,
        valid_for: hook.valid_for,
        digest: None,
        err_code: None,
        err_msg: None,
        err_detail: None,
        reason: None,
        http_status: None,
        response: None,
        response_bytes: None,
        recorded_by: Span::copy(identity::session_user().as_bytes()),
        replaces: Replaces::Any,
    }
}

/// A text of a person's, at most 1 KiB of it.
fn capped(text: &Span) -> Span {
    let text = text.text();
    Span::copy(&text.as_bytes()[..text.floor_char_boundary(verdict::ERR_TEXT_CAP)])
}
