//! The strict reader against serde_json: it takes no more, and refuses only what it says it refuses.

use proptest::prelude::*;
use serde_json::Value as Json;
use verdict::{MAX_DEPTH, StrictJsonError, json_without_duplicates};

/// Equal, but that serde_json keeps 1.0 as a double where the strict reader knows an integer in any spelling.
fn same(ours: &Json, theirs: &Json) -> bool {
    match (ours, theirs) {
        (Json::Number(ours), Json::Number(theirs)) => {
            ours == theirs || (theirs.is_f64() && ours.as_f64() == theirs.as_f64())
        }
        (Json::Array(ours), Json::Array(theirs)) => {
            ours.len() == theirs.len()
                && ours
                    .iter()
                    .zip(theirs)
                    .all(|(ours, theirs)| same(ours, theirs))
        }
        (Json::Object(ours), Json::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours
                    .iter()
                    .all(|(key, ours)| theirs.get(key).is_some_and(|theirs| same(ours, theirs)))
        }
        _ => ours == theirs,
    }
}

fn agrees_with_serde_json(text: &[u8]) -> Result<(), TestCaseError> {
    let ours = json_without_duplicates(text);
    let theirs: Result<Json, _> = serde_json::from_slice(text);
    match (&ours, &theirs) {
        (Ok(ours), Ok(theirs)) => {
            prop_assert!(same(ours, theirs), "{} {}", ours, theirs);
        }
        (Ok(_), Err(error)) => prop_assert!(false, "only serde_json refuses: {}", error),
        (Err(StrictJsonError::Utf8 { .. } | StrictJsonError::Syntax { .. }), Ok(_)) => {
            prop_assert!(false, "only the strict reader refuses: {:?}", ours);
        }
        (Err(_), _) => {}
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
        any::<f64>().prop_map(|number| Json::from(number).to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<String>().prop_map(|text| Json::from(text).to_string()),
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

/// The number as digits and exponent without zeros at either end: equal when the numbers are.
fn normal(literal: &str) -> (bool, String, i64) {
    let negative = literal.starts_with('-');
    let unsigned = literal.trim_start_matches('-').to_lowercase();
    let (mantissa, exponent) = unsigned.split_once('e').unwrap_or((&unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = format!("{whole}{fraction}");
    let mut exponent = exponent.parse::<i64>().expect("an exponent") - fraction.len() as i64;
    while digits.ends_with('0') {
        digits.pop();
        exponent += 1;
    }
    let digits = digits.trim_start_matches('0').to_owned();
    if digits.is_empty() {
        (false, digits, 0)
    } else {
        (negative, digits, exponent)
    }
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
    fn any_bytes_are_read_as_serde_json_reads_them(bytes in prop::collection::vec(any::<u8>(), 0..20)) {
        agrees_with_serde_json(&bytes)?;
    }

    /// What is read is numerically what was written, to the last digit; the rest is refused.
    #[test]
    fn no_number_is_rounded(literal in prop_oneof![
        "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,2})?",
        "-?(0|[1-9][0-9]{0,5})(\\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?",
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(|number| format!("{number:e}")),
        any::<i64>().prop_map(|number| number.to_string()),
    ]) {
        let double: f64 = literal.parse().expect("a number");
        // serde_json writes doubles with another algorithm than the crate under test compares with.
        let exact_as_double = serde_json::Number::from_f64(double)
            .is_some_and(|number| normal(&number.to_string()) == normal(&literal));
        match json_without_duplicates(literal.as_bytes()) {
            Ok(number) => prop_assert_eq!(normal(&number.to_string()), normal(&literal)),
            Err(error) => {
                prop_assert!(matches!(error, StrictJsonError::Number { .. }), "{:?}", error);
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
            &b"{\"a\":1,\"b\":{\"c\":1,\"c\":1}}"[..],
            "the key \"c\" stands twice in one object",
        ),
        (
            b"[0.1000000000000000055]",
            "the number 0.1000000000000000055 can't be kept exactly",
        ),
        (b"1e-400", "the number 1e-400 can't be kept exactly"),
        (
            b"1e400",
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
        let error = json_without_duplicates(text)
            .expect_err("an error")
            .to_string();
        assert_eq!(error, message, "{}", String::from_utf8_lossy(text));
    }
}

#[test]
fn control_characters_in_strings_must_be_escaped() {
    for code in 0..=0x7f_u8 {
        let text = [b'"', code, b'"'];
        let expected = !matches!(code, 0..=0x1f | b'"' | b'\\');
        assert_eq!(
            json_without_duplicates(&text).is_ok(),
            expected,
            "{code:#x}"
        );
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
    assert!(json_without_duplicates(of_depth(MAX_DEPTH).as_bytes()).is_ok());
    let error = json_without_duplicates(of_depth(MAX_DEPTH + 2).as_bytes()).expect_err("too deep");
    assert_eq!(
        error.to_string(),
        "nested deeper than 64 levels at line 1, column 193"
    );
}
