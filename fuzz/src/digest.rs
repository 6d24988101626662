//! One digest for all spellings of a value, another one for another value.

use verdict::{DigestBuilder, DigestError, FieldValue, Json};

use crate::digest_of;
use crate::reference::{self, Tree};

/// `data`: a document.
pub fn check(data: &[u8]) {
    hexadecimal(data);
    let (Ok(json), Some(tree)) = (Json::check(data), reference::read(data)) else {
        return;
    };
    if tree.has_duplicate() {
        return;
    }
    let digest = digest_of(&json);
    let form = tree.tag_and_bytes();
    match (&digest, &form) {
        (Ok(digest), Some((tag, bytes))) => {
            assert_eq!(*digest, reference::digest(&[("f", *tag, bytes)]));
        }
        (Err(DigestError::Number { .. }), None) => {}
        other => panic!("{other:?}"),
    }
    let respelled = respelled(&tree);
    let again = Json::check(respelled.as_bytes()).expect("another spelling");
    assert_eq!(digest.is_ok(), digest_of(&again).is_ok());
    let Ok(digest) = digest else {
        return;
    };
    assert_eq!(Ok(digest), digest_of(&again));
    scalar(&tree, digest);
    order(&tree);
    two_fields(&json, &tree);
    let which = data.iter().map(|byte| usize::from(*byte)).sum::<usize>() % count(&tree);
    let mut changed = tree;
    change(&mut changed, which);
    let changed = respelled_plainly(&changed);
    let other = Json::check(changed.as_bytes()).expect("another value");
    if let Ok(other) = digest_of(&other) {
        assert_ne!(digest, other, "{changed}");
    }
}

/// Bytes as hexadecimal have the digest of that text.
fn hexadecimal(data: &[u8]) {
    let mut of_bytes = DigestBuilder::new(1);
    of_bytes.hex_field("f", data).expect("a field");
    let hex: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut of_text = DigestBuilder::new(1);
    of_text
        .field("f", FieldValue::String(&hex))
        .expect("a field");
    assert_eq!(of_bytes.finish(), of_text.finish());
}

/// A scalar in a document has the digest of the column's value.
fn scalar(tree: &Tree, digest: [u8; 32]) {
    let value = match tree {
        Tree::Null => FieldValue::Null,
        Tree::Bool(boolean) => FieldValue::Boolean(*boolean),
        Tree::String(text) => FieldValue::String(text),
        Tree::Number(literal) => match reference::integer(literal) {
            Some(integer) => FieldValue::Integer(integer),
            None => return,
        },
        Tree::Array(_) | Tree::Object(_) => return,
    };
    let mut builder = DigestBuilder::new(1);
    builder.field("f", value).expect("a field");
    assert_eq!(
        builder.finish().map(|of_value| *of_value.as_bytes()),
        Ok(digest)
    );
}

/// Keys have the order of their UTF-16 units, in which characters beyond U+FFFF come before others.
fn order(tree: &Tree) {
    let Tree::Object(members) = tree else {
        return;
    };
    let longer = |(key, value): &(String, Tree)| {
        ["\u{1f600}", "\u{e000}", "\u{ffff}"].map(|more| (format!("{key}{more}"), value.clone()))
    };
    let tree = Tree::Object(members.iter().flat_map(longer).collect());
    let text = respelled(&tree);
    let json = Json::check(text.as_bytes()).expect("other keys");
    // No key is there twice: one of these characters more, and the keys before were different.
    let (tag, bytes) = tree.tag_and_bytes().expect("a form");
    assert_eq!(
        digest_of(&json),
        Ok(reference::digest(&[("f", tag, &bytes)]))
    );
}

fn two_fields(json: &Json<'_>, tree: &Tree) {
    let mut builder = DigestBuilder::new(2);
    builder.json_field("a", json.root()).expect("a field");
    builder.json_field("b", json.root()).expect("a field");
    let (tag, bytes) = tree.tag_and_bytes().expect("a form");
    let expected = reference::digest(&[("a", tag, &bytes), ("b", tag, &bytes)]);
    assert_eq!(
        builder.finish().map(|found| *found.as_bytes()),
        Ok(expected)
    );
}

/// The same value with its members from behind, spaces, escapes and other spellings of numbers.
fn respelled(tree: &Tree) -> String {
    match tree {
        Tree::Null => "null".to_owned(),
        Tree::Bool(boolean) => boolean.to_string(),
        Tree::Number(literal) if literal.contains(['e', 'E']) => literal.to_uppercase(),
        Tree::Number(literal) if literal.contains('.') => format!("{literal}00e+0"),
        Tree::Number(literal) => format!("{literal}.0"),
        Tree::String(text) => escaped(text),
        Tree::Array(items) => {
            let items: Vec<String> = items.iter().map(respelled).collect();
            format!("[\n{} ]", items.join(" ,\t"))
        }
        Tree::Object(members) => {
            let members = members.iter().rev();
            let members: Vec<String> = members
                .map(|(key, value)| format!("{}\r: {}", escaped(key), respelled(value)))
                .collect();
            format!("{{ {}\t}}", members.join("\n, "))
        }
    }
}

/// Every other character as an escape.
fn escaped(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for (i, character) in text.chars().enumerate() {
        if i % 2 == 0 || character < ' ' || "\"\\".contains(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                quoted.push_str(&match i % 4 {
                    0 => format!("\\u{unit:04X}"),
                    _ => format!("\\u{unit:04x}"),
                });
            }
        } else {
            quoted.push(character);
        }
    }
    quoted + "\""
}

fn respelled_plainly(tree: &Tree) -> String {
    let quoted = |text: &str| serde_json::to_string(text).expect("a text");
    match tree {
        Tree::Null => "null".to_owned(),
        Tree::Bool(boolean) => boolean.to_string(),
        Tree::Number(literal) => literal.clone(),
        Tree::String(text) => quoted(text),
        Tree::Array(items) => {
            let items: Vec<String> = items.iter().map(respelled_plainly).collect();
            format!("[{}]", items.join(","))
        }
        Tree::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(key, value)| format!("{}:{}", quoted(key), respelled_plainly(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
    }
}

/// How many values there are: this one and all below.
fn count(tree: &Tree) -> usize {
    1 + match tree {
        Tree::Array(items) => items.iter().map(count).sum(),
        Tree::Object(members) => members.iter().map(|(_, value)| count(value)).sum(),
        _ => 0,
    }
}

/// Makes another value of the one that is number `which`; returns what is left of the number.
fn change(tree: &mut Tree, which: usize) -> Option<usize> {
    let Some(mut left) = which.checked_sub(1) else {
        *tree = changed(tree);
        return None;
    };
    let below: Vec<&mut Tree> = match tree {
        Tree::Array(items) => items.iter_mut().collect(),
        Tree::Object(members) => members.iter_mut().map(|(_, value)| value).collect(),
        _ => Vec::new(),
    };
    for value in below {
        left = change(value, left)?;
    }
    Some(left)
}

fn changed(tree: &Tree) -> Tree {
    match tree {
        Tree::Null => Tree::Bool(false),
        Tree::Bool(boolean) => Tree::Bool(!boolean),
        Tree::Number(literal) => {
            let is_one = reference::normal(literal) == reference::normal("1");
            Tree::Number(if is_one { "-1" } else { "1" }.to_owned())
        }
        Tree::String(text) => Tree::String(format!("{text}\0")),
        Tree::Array(items) => {
            let more = [Tree::Null].into_iter();
            Tree::Array(items.iter().cloned().chain(more).collect())
        }
        Tree::Object(members) => match members.split_last() {
            Some((_, fewer)) => Tree::Object(fewer.to_vec()),
            None => Tree::Array(Vec::new()),
        },
    }
}
