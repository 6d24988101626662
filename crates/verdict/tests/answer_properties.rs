//! Whatever the bytes: no refusal is ever approved, and nothing is approved that can be read in
//! another way.

#[path = "support/answers.rs"]
mod answers;

use std::time::{Duration, Instant};

use answers::{member, naive_outcome, one, spelled};
use proptest::prelude::*;
use verdict::{Answer, BODY_CAP, Dialect, ERR_TEXT_CAP, Outcome};

const APPROVAL: &str = r#"{"actionCode":0,"errCode":0,"errMsg":"","errDlt":"","nextCode":0}"#;

fn answer(body: &[u8], http_status: i32) -> Answer {
    Dialect::OpenIm.answer(body, http_status)
}

/// `approved`, `denied`, or the cause of a failure.
fn word(outcome: Outcome) -> &'static str {
    outcome
        .cause()
        .map_or(outcome.as_str(), |cause| cause.as_str())
}

fn status() -> impl Strategy<Value = i32> {
    prop_oneof![4 => Just(200), 1 => 200..300, 1 => any::<i32>(), 1 => 0..1000]
}

/// What surrounds an object in the wild, and keeps it from being JSON.
fn junk() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => Just(Vec::new()),
        1 => Just(b"\xef\xbb\xbf".to_vec()),
        1 => Just(b"Notice: Undefined index in /srv/hook.php on line 3\n".to_vec()),
        1 => Just(b"<html>".to_vec()),
        1 => Just(APPROVAL.as_bytes().to_vec()),
        // No brackets and no quotes: an object in an array, or in a text, is not a top-level one.
        1 => "[a-z<>/=\\n ]{0,20}".prop_map(String::into_bytes),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn any_json_object_has_the_outcome_of_the_naive_rules(
        members in prop::collection::vec(member(), 0..6),
        status in status(),
    ) {
        let body = format!("{{{}}}", members.join(","));
        let expected = naive_outcome(body.as_bytes(), status);
        prop_assert_eq!(expected, Some(word(answer(body.as_bytes(), status).outcome)), "{}", body);
    }

    #[test]
    fn a_refusal_is_seen_in_any_case_place_spelling_and_wrapping(
        before in prop::collection::vec(member(), 0..4),
        after in prop::collection::vec(member(), 0..4),
        key in spelled("nextCode"),
        one in one(),
        leading in junk(),
        trailing in junk(),
        status in status(),
        deep in prop_oneof![4 => Just(0_usize), 1 => 60..200_usize],
        large in prop_oneof![9 => Just(0_usize), 1 => Just(BODY_CAP)],
    ) {
        let mut members = before;
        members.push(format!("\"deep\":{}{}", "[".repeat(deep), "]".repeat(deep)));
        members.push(format!("\"large\":\"{}\"", "x".repeat(large)));
        members.push(format!("{key}:{one}"));
        members.extend(after);
        let object = format!("{{{}}}", members.join(","));
        let body = [leading, object.into_bytes(), trailing].concat();
        prop_assert_eq!(answer(&body, status).outcome, Outcome::Denied);
    }

    #[test]
    fn a_refusal_survives_truncation_and_nothing_truncated_is_approved(
        before in prop::collection::vec(member(), 0..4),
        key in spelled("nextCode"),
        one in one(),
        rest in prop::collection::vec(member(), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut begun = before;
        begun.push(format!("{key}:{one}"));
        let refusal = format!("{{{}", begun.join(","));
        let whole = format!("{refusal},{}}}", rest.join(",")).into_bytes();
        let kept = &whole[..cut.index(whole.len())];
        let outcome = answer(kept, 200).outcome;
        prop_assert_ne!(outcome, Outcome::Approved);
        if kept.len() >= refusal.len() {
            prop_assert_eq!(outcome, Outcome::Denied);
        }
    }

    #[test]
    fn a_refusal_is_seen_between_broken_members(
        broken in prop::collection::vec("[a-z0-9,:. ]{0,12}", 0..4),
        key in spelled("nextCode"),
        one in one(),
        invalid in prop::collection::vec(0x80..=0xff_u8, 0..4),
        bare in any::<bool>(),
    ) {
        let key = if bare { "nextCode".to_owned() } else { key };
        let mut body = format!("{{{};", broken.join(";")).into_bytes();
        body.extend(invalid);
        body.extend(format!(";{key} : {one};").into_bytes());
        prop_assert_eq!(answer(&body, 200).outcome, Outcome::Denied);
    }

    #[test]
    fn only_what_reads_as_an_approval_is_approved(
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..64),
            any::<String>().prop_map(String::into_bytes),
            changed_approval(),
        ],
        status in status(),
    ) {
        if answer(&body, status).outcome == Outcome::Approved {
            prop_assert_eq!(naive_outcome(&body, status), Some("approved"));
            prop_assert!((200..=299).contains(&status));
            prop_assert!(body.len() <= BODY_CAP);
        }
    }

    #[test]
    fn texts_fit_postgresql(
        messages in prop::collection::vec(
            prop_oneof![
                any::<String>(),
                "[\u{0}-\u{2}a本]{0,2000}",
                "(\\\\u0000|\\\\ud83d|x){0,600}",
            ],
            0..3,
        ),
        raw in any::<bool>(),
    ) {
        let members: Vec<String> = messages
            .iter()
            .map(|message| {
                let text = if raw {
                    format!("\"{message}\"")
                } else {
                    serde_json::to_string(message).expect("a text")
                };
                format!("\"errMsg\":{text},\"errDlt\":{text}")
            })
            .collect();
        let answer = answer(format!("{{{}}}", members.join(",")).as_bytes(), 200);
        for text in answer.err_msg.iter().chain(&answer.err_detail) {
            prop_assert!(!text.contains('\0'));
            prop_assert!(text.len() <= ERR_TEXT_CAP);
        }
        if !raw && let Some(last) = messages.last() {
            let whole = last.replace('\0', "\u{fffd}");
            let kept = answer.err_msg.unwrap_or_default();
            prop_assert!(whole.starts_with(&kept));
            prop_assert!(kept == whole || kept.len() > ERR_TEXT_CAP - 4);
        }
    }
}

/// An approval with a few bytes replaced, put in or taken out.
fn changed_approval() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        prop::sample::select(b"01\"{}[]:,- .eE\\uNn\0\xef\xbb\xbf".to_vec()),
        any::<u8>(),
    ];
    prop::collection::vec((any::<prop::sample::Index>(), 0..3_u8, byte), 0..4).prop_map(|changes| {
        let mut body = APPROVAL.as_bytes().to_vec();
        for (place, how, byte) in changes {
            let at = place.index(body.len().max(1)).min(body.len());
            match how {
                0 => body.insert(at, byte),
                1 if at < body.len() => drop(body.remove(at)),
                _ if at < body.len() => body[at] = byte,
                _ => {}
            }
        }
        body
    })
}

#[test]
fn an_approval_may_fill_the_cap_and_not_a_byte_more() {
    let of_length = |length: usize| {
        let frame = r#"{"actionCode":0,"nextCode":0,"x":""}"#.len();
        format!(
            r#"{{"actionCode":0,"nextCode":0,"x":"{}"}}"#,
            "x".repeat(length - frame)
        )
    };
    assert_eq!(of_length(BODY_CAP).len(), BODY_CAP);
    assert_eq!(
        word(answer(of_length(BODY_CAP).as_bytes(), 200).outcome),
        "approved"
    );
    assert_eq!(
        word(answer(of_length(BODY_CAP + 1).as_bytes(), 200).outcome),
        "malformed"
    );
}

#[test]
fn a_text_is_cut_on_a_character() {
    let answer = answer(
        format!(r#"{{"nextCode":1,"errMsg":"a{}"}}"#, "本".repeat(400)).as_bytes(),
        200,
    );
    assert_eq!(answer.err_msg, Some(format!("a{}", "本".repeat(341))));
}

/// Every body takes linear time: a quadratic reading of these would take hours.
#[test]
fn large_bodies_are_fast() {
    let megabytes = 10 << 20;
    for piece in [
        "\"",
        "'",
        "{",
        "[",
        "\\",
        "a ",
        "\"\" ",
        "\" ",
        ":",
        "{\"a\":",
        "\"a\":\"",
        " ",
        "'\"",
        "nextCode:",
        "\"\\u0000\":0,",
        "}{",
    ] {
        let mut body = b"{".to_vec();
        body.extend(piece.repeat(megabytes / piece.len()).into_bytes());
        body.extend(b",nextCode:2}");
        let start = Instant::now();
        assert_ne!(answer(&body, 200).outcome, Outcome::Approved, "{piece}");
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{piece}: {:?}",
            start.elapsed()
        );
    }
}
