//! OpenIM Server (openimsdk/open-im-server), the before-send webhooks.
//!
//! An answer is `{"actionCode":0,"errCode":0,"errMsg":"","errDlt":"","nextCode":0}`: `actionCode`
//! says whether the callback itself worked (0), `nextCode` 1 refuses the message, `errCode` is the
//! business system's own number. Servers 3.7 and later look at `nextCode` only when `actionCode` is
//! 0, so that `actionCode 1, nextCode 1` sends the message anyway (open-im-server issue 3049). Here
//! it is a refusal.
//!
//! The absence of a refusal is never an approval. The first of these rules that applies decides:
//!
//! 1. no answer at all: `failed`, `timeout` or `transport` ([`Answer::none`]);
//! 2. a refusal under any reading: `denied`, whatever the other codes and the HTTP status are. That
//!    is a top-level key equal to `nextCode` without regard to case, with the value 1 in any
//!    spelling (1, 1.0, "1"); of duplicates each counts;
//! 3. anything but a JSON object with one `actionCode` and one `nextCode`, both integers in i32,
//!    and `nextCode` 0: `failed`, `malformed`. So are a body over [`BODY_CAP`], a byte order mark,
//!    trailing bytes, invalid UTF-8 and too deep nesting;
//! 4. `actionCode` not 0: `failed`, `callback_error`;
//! 5. an HTTP status outside 2xx: `failed`, `http_status`;
//! 6. an `errCode` that is not 0 or 200: `failed`, `contradictory`. Servers 3.0 to 3.4 take it for
//!    a refusal, later ones do not; 200 is what real services send for success;
//! 7. what is left: `approved`.

use crate::field::FieldMap;
use crate::json::scan::{self, Loose};
use crate::json::{Json, JsonKind};
use crate::outcome::{Answer, BODY_CAP, Cause, ERR_TEXT_CAP, Outcome};

/// The server makes this id for each send, before it calls the hook, and stores it with the
/// message.
pub(super) const SUBJECT: &str = "/serverMsgID";

const ACTION_CODE: &str = "actionCode";
const NEXT_CODE: &str = "nextCode";
const ERR_CODE: &str = "errCode";
const ERR_MSG: &str = "errMsg";
const ERR_DETAIL: &str = "errDlt";

/// Rules 2 to 7 of this file.
pub(super) fn answer(body: &[u8], http_status: i32) -> Answer {
    let glance = Glance::at(body);
    let outcome = if glance.refuses {
        Outcome::Denied
    } else {
        match believe(body, http_status) {
            Ok(()) => Outcome::Approved,
            Err(cause) => Outcome::Failed(cause),
        }
    };
    Answer {
        outcome,
        err_code: glance.err_code,
        err_msg: glance.err_msg,
        err_detail: glance.err_detail,
    }
}

/// The content of a message as every version of the server sends and stores it. `sendTime` is not
/// among them: it is in the request only since 3.8.1, and in other units than in the row.
pub(super) fn fields(hook_name: &str) -> FieldMap {
    let hook_name = hook_name.to_ascii_lowercase();
    match (hook_name.contains("single"), hook_name.contains("group")) {
        (false, false) => FieldMap::of_members(["sendID", "contentType", "content"]),
        (true, false) => FieldMap::of_members(["sendID", "contentType", "content", "recvID"]),
        (false, true) => FieldMap::of_members(["sendID", "contentType", "content", "groupID"]),
        // One hook for both kinds. A message has one of the two; the other is null in its digest.
        (true, true) => {
            FieldMap::of_members(["sendID", "contentType", "content", "recvID", "groupID"])
        }
    }
}

/// What can be seen of an answer whatever state it is in.
#[derive(Default)]
struct Glance {
    refuses: bool,
    err_code: Option<i32>,
    err_msg: Option<String>,
    err_detail: Option<String>,
}

impl Glance {
    /// Go's decoder takes keys in any case and the last of duplicates. ASCII case is all there is
    /// to it: Go folds Unicode, too, but no other character folds to a letter of `nextCode` (only k
    /// and s have such).
    fn at(body: &[u8]) -> Self {
        let mut glance = Self::default();
        scan::top_level(body, |key, value| {
            if key.eq_ignore_ascii_case(NEXT_CODE) {
                glance.refuses |= is_one(value);
            } else if key.eq_ignore_ascii_case(ERR_CODE) {
                glance.err_code = integer(value).or(glance.err_code);
            } else if key.eq_ignore_ascii_case(ERR_MSG) {
                glance.err_msg = text(value).or(glance.err_msg.take());
            } else if key.eq_ignore_ascii_case(ERR_DETAIL) {
                glance.err_detail = text(value).or(glance.err_detail.take());
            }
        });
        glance
    }
}

/// Rules 3 to 6: why an answer that does not refuse can't be believed either.
fn believe(body: &[u8], http_status: i32) -> Result<(), Cause> {
    if body.len() > BODY_CAP {
        return Err(Cause::Malformed);
    }
    let document = Json::check(body).map_err(|_| Cause::Malformed)?;
    let mut members = Vec::new();
    let is_object = document.root().each_member(|key, value| {
        members.push((key.to_text(), value.kind()));
        true
    });
    if !is_object {
        return Err(Cause::Malformed);
    }
    let action_code = code(&members, ACTION_CODE)?;
    let next_code = code(&members, NEXT_CODE)?;
    if next_code != 0 {
        return Err(Cause::Malformed);
    }
    if action_code != 0 {
        return Err(Cause::CallbackError);
    }
    if !(200..=299).contains(&http_status) {
        return Err(Cause::HttpStatus);
    }
    let agrees = members
        .iter()
        .filter(|(key, _)| key.eq_ignore_ascii_case(ERR_CODE))
        .all(|(_, value)| matches!(plain_i32(*value), Some(0 | 200)));
    if !agrees {
        return Err(Cause::Contradictory);
    }
    Ok(())
}

/// The value of a code that stands there once, spelled as it should be, as an integer in i32.
fn code(members: &[(String, JsonKind<'_>)], name: &str) -> Result<i32, Cause> {
    let mut found = members
        .iter()
        .filter(|(key, _)| key.eq_ignore_ascii_case(name));
    match (found.next(), found.next()) {
        (Some((key, value)), None) if key == name => plain_i32(*value).ok_or(Cause::Malformed),
        _ => Err(Cause::Malformed),
    }
}

/// An integer literal: Go refuses `0.0` and `0e0` for an int32, and nobody writes `-0` for yes.
fn plain_i32(value: JsonKind<'_>) -> Option<i32> {
    match value {
        JsonKind::Number(literal) if literal != "-0" => literal.parse().ok(),
        _ => None,
    }
}

/// Any spelling of 1, as a number or as a text. As a double: 1.00000000000000000001 is 1 to most
/// readers.
fn is_one(value: Loose<'_>) -> bool {
    trimmed(value).is_some_and(|text| text.parse() == Ok(1.0_f64))
}

fn integer(value: Loose<'_>) -> Option<i32> {
    trimmed(value)?.parse().ok()
}

fn trimmed(value: Loose<'_>) -> Option<String> {
    let text = match value {
        Loose::Text(inner) => scan::decode(inner),
        Loose::Bare(run) => String::from_utf8_lossy(run),
        Loose::Other => return None,
    };
    Some(
        text.trim_matches(|c: char| c.is_whitespace() || c.is_control())
            .to_owned(),
    )
}

/// A text of the business system, made fit for PostgreSQL: no U+0000, at most [`ERR_TEXT_CAP`]
/// bytes.
fn text(value: Loose<'_>) -> Option<String> {
    let Loose::Text(inner) = value else {
        return None;
    };
    let mut text = scan::decode(inner).replace('\0', "\u{fffd}");
    text.truncate(text.floor_char_boundary(ERR_TEXT_CAP));
    Some(text)
}
