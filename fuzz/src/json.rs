//! The strict reader takes what serde_json takes, and its canonical form is one.

use std::cmp::Ordering;

use verdict::{Json, JsonString, MAX_DEPTH, StrictJsonError};

use crate::digest_of;
use crate::reference::{self, Tree};

/// `data`: the document.
pub fn check(data: &[u8]) {
    let theirs = reference::read(data);
    match (Json::check(data), &theirs) {
        (Ok(json), Some(tree)) => {
            assert!(tree.depth() <= MAX_DEPTH);
            assert_eq!(json.duplicate().is_some(), tree.has_duplicate());
            members(&json, tree);
            canonical(&json, tree);
        }
        (Err(StrictJsonError::TooDeep { .. }), tree) => {
            assert!(tree.as_ref().is_none_or(|tree| tree.depth() > MAX_DEPTH));
        }
        (Err(error), None) => place(data, &error),
        (Ok(_), None) => panic!("only serde_json refuses"),
        (Err(error), Some(_)) => panic!("only the strict reader refuses: {error}"),
    }
}

/// The members of the document are those of the tree, in its order, and so is the order of keys.
fn members(json: &Json<'_>, tree: &Tree) {
    let mut keys: Vec<JsonString<'_>> = Vec::new();
    let is_object = json.root().each_member(|key, _| {
        keys.push(key);
        true
    });
    let Tree::Object(members) = tree else {
        assert!(!is_object && keys.is_empty());
        return;
    };
    assert!(is_object);
    assert_eq!(keys.len(), members.len());
    for (key, (name, _)) in keys.iter().zip(members) {
        assert!(key.is_text(name));
        assert!(!key.is_text(&format!("{name}x")));
        assert!(key.excerpt().chars().count() <= 65);
    }
    for pair in keys.windows(2).zip(members.windows(2)) {
        let ([one, other], [(first, _), (second, _)]) = pair else {
            continue;
        };
        let by_units: Ordering = first.encode_utf16().cmp(second.encode_utf16());
        assert_eq!(one.cmp_text(*other), by_units);
        assert_eq!(other.cmp_text(*one), by_units.reverse());
    }
}

/// The canonical form is its own canonical form, and has the digest of the document.
fn canonical(json: &Json<'_>, tree: &Tree) {
    if tree.has_duplicate() {
        return;
    }
    let Some(text) = tree.canonical() else {
        return;
    };
    let again = Json::check(text.as_bytes()).expect("the canonical form is JSON");
    assert_eq!(again.duplicate(), None);
    let of_text = reference::read(text.as_bytes()).expect("the canonical form is JSON");
    assert_eq!(of_text.canonical().as_ref(), Some(&text));
    assert_eq!(digest_of(json), digest_of(&again));
    assert!(digest_of(json).is_ok());
}

/// An error names a place within the text.
fn place(data: &[u8], error: &StrictJsonError) {
    match error {
        StrictJsonError::Utf8 { offset } => {
            let found = std::str::from_utf8(data).expect_err("not UTF-8");
            assert_eq!(*offset, found.valid_up_to());
        }
        StrictJsonError::Syntax { line, column, .. } => {
            let text = std::str::from_utf8(data).expect("UTF-8");
            let line = text.split('\n').nth(line - 1).expect("a line");
            assert!((1..=line.chars().count() + 1).contains(column));
        }
        StrictJsonError::TooDeep { .. }
        | StrictJsonError::TooLarge { .. }
        | StrictJsonError::OutOfMemory => panic!("{error}"),
    }
}
