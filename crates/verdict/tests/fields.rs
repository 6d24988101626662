//! Pointers and field maps: what is taken, and what the errors say.

use serde_json::json;
use verdict::{Dialect, FIELDS_CAP, FieldMap, JsonPointer, JsonPointerError};

#[test]
fn pointers_are_rfc_6901_without_the_empty_one() {
    for text in ["/", "/a", "/a/b", "//", "/a~0~1", "/é", "/ ", "/a/0"] {
        assert_eq!(
            text.parse::<JsonPointer>().expect("a pointer").as_str(),
            text
        );
    }
    assert_eq!(JsonPointer::parse(""), Err(JsonPointerError::Empty));
    for text in ["a", "#/a", " /a"] {
        assert!(
            matches!(
                JsonPointer::parse(text),
                Err(JsonPointerError::NoSlash { .. })
            ),
            "{text}"
        );
    }
    for text in ["/~", "/a~", "/~2", "/~~0", "/a~/b"] {
        assert!(
            matches!(
                JsonPointer::parse(text),
                Err(JsonPointerError::Tilde { .. })
            ),
            "{text}"
        );
    }
}

#[test]
fn field_maps_are_read_and_written() {
    let map = json!({ "sendID": "/sendID", "content": "/message/content", "Z": "/z", "é": "/e" });
    let fields = FieldMap::from_json(&map).expect("fields");
    assert_eq!(
        fields.names().collect::<Vec<_>>(),
        ["Z", "content", "sendID", "é"]
    );
    assert_eq!(fields.len(), 4);
    assert_eq!(fields.to_json(), map);
    assert_eq!(
        fields
            .iter()
            .nth(1)
            .map(|(name, place)| (name, place.as_str())),
        Some(("content", "/message/content"))
    );
    assert_eq!(fields.iter().count(), 4);
    let largest: serde_json::Map<_, _> = (0..FIELDS_CAP)
        .map(|i| (format!("{i:064}"), json!("/x")))
        .collect();
    assert_eq!(
        FieldMap::from_json(&largest.into()).map(|fields| fields.len()),
        Ok(FIELDS_CAP)
    );
}

#[test]
fn field_maps_that_cannot_be_used_say_why() {
    let many: serde_json::Map<_, _> = (0..=FIELDS_CAP)
        .map(|i| (i.to_string(), json!("/x")))
        .collect();
    for (map, message) in [
        (
            json!([]),
            "fields must be a JSON object such as {\"content\": \"/content\"}, not an array",
        ),
        (
            json!(null),
            "fields must be a JSON object such as {\"content\": \"/content\"}, not null",
        ),
        (json!({}), "fields must name at least one field"),
        (
            many.into(),
            "fields names 33 fields; at most 32 are possible",
        ),
        (
            json!({ "": "/a" }),
            "\"\" can't be a field name: it must be 1 to 64 bytes without control characters",
        ),
        (
            json!({ "a\u{0}": "/a" }),
            "\"a\u{fffd}\" can't be a field name: \
             it must be 1 to 64 bytes without control characters",
        ),
        (
            json!({ "é".repeat(33): "/a" }),
            &format!(
                "\"{}\" can't be a field name: it must be 1 to 64 bytes without control characters",
                "é".repeat(33)
            ),
        ),
        (
            json!({ "a": 1 }),
            "field \"a\" must be a JSON pointer in a string, not a number",
        ),
        (
            json!({ "a": null }),
            "field \"a\" must be a JSON pointer in a string, not null",
        ),
        (
            json!({ "a": "a" }),
            "field \"a\": the JSON pointer \"a\" must begin with \"/\"",
        ),
        (
            json!({ "a": "" }),
            "field \"a\": an empty JSON pointer names the whole document; \
             name a value in it, as in \"/serverMsgID\"",
        ),
    ] {
        assert_eq!(
            FieldMap::from_json(&map)
                .expect_err("no fields")
                .to_string(),
            message
        );
    }
}

#[test]
fn openim_has_fields_for_every_kind_of_hook() {
    for (hook, kind) in [
        ("openim before-send SINGLE", &["recvID"][..]),
        ("beforeSendGroupMsg", &["groupID"]),
        ("single_and_group", &["groupID", "recvID"]),
        ("beforeMsgModify", &[]),
        ("", &[]),
    ] {
        let fields = Dialect::OpenIm.fields(hook);
        let mut expected = vec!["content", "contentType"];
        expected.extend(kind);
        expected.push("sendID");
        assert_eq!(fields.names().collect::<Vec<_>>(), expected, "{hook}");
        assert!(
            fields
                .iter()
                .all(|(name, at)| at.as_str() == format!("/{name}"))
        );
    }
    assert_eq!(Dialect::OpenIm.subject(), "/serverMsgID");
}
