//! An answer is approved when it is literally an approval, and never else.

use verdict::{Cause, Dialect, ERR_TEXT_CAP, MAX_DEPTH, Outcome};

use crate::reference::{self, Tree};

const OPENIM: Dialect = Dialect::OpenIm;

/// The statuses that bytes from 200 on stand for; those below are 200, so that most inputs are
/// about the body.
const STATUSES: [i32; 14] = [
    0,
    -1,
    -200,
    100,
    199,
    201,
    204,
    299,
    300,
    404,
    500,
    2000,
    i32::MIN,
    i32::MAX,
];

/// Bodies up to this many bytes are tried with each letter changed.
const SHORT: usize = 160;

/// `data`: one byte for the HTTP status, then the body of the answer.
pub fn check(data: &[u8]) {
    let Some((&status, body)) = data.split_first() else {
        return;
    };
    let status = match usize::from(status).checked_sub(200) {
        None => 200,
        Some(which) => STATUSES[which % STATUSES.len()],
    };
    let outcome = agrees(body, status);
    match outcome {
        Outcome::Approved => spoiled(body),
        Outcome::Denied => broken(body),
        Outcome::Failed(_) => {}
    }
}

/// The outcome of an answer, which is the one by the rules.
fn agrees(body: &[u8], status: i32) -> Outcome {
    let answer = OPENIM.answer(body, status);
    for text in [&answer.err_msg, &answer.err_detail].into_iter().flatten() {
        assert!(text.len() <= ERR_TEXT_CAP && !text.contains('\0'));
    }
    match reference::read(body) {
        Some(Tree::Object(members)) => {
            let depth = 1 + members
                .iter()
                .map(|(_, value)| value.depth())
                .max()
                .unwrap_or(0);
            assert_eq!(answer.outcome, by_the_rules(&members, depth, status));
            assert_eq!(answer.err_code, err_code(&members));
        }
        Some(_) => assert_eq!(answer.outcome, Outcome::Failed(Cause::Malformed)),
        None => not_json(body, answer.outcome),
    }
    answer.outcome
}

/// DESIGN's rules 2 to 7 for a JSON object, in their order.
fn by_the_rules(members: &[(String, Tree)], depth: usize, status: i32) -> Outcome {
    let named = |name: &str| -> Vec<&(String, Tree)> {
        let is_named = |key: &str| key.to_lowercase() == name.to_lowercase();
        members.iter().filter(|(key, _)| is_named(key)).collect()
    };
    if named("nextCode").iter().any(|(_, value)| is_one(value)) {
        return Outcome::Denied;
    }
    let code = |name: &str| match named(name)[..] {
        [(key, value)] if key == name => plain_i32(value),
        _ => None,
    };
    let (Some(action_code), Some(0)) = (code("actionCode"), code("nextCode")) else {
        return Outcome::Failed(Cause::Malformed);
    };
    if depth > MAX_DEPTH {
        return Outcome::Failed(Cause::Malformed);
    }
    if action_code != 0 {
        return Outcome::Failed(Cause::CallbackError);
    }
    if status / 100 != 2 {
        return Outcome::Failed(Cause::HttpStatus);
    }
    let is_success = |value: &Tree| matches!(plain_i32(value), Some(0 | 200));
    if !named("errCode").iter().all(|(_, value)| is_success(value)) {
        return Outcome::Failed(Cause::Contradictory);
    }
    Outcome::Approved
}

/// 1 in any spelling, as a number or as a text.
fn is_one(value: &Tree) -> bool {
    match value {
        Tree::Number(literal) => literal.parse() == Ok(1.0_f64),
        Tree::String(text) => trimmed(text).parse() == Ok(1.0_f64),
        _ => false,
    }
}

/// An integer in i32 in its only spelling.
fn plain_i32(value: &Tree) -> Option<i32> {
    match value {
        Tree::Number(literal) => {
            let code: i32 = literal.parse().ok()?;
            (code.to_string() == *literal).then_some(code)
        }
        _ => None,
    }
}

/// The last `errCode` that is an integer, also in a text.
fn err_code(members: &[(String, Tree)]) -> Option<i32> {
    members
        .iter()
        .filter(|(key, _)| key.to_lowercase() == "errcode")
        .filter_map(|(_, value)| match value {
            Tree::Number(literal) => literal.parse().ok(),
            Tree::String(text) => trimmed(text).parse().ok(),
            _ => None,
        })
        .next_back()
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c.is_control())
}

/// What is no JSON is no approval; and no refusal where the name of one is nowhere to be seen.
fn not_json(body: &[u8], outcome: Outcome) {
    assert!(matches!(
        outcome,
        Outcome::Denied | Outcome::Failed(Cause::Malformed)
    ));
    let is_named = |window: &[u8]| window.eq_ignore_ascii_case(b"nextCode");
    if !body.contains(&b'\\') && !body.windows(8).any(is_named) {
        assert_eq!(outcome, Outcome::Failed(Cause::Malformed));
    }
}

/// What was an approval is none any more after these changes.
fn spoiled(body: &[u8]) {
    let open = body
        .iter()
        .position(|byte| *byte == b'{')
        .expect("an object")
        + 1;
    let with = |text: &[u8]| [&body[..open], text, &body[open..]].concat();
    let of = |body: &[u8]| OPENIM.answer(body, 200).outcome;
    let malformed = Outcome::Failed(Cause::Malformed);
    assert_eq!(of(&with(b"\"NEXTCODE\":\"1\",")), Outcome::Denied);
    assert_eq!(of(&with(b"\"next\\u0043ode\":0,")), malformed);
    assert_eq!(of(&with(b"\"actioncode\":0,")), malformed);
    assert_eq!(
        of(&with(b"\"errcode\":null,")),
        Outcome::Failed(Cause::Contradictory)
    );
    assert_eq!(of(&[body, b"x"].concat()), malformed);
    assert_eq!(of(&[b"\xef\xbb\xbf", body].concat()), malformed);
    let bad_status = OPENIM.answer(body, 500).outcome;
    assert_eq!(bad_status, Outcome::Failed(Cause::HttpStatus));
    if body.len() > SHORT {
        return;
    }
    // One letter or digit that is another one.
    for (at, byte) in body.iter().enumerate() {
        let other = match byte {
            b'a'..=b'z' | b'A'..=b'Z' => byte ^ 0x20,
            b'0' => b'1',
            b'2' => b'3',
            _ => continue,
        };
        let changed = [&body[..at], &[other], &body[at + 1..]].concat();
        agrees(&changed, 200);
    }
}

/// A refusal in JSON stays one in a body that is none any more.
fn broken(body: &[u8]) {
    if reference::read(body).is_none() {
        return;
    }
    for broken in [
        &[b"\xef\xbb\xbf", body].concat()[..],
        &[b"HTTP ", body].concat(),
        &[b"{\"actionCode\":0,\"nextCode\":0}\n", body].concat(),
        &[body, b"{\"actionCode\":0,\"nextCode\":0}"].concat(),
        &[body, b"\xff\0"].concat(),
        &body[..body.len() - 1],
    ] {
        assert_eq!(OPENIM.answer(broken, 200).outcome, Outcome::Denied);
    }
}
