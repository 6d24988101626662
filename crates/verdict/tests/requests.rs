//! Requests and subjects: what is taken, and what the errors say.

use serde_json::json;
use verdict::{
    DigestError, FieldMap, JsonPointer, MAX_DEPTH, Request, RequestError, SUBJECT_CAP, subject_hash,
};

fn pointer(text: &str) -> JsonPointer {
    JsonPointer::parse(text).expect("a pointer")
}

fn request(text: &str) -> Request<'_> {
    Request::parse(text.as_bytes()).expect("a request")
}

fn subject(text: &str, at: &str) -> Result<String, String> {
    request(text)
        .subject(&pointer(at))
        .map_err(|error| error.to_string())
}

#[test]
fn subjects_are_texts_and_integers() {
    for (text, at, expected) in [
        (r#"{"id":"a b"}"#, "/id", "a b"),
        (r#"{"id":" 1 "}"#, "/id", " 1 "),
        (r#"{"id":0}"#, "/id", "0"),
        (r#"{"id":-7}"#, "/id", "-7"),
        (
            r#"{"id":18446744073709551616123}"#,
            "/id",
            "18446744073709551616123",
        ),
        (r#"{"id":"\u00e9\ud83d\ude00"}"#, "/id", "é😀"),
        (r#"{"a":{"b":[10,{"c":"x"}]}}"#, "/a/b/1/c", "x"),
        (r#"{"a/b":{"~":{"":"x"}}}"#, "/a~1b/~0/", "x"),
        (r#"{"~1":"x"}"#, "/~01", "x"),
        (r#"{"x":{"x":1,"x":2},"id":"one"}"#, "/id", "one"),
    ] {
        assert_eq!(subject(text, at).as_deref(), Ok(expected), "{text} {at}");
    }
}

#[test]
fn what_is_no_subject_is_refused_with_its_place() {
    for (text, at, message) in [
        (
            "{}",
            "/id",
            "the request has no value at \"/id\", where the subject should be",
        ),
        (
            r#"{"id":"x"}"#,
            "/ID",
            "the request has no value at \"/ID\", where the subject should be",
        ),
        (
            r#"{"id":"x"}"#,
            "/id/0",
            "the request has no value at \"/id/0\", where the subject should be",
        ),
        (
            r#"{"a":[1]}"#,
            "/a/1",
            "the request has no value at \"/a/1\", where the subject should be",
        ),
        (
            r#"{"a":[1]}"#,
            "/a/-",
            "the request has no value at \"/a/-\", where the subject should be",
        ),
        (
            r#"{"a":[1]}"#,
            "/a/00",
            "the request has no value at \"/a/00\", where the subject should be",
        ),
        (
            r#"{"a":[1]}"#,
            "/a/+0",
            "the request has no value at \"/a/+0\", where the subject should be",
        ),
        (
            r#"{"a":[1]}"#,
            "/a/",
            "the request has no value at \"/a/\", where the subject should be",
        ),
        (
            r#"{"id":null}"#,
            "/id",
            "the subject at \"/id\" must be a string or an integer, not null",
        ),
        (
            r#"{"id":true}"#,
            "/id",
            "the subject at \"/id\" must be a string or an integer, not a boolean",
        ),
        (
            r#"{"id":1.0}"#,
            "/id",
            "the subject at \"/id\" must be a string or an integer, not a number",
        ),
        (
            r#"{"id":1e2}"#,
            "/id",
            "the subject at \"/id\" must be a string or an integer, not a number",
        ),
        (
            r#"{"id":-0}"#,
            "/id",
            "the subject at \"/id\" must be a string or an integer, not a number",
        ),
        (
            r#"{"id":{}}"#,
            "/id",
            "the subject at \"/id\" must be a string or an integer, not an object",
        ),
        (
            r#"{"id":[]}"#,
            "/id",
            "the subject at \"/id\" must be a string or an integer, not an array",
        ),
        (r#"{"id":""}"#, "/id", "the subject at \"/id\" is empty"),
        (
            r#"{"id":"a\u0000"}"#,
            "/id",
            "the subject at \"/id\" contains U+0000",
        ),
        (
            r#"{"id":1,"id":1}"#,
            "/id",
            "a key of \"/id\" stands twice in the request, so that the subject is ambiguous",
        ),
        (
            r#"{"a":{"id":1},"\u0061":{}}"#,
            "/a/id",
            "a key of \"/a/id\" stands twice in the request, so that the subject is ambiguous",
        ),
    ] {
        assert_eq!(subject(text, at), Err(message.to_owned()), "{text} {at}");
    }
}

#[test]
fn a_subject_may_fill_its_cap() {
    let text = |id: String| subject(&json!({ "id": id }).to_string(), "/id");
    for filling in ["é".repeat(SUBJECT_CAP / 2), "x".repeat(SUBJECT_CAP)] {
        assert_eq!(text(filling.clone()), Ok(filling.clone()));
        assert_eq!(
            text(format!("{filling}x")),
            Err("the subject at \"/id\" is 1025 bytes long; at most 1024 are possible".to_owned())
        );
    }
}

#[test]
fn what_is_no_request_is_refused_with_its_place() {
    for (body, message) in [
        (
            &b""[..],
            "the request is not JSON at line 1, column 1: the text ends where a value should be",
        ),
        (
            b"{\n \"a\": 1,\n}",
            "the request is not JSON at line 3, column 1: expected a key in double quotes",
        ),
        (
            "{\"é\":x}".as_bytes(),
            "the request is not JSON at line 1, column 6: no value begins like this",
        ),
        (
            b"{} {}",
            "the request is not JSON at line 1, column 4: trailing characters after the value",
        ),
        (
            b"\xef\xbb\xbf{}",
            "the request is not JSON at line 1, column 1: a byte order mark",
        ),
        (b"{\"a\":\"\xff\"}", "the request is not UTF-8 at byte 6"),
        (
            b"{\"a\":\"\\ud800\"}",
            "the request is not JSON at line 1, column 13: half a surrogate pair",
        ),
        (
            b"{\"a\":01}",
            "the request is not JSON at line 1, column 7: expected \",\" or \"}\"",
        ),
        (
            b"{\"a\":1e400}",
            "the request is not JSON at line 1, column 6: a number beyond the range of a double",
        ),
        (b"null", "the request must be a JSON object, not null"),
        (b"[{}]", "the request must be a JSON object, not an array"),
        (b"\"{}\"", "the request must be a JSON object, not a string"),
        (b"1", "the request must be a JSON object, not a number"),
    ] {
        let error = Request::parse(body).expect_err("no request").to_string();
        assert_eq!(error, message, "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn a_request_may_be_nested_to_the_limit() {
    let of_depth = |depth: usize| {
        let arrays = depth - 1;
        format!("{{\"a\":{}{}}}", "[".repeat(arrays), "]".repeat(arrays))
    };
    let fields = FieldMap::from_json(&json!({ "a": "/a" })).expect("fields");
    let deepest = of_depth(MAX_DEPTH);
    let request = Request::parse(deepest.as_bytes()).expect("a request");
    assert!(request.digest(&fields).is_ok());
    let deeper = of_depth(MAX_DEPTH + 1);
    let error = Request::parse(deeper.as_bytes()).expect_err("too deep");
    assert_eq!(
        error,
        RequestError::TooDeep {
            line: 1,
            column: 69
        }
    );
    assert_eq!(
        error.to_string(),
        "the request is nested deeper than 64 levels (line 1, column 69)"
    );
    // Deep enough to end the process, if reading went on.
    assert!(Request::parse(of_depth(1_000_000).as_bytes()).is_err());
}

#[test]
fn a_duplicate_key_is_named_and_fits_a_message() {
    let fields = FieldMap::from_json(&json!({ "a": "/a" })).expect("fields");
    let key = format!("k\\u0000{}", "x".repeat(500));
    let error = request(&format!(
        "{{\"a\":1,\"b\":[{{\"{key}\":1,\"c\":2,\"{key}\":3}}]}}"
    ))
    .digest(&fields)
    .expect_err("no digest");
    let key = format!("k\u{fffd}{}…", "x".repeat(62));
    assert_eq!(error, DigestError::DuplicateKey { key: key.clone() });
    assert_eq!(
        error.to_string(),
        format!("the key \"{key}\" stands twice in one object, so that the document has no digest")
    );
}

/// Computed with Python's hashlib. They stand in tables: this function must never change.
#[test]
fn subject_hashes_are_fixed() {
    for (hook, subject, hash) in [
        (
            1,
            "3314df86c67cdb1e6b776c9ee50f61ea",
            6_275_777_588_894_804_155,
        ),
        (
            2,
            "3314df86c67cdb1e6b776c9ee50f61ea",
            8_496_851_615_501_441_283,
        ),
        (1, "", -4_914_748_464_998_872_994),
        (-1, "é", -7_540_936_504_851_368_522),
        (2147483647, "x", -5_410_846_694_726_622_197),
    ] {
        assert_eq!(subject_hash(hook, subject), hash, "{hook} {subject}");
    }
    let hashes: std::collections::BTreeSet<i64> = (-500..500)
        .flat_map(|hook| ["a", "b"].map(|subject| subject_hash(hook, subject)))
        .collect();
    assert_eq!(hashes.len(), 2000);
}
