//! The strict reader against serde_json: it takes the same texts, but for those that are too deep.

mod support;

use proptest::prelude::*;
use serde_json::Value;
use support::reference;
use verdict::{DigestBuilder, DigestError, Json, MAX_DEPTH, StrictJsonError};

fn agrees_with_serde_json(text: &[u8]) -> Result<(), TestCaseError> {
    let ours = Json::check(text);
    let theirs = reference::read(text);
    match (&ours, &theirs) {
        (Ok(ours), Some(theirs)) => {
            prop_assert!(theirs.depth() <= MAX_DEPTH);
            prop_assert_eq!(ours.duplicate().is_some(), theirs.has_duplicate());
        }
        (Err(StrictJsonError::TooDeep { .. }), Some(theirs)) => {
            prop_assert!(theirs.depth() > MAX_DEPTH);
        }
        (Ok(_), None) => prop_assert!(false, "only serde_json refuses"),
        (Err(error), Some(_)) => prop_assert!(false, "only the strict reader refuses: {}", error),
        (Err(_), None) => {}
    }
    Ok(())
}

fn json_text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        prop::sample::select(vec![
            "null",
            "true",
            "false",
            "0",
            "-0",
            "1.0",
            "1e0",
            "-12.50E+1",
            "\"\"",
            "\"\\u00e9\\n\\/\""
        ])
        .prop_map(str::to_owned),
        any::<f64>().prop_map(|number| Value::from(number).to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<String>().prop_map(|text| Value::from(text).to_string()),
        "-?[0-9]{1,25}(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?",
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        let space = "[ \\t\\r\\n]{0,2}";
        prop_oneof![
            (prop::collection::vec(inner.clone(), 0..5), space).prop_map(|(items, space)| format!(
                "[{space}{}{space}]",
                items.join(&format!("{space},{space}"))
            )),
            (prop::collection::vec(("[a-c]{0,1}", inner), 0..4), space).prop_map(
                |(members, space)| {
                    let members: Vec<_> = members
                        .iter()
                        .map(|(key, value)| format!("\"{key}\"{space}:{space}{value}"))
                        .collect();
                    format!("{{{space}{}{space}}}", members.join(&format!("{space},")))
                }
            ),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn json_is_read_as_serde_json_reads_it(text in json_text()) {
        agrees_with_serde_json(text.as_bytes())?;
    }

    #[test]
    fn broken_json_is_read_as_serde_json_reads_it(
        text in json_text(),
        place in any::<prop::sample::Index>(),
        byte in prop_oneof![prop::sample::select(b"\"\\{}[],:0-.eEu\0\n".to_vec()), any::<u8>()],
        replace in any::<bool>(),
    ) {
        let mut text = text.into_bytes();
        let at = place.index(text.len());
        if replace { text[at] = byte } else { text.insert(at, byte) }
        agrees_with_serde_json(&text)?;
        agrees_with_serde_json(&text[..at])?;
    }

    #[test]
    fn any_bytes_are_read_as_serde_json_reads_them(
        bytes in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        agrees_with_serde_json(&bytes)?;
    }

    /// What is read is numerically what was written, to the last digit; the rest is refused.
    #[test]
    fn no_number_is_rounded(literal in prop_oneof![
        "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,2})?",
        "-?(0|[1-9][0-9]{0,5})(\\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?",
        any::<f64>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(|number| format!("{number:e}")),
        any::<i64>().prop_map(|number| number.to_string()),
    ]) {
        let json = Json::check(literal.as_bytes()).expect("a number");
        let mut builder = DigestBuilder::new(1);
        let double: f64 = literal.parse().expect("a number");
        // serde_json writes doubles with another algorithm than the crate compares with.
        let exact_as_double = serde_json::Number::from_f64(double).is_some_and(|number| {
            reference::normal(&number.to_string()) == reference::normal(&literal)
        });
        match builder.json_field("f", json.root()) {
            Ok(()) => {
                let tree = reference::read(literal.as_bytes()).expect("a number");
                let (tag, bytes) = tree.tag_and_bytes().expect("a form");
                let digest = builder.finish().expect("a digest");
                prop_assert_eq!(*digest.as_bytes(), reference::digest(&[("f", tag, &bytes)]));
                if tag == b'j' {
                    let written = String::from_utf8(bytes).expect("a number");
                    prop_assert_eq!(reference::normal(&written), reference::normal(&literal));
                }
            }
            Err(error) => {
                prop_assert!(matches!(error, DigestError::Number { .. }), "{:?}", error);
                prop_assert!(!exact_as_double, "{}", literal);
                // Integers of 64 bits are always kept.
                prop_assert!(literal.parse::<i64>().is_err());
            }
        }
    }
}

#[test]
fn errors_say_what_and_where() {
    for (text, message) in [
        (
            &b"1e400"[..],
            "not JSON at line 1, column 1: a number beyond the range of a double",
        ),
        (
            b"1 2",
            "not JSON at line 1, column 3: trailing characters after the value",
        ),
        (
            b"[1,]",
            "not JSON at line 1, column 4: no value begins like this",
        ),
        (
            b"[1",
            "not JSON at line 1, column 3: expected \",\" or \"]\"",
        ),
        (b"{\"a\" 1}", "not JSON at line 1, column 6: expected \":\""),
        (
            b"{1:1}",
            "not JSON at line 1, column 2: expected a key in double quotes",
        ),
        (
            b"\"a\nb\"",
            "not JSON at line 1, column 3: a control character in a string",
        ),
        (
            b"\"a",
            "not JSON at line 1, column 3: the text ends within a string",
        ),
        (
            b"\"\\x\"",
            "not JSON at line 1, column 3: no escape is written like this",
        ),
        (
            b"\"\\u12g4\"",
            "not JSON at line 1, column 6: expected four hexadecimal digits",
        ),
        (
            b"\"\\udc00\"",
            "not JSON at line 1, column 8: half a surrogate pair",
        ),
        (b"-", "not JSON at line 1, column 2: expected a digit"),
        (
            b"1.",
            "not JSON at line 1, column 3: expected a digit after the decimal point",
        ),
        (
            b"1e",
            "not JSON at line 1, column 3: expected a digit in the exponent",
        ),
        (
            b"NaN",
            "not JSON at line 1, column 1: no value begins like this",
        ),
        (b"\n\n  \xc0", "not UTF-8 at byte 4"),
    ] {
        let error = Json::check(text).expect_err("an error").to_string();
        assert_eq!(error, message, "{}", String::from_utf8_lossy(text));
    }
}

#[test]
fn control_characters_in_strings_must_be_escaped() {
    for code in 0..=0x7f_u8 {
        let text = [b'"', code, b'"'];
        let expected = !matches!(code, 0..=0x1f | b'"' | b'\\');
        assert_eq!(Json::check(&text).is_ok(), expected, "{code:#x}");
    }
}

#[test]
fn depth_is_counted_in_arrays_and_objects() {
    let of_depth = |depth: usize| {
        format!(
            "{}1{}",
            "[{\"a\":".repeat(depth / 2),
            "}]".repeat(depth / 2)
        )
    };
    assert!(Json::check(of_depth(MAX_DEPTH).as_bytes()).is_ok());
    let error = Json::check(of_depth(MAX_DEPTH + 2).as_bytes()).expect_err("too deep");
    assert_eq!(
        error.to_string(),
        "nested deeper than 64 levels at line 1, column 193"
    );
}

/// Long numbers are parsed before they are believed, short ones need not be.
#[test]
fn numbers_are_in_range_however_long_they_are() {
    for digits in 300..=330 {
        for literal in [
            "9".repeat(digits),
            format!("-{}", "9".repeat(digits)),
            format!("1{}", "0".repeat(digits - 1)),
            format!("1{}.5", "0".repeat(digits - 1)),
            format!("0.{}", "9".repeat(digits)),
        ] {
            let is_finite = literal.parse().is_ok_and(f64::is_finite);
            assert_eq!(
                Json::check(literal.as_bytes()).is_ok(),
                is_finite,
                "{literal}"
            );
        }
    }
}
