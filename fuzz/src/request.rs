//! A request says one subject or none, and the digest of its fields; whatever it is, it has an
//! answer.

use std::collections::BTreeMap;

use verdict::{
    Dialect, DigestError, FIELDS_CAP, FieldMap, JsonPointer, MAX_DEPTH, Request, RequestError,
    SUBJECT_CAP,
};

use crate::reference::{self, Tree};

/// No message of ours is longer, in bytes.
const MESSAGE_CAP: usize = 1024;

/// `data`: a line with the subject's pointer, a line with the fields (a JSON object of pointers, or
/// else the hook's name), then the request's body.
pub fn check(data: &[u8]) {
    let mut parts = data.splitn(3, |byte| *byte == b'\n');
    let mut part = || parts.next().unwrap_or_default();
    let [pointer, fields, body] = [part(), part(), part()];
    let pointer = pointer_of(&String::from_utf8_lossy(pointer));
    let fields = fields_of(fields);
    let tree = reference::read(body);
    let request = match (Request::parse(body), &tree) {
        (Ok(request), Some(Tree::Object(_))) => request,
        (Ok(_), _) => panic!("no object"),
        (Err(RequestError::TooDeep { .. }), tree) => {
            assert!(tree.as_ref().is_none_or(|tree| tree.depth() > MAX_DEPTH));
            return;
        }
        (Err(RequestError::NotAnObject { .. }), Some(tree)) => {
            assert!(!matches!(tree, Tree::Object(_)));
            return;
        }
        (Err(error @ RequestError::NotJson(_)), None) => {
            assert!(error.to_string().len() <= MESSAGE_CAP);
            return;
        }
        (Err(error), _) => panic!("{error:?}"),
    };
    let tree = tree.expect("an object");
    assert!(tree.depth() <= MAX_DEPTH);
    if let Some(pointer) = pointer {
        subject(&request, &tree, &pointer);
    }
    digest(&request, &tree, &fields);
    let mut places = Vec::new();
    places_in(&tree, "", &mut places);
    for place in places {
        let (above, token) = place.rsplit_once('/').expect("a place in the tree");
        for pointer in [
            place.clone(),
            format!("{above}/0{token}"),
            format!("{place}/-"),
        ] {
            let pointer = JsonPointer::parse(&pointer).expect("a pointer");
            subject(&request, &tree, &pointer);
        }
    }
}

/// Pointers to the first values of a tree.
fn places_in(tree: &Tree, at: &str, places: &mut Vec<String>) {
    const ENOUGH: usize = 20;
    let below: Vec<(String, &Tree)> = match tree {
        Tree::Object(members) => members
            .iter()
            .map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value))
            .collect(),
        Tree::Array(items) => {
            let items = items.iter().enumerate();
            items.map(|(i, item)| (i.to_string(), item)).collect()
        }
        _ => Vec::new(),
    };
    for (token, value) in below {
        if places.len() < ENOUGH {
            let place = format!("{at}/{token}");
            places.push(place.clone());
            places_in(value, &place, places);
        }
    }
}

fn pointer_of(text: &str) -> Option<JsonPointer> {
    let bytes = text.as_bytes();
    let escapes_are_whole = (0..bytes.len())
        .filter(|at| bytes[*at] == b'~')
        .all(|at| matches!(bytes.get(at + 1), Some(b'0' | b'1')));
    match JsonPointer::parse(text) {
        Ok(pointer) => {
            assert!(text.starts_with('/') && escapes_are_whole);
            assert_eq!(pointer.as_str(), text);
            Some(pointer)
        }
        Err(error) => {
            assert!(!text.starts_with('/') || !escapes_are_whole);
            assert!(error.to_string().len() <= MESSAGE_CAP);
            None
        }
    }
}

fn fields_of(line: &[u8]) -> FieldMap {
    let hook_name = String::from_utf8_lossy(line);
    let Ok(map) = serde_json::from_slice(line) else {
        return Dialect::OpenIm.fields(&hook_name);
    };
    match FieldMap::from_json(&map) {
        Ok(fields) => {
            assert_eq!(FieldMap::from_json(&fields.to_json()).as_ref(), Ok(&fields));
            assert_eq!(fields.to_json(), map);
            assert!((1..=FIELDS_CAP).contains(&fields.len()));
            assert!(fields.names().is_sorted());
            fields
        }
        Err(error) => {
            assert!(error.to_string().len() <= MESSAGE_CAP);
            Dialect::OpenIm.fields(&hook_name)
        }
    }
}

/// Where a pointer leads.
enum Target<'a> {
    Value(&'a Tree),
    Nothing,
    Several,
}

fn follow<'a>(tree: &'a Tree, pointer: &JsonPointer) -> Target<'a> {
    let mut here = tree;
    for token in pointer.as_str().split('/').skip(1) {
        let name = token.replace("~1", "/").replace("~0", "~");
        let found: Vec<&Tree> = match here {
            Tree::Object(members) => members
                .iter()
                .filter(|(key, _)| *key == name)
                .map(|(_, value)| value)
                .collect(),
            Tree::Array(items) => {
                let index = name.parse::<usize>().ok();
                let index = index.filter(|index| index.to_string() == name);
                index
                    .and_then(|index| items.get(index))
                    .into_iter()
                    .collect()
            }
            _ => Vec::new(),
        };
        here = match found[..] {
            [] => return Target::Nothing,
            [value] => value,
            _ => return Target::Several,
        };
    }
    Target::Value(here)
}

fn subject(request: &Request<'_>, tree: &Tree, pointer: &JsonPointer) {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_plain_integer =
        |literal: &str| literal != "-0" && is_digits(literal.strip_prefix('-').unwrap_or(literal));
    let text = match follow(tree, pointer) {
        Target::Value(Tree::String(text)) => Some(text),
        Target::Value(Tree::Number(literal)) if is_plain_integer(literal) => Some(literal),
        Target::Value(_) | Target::Nothing | Target::Several => None,
    };
    match (request.subject(pointer), text) {
        (Ok(subject), Some(text)) => {
            assert_eq!(subject, *text);
            assert!((1..=SUBJECT_CAP).contains(&subject.len()) && !subject.contains('\0'));
        }
        (Err(RequestError::Empty { .. }), Some(text)) => assert!(text.is_empty()),
        (Err(RequestError::Nul { .. }), Some(text)) => assert!(text.contains('\0')),
        (Err(RequestError::TooLong { length, .. }), Some(text)) => {
            assert_eq!(length, text.len());
            assert!(length > SUBJECT_CAP);
        }
        (Err(RequestError::NoValue { .. }), None) => {
            assert!(matches!(follow(tree, pointer), Target::Nothing));
        }
        (Err(RequestError::DuplicateKey { .. }), None) => {
            assert!(matches!(follow(tree, pointer), Target::Several));
        }
        (Err(RequestError::WrongType { .. }), None) => {
            assert!(matches!(follow(tree, pointer), Target::Value(_)));
        }
        (found, text) => panic!("{found:?} {text:?}"),
    }
}

fn digest(request: &Request<'_>, tree: &Tree, fields: &FieldMap) {
    let found = request.digest(fields);
    if tree.has_duplicate() {
        assert!(matches!(found, Err(DigestError::DuplicateKey { .. })));
        return;
    }
    let forms: Option<BTreeMap<&str, (u8, Vec<u8>)>> = fields
        .iter()
        .map(|(name, pointer)| {
            let form = match follow(tree, pointer) {
                Target::Value(value) => value.tag_and_bytes()?,
                Target::Nothing | Target::Several => (b'n', Vec::new()),
            };
            Some((name, form))
        })
        .collect();
    match (found, forms) {
        (Ok(digest), Some(forms)) => {
            let forms: Vec<(&str, u8, &[u8])> = forms
                .iter()
                .map(|(name, (tag, bytes))| (*name, *tag, &bytes[..]))
                .collect();
            assert_eq!(*digest.as_bytes(), reference::digest(&forms));
        }
        (Err(DigestError::Number { .. }), None) => {}
        other => panic!("{other:?}"),
    }
}
