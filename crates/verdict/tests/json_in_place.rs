//! A document that is read where it stands has the digest of its tree.

mod support;

use proptest::prelude::*;
use support::reference;
use verdict::{
    DOCUMENT_CAP, DigestBuilder, DigestError, FieldValue, Json, StrictJsonError, UuidText,
};

/// By way of a tree: what every other language does.
fn by_tree(text: &str) -> Option<[u8; 32]> {
    let tree = reference::read(text.as_bytes()).filter(|tree| !tree.has_duplicate())?;
    let (tag, bytes) = tree.tag_and_bytes()?;
    Some(reference::digest(&[("f", tag, &bytes)]))
}

fn in_place(text: &str) -> Option<[u8; 32]> {
    let json = Json::check(text.as_bytes()).ok()?;
    if json.duplicate().is_some() {
        return None;
    }
    let mut builder = DigestBuilder::new(1);
    builder.json_field("f", json.root()).ok()?;
    Some(*builder.finish().ok()?.as_bytes())
}

/// JSON in odd spellings: white space, escapes that nobody needs, numbers of all kinds, equal keys.
fn odd_json() -> impl Strategy<Value = String> {
    let space = prop::sample::select(vec!["", " ", "\n\t", "\r "]);
    let number = prop_oneof![
        any::<i64>().prop_map(|i| i.to_string()),
        any::<u64>().prop_map(|u| u.to_string()),
        any::<f64>()
            .prop_filter("finite", |d| d.is_finite())
            .prop_map(|d| format!("{d:e}")),
        "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,5})?([eE][+-]?[0-9]{1,2})?",
        prop::sample::select(vec![
            "-0",
            "0",
            "1.0",
            "1e20",
            "1e21",
            "-0.0",
            "9007199254740993",
            "999999999999999",
            "-999999999999999",
            "1000000000000000"
        ])
        .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
        number,
        odd_string(),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        let array = prop::collection::vec(inner.clone(), 0..5);
        let object = prop::collection::vec((odd_string(), inner), 0..5);
        prop_oneof![
            (array, space.clone()).prop_map(|(items, space)| {
                format!(
                    "[{space}{}{space}]",
                    items.join(&format!("{space},{space}"))
                )
            }),
            (object, space.clone()).prop_map(|(members, space)| {
                let members = members
                    .into_iter()
                    .map(|(key, value)| format!("{key}{space}:{space}{value}"));
                let members: Vec<String> = members.collect();
                format!(
                    "{{{space}{}{space}}}",
                    members.join(&format!("{space},{space}"))
                )
            }),
        ]
    })
}

fn odd_string() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "[a-c]{0,3}",
        prop::sample::select(vec![
            "é",
            "\u{ffff}",
            "😀",
            "\u{7f}",
            "\u{e000}",
            "\\n",
            "\\\"",
            "\\\\",
            "\\/",
            "\\u0061",
            "\\u0000",
            "\\u001F",
            "\\ud83d\\ude00",
            "\\uFFFF",
            "\\b\\f\\r\\t",
            "{",
            "]",
            ":",
            ",",
            "\\u2028",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(part, 0..4).prop_map(|parts| format!("\"{}\"", parts.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn the_digest_is_that_of_the_tree(text in odd_json()) {
        prop_assert_eq!(in_place(&text), by_tree(&text), "{}", text);
    }

    /// A broken text has a digest by both ways, or by none.
    #[test]
    fn a_broken_text_is_one_for_the_tree(
        text in odd_json(),
        at in any::<prop::sample::Index>(),
        put in "[\\x00-\\x7f]{0,2}",
    ) {
        let at = text.floor_char_boundary(at.index(text.len() + 1));
        let rest: String = text[at..].chars().skip(1).collect();
        let broken = format!("{}{put}{rest}", &text[..at]);
        prop_assert_eq!(in_place(&broken), by_tree(&broken), "{}", broken);
    }
}

#[test]
fn a_document_beyond_the_cap_is_refused_by_its_size() {
    let text = format!("\"{}\"", "x".repeat(DOCUMENT_CAP - 1));
    assert_eq!(
        Json::check(text.as_bytes()).err(),
        Some(StrictJsonError::TooLarge {
            bytes: DOCUMENT_CAP + 1
        })
    );
    assert!(Json::check(&text.as_bytes()[1..]).is_err());
    let text = format!("\"{}\"", "x".repeat(DOCUMENT_CAP - 2));
    assert!(Json::check(text.as_bytes()).is_ok());
}

#[test]
fn hexadecimal_is_the_text_that_it_is() {
    let bytes = [0, 1, 0x7f, 0x80, 0xab, 0xff];
    let mut builder = DigestBuilder::new(1);
    builder.hex_field("f", &bytes).expect("a field");
    let mut of_text = DigestBuilder::new(1);
    let text = FieldValue::String("00017f80abff");
    of_text.field("f", text).expect("a field");
    assert_eq!(builder.finish(), of_text.finish());
    let mut builder = DigestBuilder::new(1);
    builder.hex_field("f", &bytes).expect("a field");
    let again = builder.hex_field("f", &bytes);
    assert!(matches!(again, Err(DigestError::Order { .. })));
}

#[test]
fn a_uuid_is_written_as_postgresql_prints_it() {
    let bytes = [
        0xa0, 0xee, 0xbc, 0x99, 0x9c, 0x0b, 0x4e, 0xf8, 0xbb, 0x6d, 0x6b, 0xb9, 0xbd, 0x38, 0x0a,
        0x11,
    ];
    let text = UuidText::of(&bytes);
    assert_eq!(text.as_str(), "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
}

/// Deep nesting makes it read parts again, but never hang: 64 levels of objects around a long text.
#[test]
fn deep_documents_come_to_an_end() {
    let text = format!(
        "{}\"{}\"{}",
        "{\"a\":".repeat(64),
        "x".repeat(1 << 20),
        "}".repeat(64)
    );
    assert_eq!(in_place(&text), by_tree(&text));
    assert!(in_place(&text).is_some());
}
