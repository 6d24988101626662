//! The byte form against one written down again here, and the promise that two contents never share
//! a digest.

mod support;

use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use support::reference;
use verdict::{
    Digest, DigestBuilder, DigestError, FIELD_NAME_CAP, FieldMap, FieldValue, Json as Text, Request,
};

fn by_the_page(fields: &[(&str, u8, &[u8])]) -> Digest {
    Digest::from_bytes(&reference::digest(fields)).expect("32 bytes")
}

fn of(value: FieldValue<'_>) -> Result<Digest, DigestError> {
    digest(&[("x", value)])
}

fn digest(fields: &[(&str, FieldValue<'_>)]) -> Result<Digest, DigestError> {
    let mut builder = DigestBuilder::new(fields.len());
    for (name, value) in fields {
        builder.field(name, *value)?;
    }
    builder.finish()
}

/// The digest of a JSON text.
fn of_text(text: &str) -> Result<Digest, DigestError> {
    let json = Text::check(text.as_bytes()).expect("JSON");
    let mut builder = DigestBuilder::new(1);
    builder.json_field("x", json.root())?;
    builder.finish()
}

#[test]
fn every_type_has_the_form_of_the_page() {
    for (value, tag, bytes) in [
        (FieldValue::Null, b'n', &b""[..]),
        (FieldValue::String(""), b's', b""),
        (FieldValue::String("é\0"), b's', b"\xc3\xa9\0"),
        (
            FieldValue::Integer(-2),
            b'i',
            b"\xff\xff\xff\xff\xff\xff\xff\xfe",
        ),
        (
            FieldValue::Integer(i64::MAX),
            b'i',
            b"\x7f\xff\xff\xff\xff\xff\xff\xff",
        ),
        (FieldValue::Boolean(false), b'b', b"\0"),
        (FieldValue::Boolean(true), b'b', b"\x01"),
    ] {
        let digest = of(value);
        assert_eq!(digest, Ok(by_the_page(&[("x", tag, bytes)])), "{value:?}");
    }
    for (text, tag, bytes) in [
        (
            r#"{ "b": [1, "\u0000"], "a": 2.5 }"#,
            b'j',
            &br#"{"a":2.5,"b":[1,"\u0000"]}"#[..],
        ),
        ("[]", b'j', b"[]"),
        ("0.5", b'j', b"0.5"),
        // A scalar has the form of its own type.
        (r#""\u0061""#, b's', b"a"),
        ("1.0", b'i', b"\0\0\0\0\0\0\0\x01"),
        ("null", b'n', b""),
        ("true", b'b', b"\x01"),
    ] {
        assert_eq!(
            of_text(text),
            Ok(by_the_page(&[("x", tag, bytes)])),
            "{text}"
        );
    }
}

/// RFC 8785, appendix B: the doubles by their bits, and how they are written.
#[test]
fn numbers_have_the_form_of_rfc_8785() {
    for (bits, text) in [
        (0x0000000000000001_u64, "5e-324"),
        (0x8000000000000001, "-5e-324"),
        (0x7fefffffffffffff, "1.7976931348623157e+308"),
        (0xffefffffffffffff, "-1.7976931348623157e+308"),
        (0x4430000000000000, "295147905179352830000"),
        (0x44b52d02c7e14af5, "9.999999999999997e+22"),
        (0x44b52d02c7e14af6, "1e+23"),
        (0x44b52d02c7e14af7, "1.0000000000000001e+23"),
        (0x444b1ae4d6e2ef4e, "999999999999999700000"),
        (0x444b1ae4d6e2ef4f, "999999999999999900000"),
        (0x444b1ae4d6e2ef50, "1e+21"),
        (0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"),
        (0x3eb0c6f7a0b5ed8d, "0.000001"),
        (0x41b3de4355555553, "333333333.3333332"),
        (0x41b3de4355555554, "333333333.33333325"),
        (0x41b3de4355555555, "333333333.3333333"),
        (0x41b3de4355555556, "333333333.3333334"),
        (0x41b3de4355555557, "333333333.33333343"),
        (0xbecbf647612f3696, "-0.0000033333333333333333"),
        (0x43143ff3c1cb0959, "1424953923781206.2"),
    ] {
        let array = json!([f64::from_bits(bits)]).to_string();
        let expected = by_the_page(&[("x", b'j', format!("[{text}]").as_bytes())]);
        assert_eq!(of_text(&array), Ok(expected), "{text}");
        assert_eq!(
            of_text(&format!("[{text}]")),
            Ok(expected),
            "{text} as text"
        );
    }
}

/// RFC 8785, 3.2.3: keys are sorted by UTF-16, which differs from the order of UTF-8.
#[test]
fn keys_have_the_order_of_rfc_8785() {
    let keys = [
        "\r",
        "1",
        "\u{80}",
        "\u{f6}",
        "\u{20ac}",
        "\u{1f600}",
        "\u{fb33}",
    ];
    let object: Json = keys
        .iter()
        .map(|key| ((*key).to_owned(), json!(0)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let expected = "{\"\\r\":0,\"1\":0,\"\u{80}\":0,\"\u{f6}\":0,\"\u{20ac}\":0,\
                    \"\u{1f600}\":0,\"\u{fb33}\":0}";
    assert_eq!(
        of_text(&object.to_string()),
        Ok(by_the_page(&[("x", b'j', expected.as_bytes())]))
    );
}

#[test]
fn a_number_that_would_be_rounded_has_no_digest() {
    for (text, literal) in [
        ("[9007199254740993]", "9007199254740993"),
        ("{\"a\":{\"b\":[-9007199254740993]}}", "-9007199254740993"),
        ("[1152921504606846976]", "1152921504606846976"),
        ("[9223372036854775807]", "9223372036854775807"),
        ("[18446744073709551615]", "18446744073709551615"),
        ("18446744073709551615", "18446744073709551615"),
    ] {
        let error = of_text(text).expect_err(text);
        assert_eq!(
            error,
            DigestError::Number {
                literal: literal.to_owned()
            }
        );
    }
    for exact in [
        "[9007199254740992]",
        "[-9007199254740992]",
        "[9007199254740994]",
        "[1000000000000000000]",
        "[1e300]",
    ] {
        assert!(of_text(exact).is_ok(), "{exact}");
    }
}

#[test]
fn the_builder_refuses_what_has_no_form() {
    let order = |name: &str, previous: &str| {
        Err(DigestError::Order {
            name: name.to_owned(),
            previous: previous.to_owned(),
        })
    };
    let mut builder = DigestBuilder::new(2);
    assert_eq!(builder.field("b", FieldValue::Null), Ok(()));
    assert_eq!(builder.field("b", FieldValue::Null), order("b", "b"));
    assert_eq!(builder.field("a", FieldValue::Null), order("a", "b"));
    assert_eq!(builder.field("B", FieldValue::Null), order("B", "b"));
    assert_eq!(
        builder.finish(),
        Err(DigestError::Count {
            announced: 2,
            given: 1
        })
    );

    // What a failed field leaves behind is nothing: the same field may be given again.
    let mut builder = DigestBuilder::new(1);
    let inexact = Text::check(b"[18446744073709551615]").expect("JSON");
    assert!(builder.json_field("x", inexact.root()).is_err());
    assert_eq!(builder.field("x", FieldValue::Null), Ok(()));
    assert_eq!(builder.finish(), Ok(by_the_page(&[("x", b'n', b"")])));

    assert_eq!(DigestBuilder::new(0).finish(), Err(DigestError::NoField));
    assert_eq!(digest(&[]), Err(DigestError::NoField));
    assert_eq!(
        digest(&[("a", FieldValue::Null), ("a", FieldValue::Null)]),
        Err(DigestError::Order {
            name: "a".to_owned(),
            previous: "a".to_owned()
        })
    );
    for name in ["", "a\n", "\u{0}", &"x".repeat(FIELD_NAME_CAP + 1)] {
        assert!(
            matches!(
                digest(&[(name, FieldValue::Null)]),
                Err(DigestError::Name { .. })
            ),
            "{name:?}"
        );
    }
    let longest = "x".repeat(FIELD_NAME_CAP);
    assert_eq!(
        digest(&[(&longest, FieldValue::Null)]),
        Ok(by_the_page(&[(&longest, b'n', b"")]))
    );
}

#[test]
fn digests_are_written_as_hexadecimal_and_read_from_bytes() {
    let digest = by_the_page(&[("x", b'n', b"")]);
    let hex = digest.to_hex();
    assert_eq!(hex.len(), 64);
    let bytes: Vec<String> = digest
        .as_bytes()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    assert_eq!(hex, bytes.concat());
    assert_eq!(Digest::from_bytes(digest.as_bytes()), Some(digest));
    for length in [0, 31, 33] {
        assert_eq!(Digest::from_bytes(&vec![0; length]), None);
    }
}

#[test]
fn ten_megabytes_are_fast() {
    let text = "本文 and text; ".repeat((10 << 20) / 17);
    let start = Instant::now();
    let fields =
        FieldMap::from_json(&json!({ "content": "/content", "all": "/parts" })).expect("fields");
    let body =
        json!({ "content": text, "parts": vec![json!({ "b": [1.5, "x"], "a": null }); 100_000] })
            .to_string();
    let request = Request::parse(body.as_bytes())
        .expect("a request")
        .digest(&fields)
        .expect("a digest");
    let parts = json!(vec![json!({ "a": null, "b": [1.5, "x"] }); 100_000]).to_string();
    let parts = Text::check(parts.as_bytes()).expect("JSON");
    let mut row = DigestBuilder::new(2);
    row.json_field("all", parts.root()).expect("a field");
    row.field("content", FieldValue::String(&text))
        .expect("a field");
    assert_eq!(row.finish(), Ok(request));
    // Without optimisation, and with another build on the machine.
    assert!(
        start.elapsed() < Duration::from_secs(30),
        "{:?}",
        start.elapsed()
    );
}

/// A value that owns what it is made of.
#[derive(Debug, Clone, PartialEq)]
enum Owned {
    Null,
    String(String),
    Integer(i64),
    Boolean(bool),
    /// A text of JSON in its canonical form.
    Json(&'static str),
}

/// Texts that look like pieces of the form: lengths, tags, whole fields.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ab]{0,2}",
        Just("\0\0\0\u{1}".to_owned()),
        Just("s\0\0\0\0\0\0\0\u{1}a".to_owned()),
        Just("\0\0\0\u{1}bn\0\0\0\0\0\0\0\0".to_owned()),
        Just("[1]".to_owned()),
        Just("null".to_owned()),
    ]
}

fn owned() -> impl Strategy<Value = Owned> {
    prop_oneof![
        2 => Just(Owned::Null),
        4 => prop::collection::vec(piece(), 0..3).prop_map(|pieces| Owned::String(pieces.concat())),
        2 => prop_oneof![-2..3_i64, any::<i64>()].prop_map(Owned::Integer),
        1 => any::<bool>().prop_map(Owned::Boolean),
        2 => prop::sample::select(vec![
            "[]", "{}", "[1]", "[\"1\"]", "[[1]]", "[1,1]", "[1.5]", "{\"a\":1}", "{\"a\":[1]}",
            "[{\"a\":1}]", "1.5", "[null]", "[true]",
        ]).prop_map(Owned::Json),
    ]
}

fn field_list() -> impl Strategy<Value = Vec<(String, Owned)>> {
    let name = prop_oneof![
        "[abns]{1,2}",
        Just("\u{e9}".to_owned()),
        Just("e\u{301}".to_owned())
    ];
    prop::collection::btree_map(name, owned(), 1..4).prop_map(|fields| fields.into_iter().collect())
}

fn digest_of(fields: &[(String, Owned)]) -> Digest {
    let mut fields: Vec<_> = fields.iter().collect();
    fields.sort_by_key(|(name, _)| name);
    let mut builder = DigestBuilder::new(fields.len());
    for (name, value) in fields {
        let added = match value {
            Owned::Null => builder.field(name, FieldValue::Null),
            Owned::String(text) => builder.field(name, FieldValue::String(text)),
            Owned::Integer(integer) => builder.field(name, FieldValue::Integer(*integer)),
            Owned::Boolean(boolean) => builder.field(name, FieldValue::Boolean(*boolean)),
            Owned::Json(text) => {
                let json = Text::check(text.as_bytes()).expect("JSON");
                builder.json_field(name, json.root())
            }
        };
        added.expect("a field");
    }
    builder.finish().expect("a digest")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5000))]

    #[test]
    fn different_fields_have_different_digests(one in field_list(), other in field_list()) {
        let is_same = digest_of(&one) == digest_of(&other);
        prop_assert_eq!(one == other, is_same, "{:?} {:?}", one, other);
    }

    /// The nearest neighbours of a list: one byte moved from a name to its value, from a value to
    /// the next name …
    #[test]
    fn no_byte_can_move_over_a_border(
        fields in field_list(),
        which in any::<prop::sample::Index>(),
        how in 0..4_u8,
    ) {
        let mut moved = fields.clone();
        let at = which.index(moved.len());
        match (how, moved[at].1.clone()) {
            (0, Owned::String(text)) if moved[at].0.chars().count() > 1 => {
                let last = moved[at].0.pop().expect("a letter");
                moved[at].1 = Owned::String(format!("{last}{text}"));
            }
            (1, Owned::String(text)) => moved[at].1 = Owned::String(format!("{text}\0")),
            (2, Owned::Integer(integer)) => moved[at].1 = Owned::String(integer.to_string()),
            (_, Owned::Null) => moved[at].1 = Owned::String(String::new()),
            _ => drop(moved.remove(at)),
        }
        let names: std::collections::BTreeSet<_> = moved.iter().map(|(name, _)| name).collect();
        if !moved.is_empty() && names.len() == moved.len() {
            prop_assert_ne!(digest_of(&fields), digest_of(&moved));
        }
    }

    /// The recorder's side and the guard's side agree on whatever a request holds.
    #[test]
    fn request_and_row_have_the_same_digest(fields in field_list()) {
        let members = fields.iter().map(|(name, value)| {
            let value = match value {
                Owned::Null => Json::Null,
                Owned::String(text) => json!(text),
                Owned::Integer(integer) => json!(integer),
                Owned::Boolean(boolean) => json!(boolean),
                Owned::Json(text) => serde_json::from_str(text).expect("JSON"),
            };
            (name.clone(), value)
        });
        let request: serde_json::Map<_, _> = members.collect();
        let places = fields.iter().map(|(name, _)| (name.clone(), json!(format!("/{name}"))));
        let map = FieldMap::from_json(&Json::Object(places.collect())).expect("fields");
        let request = Json::from(request).to_string();
        let request = Request::parse(request.as_bytes()).expect("a request");
        prop_assert_eq!(request.digest(&map), Ok(digest_of(&fields)));
    }
}
