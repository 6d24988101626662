//! A JSON text that has been checked and is read where it stands: no tree, next to no memory.
//!
//! A tree of nodes takes forty to sixty times the bytes of a document of small values, and a guard
//! reads documents of anybody who may store a row. What is allocated here is a few bytes for each
//! member of the objects that are open at a moment. An allocation that fails is an error of the
//! caller's.

use super::error::{DOCUMENT_CAP, StrictJsonError};
use super::grammar::check_grammar;
use super::string::JsonString;
use crate::pointer::JsonPointer;

/// A JSON text whose grammar is beyond doubt.
#[derive(Debug, Clone)]
pub struct Json<'a> {
    text: &'a str,
    start: usize,
    duplicate: Option<String>,
}

/// A value within a [`Json`].
#[derive(Debug, Clone, Copy)]
pub struct JsonValue<'a> {
    text: &'a str,
    at: usize,
}

/// Where a pointer leads.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'a> {
    Value(JsonValue<'a>),
    Nothing,
    /// A key on the way stands twice, so that it leads to two places.
    Ambiguous,
}

/// What a value is, and what it is worth when that costs nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) enum JsonKind<'a> {
    Null,
    Bool(bool),
    /// As it was written.
    Number(&'a str),
    String(JsonString<'a>),
    Array,
    Object,
}

impl<'a> Json<'a> {
    /// Reads a text: strict JSON (RFC 8259), nested at most [`crate::MAX_DEPTH`] deep, at most
    /// [`DOCUMENT_CAP`] bytes.
    ///
    /// A key that stands twice in one object is no error here: see [`Json::duplicate`].
    ///
    /// # Errors
    /// Not UTF-8, not JSON, trailing bytes, too deep, too large, or no memory.
    pub fn check(text: &'a [u8]) -> Result<Self, StrictJsonError> {
        if text.len() > DOCUMENT_CAP {
            return Err(StrictJsonError::TooLarge { bytes: text.len() });
        }
        let checked = check_grammar(text)?;
        Ok(Self {
            text: checked.text,
            start: checked.start,
            duplicate: checked.duplicate,
        })
    }

    /// A key that stands twice in one object somewhere in the document, cut to a length that fits a
    /// message.
    pub fn duplicate(&self) -> Option<&str> {
        self.duplicate.as_deref()
    }

    /// The whole document.
    pub fn root(&self) -> JsonValue<'a> {
        JsonValue {
            text: self.text,
            at: self.start,
        }
    }
}

impl<'a> JsonValue<'a> {
    pub(crate) fn kind(self) -> JsonKind<'a> {
        match self.text.as_bytes()[self.at] {
            b'n' => JsonKind::Null,
            b't' => JsonKind::Bool(true),
            b'f' => JsonKind::Bool(false),
            b'"' => JsonKind::String(JsonString::at(self.text, self.at)),
            b'[' => JsonKind::Array,
            b'{' => JsonKind::Object,
            _ => JsonKind::Number(&self.text[self.at..self.end()]),
        }
    }

    /// Calls `seen` with key and value of each member, in the order of the text, until it says
    /// stop (`false`). Returns whether this is an object; of anything else nothing is seen.
    pub fn each_member(self, mut seen: impl FnMut(JsonString<'a>, JsonValue<'a>) -> bool) -> bool {
        self.each_member_place(|key, value| seen(self.key_at(key), self.value_at(value)))
    }

    /// As [`JsonValue::each_member`], with the places for [`JsonValue::key_at`] and
    /// [`JsonValue::value_at`].
    pub(super) fn each_member_place(self, mut seen: impl FnMut(u32, u32) -> bool) -> bool {
        if self.byte(self.at) != b'{' {
            return false;
        }
        let mut at = self.over_space(self.at + 1);
        while self.byte(at) != b'}' {
            let key = at;
            let colon = self.over_space(string_end(self.text.as_bytes(), key));
            let value = self.over_space(colon + 1);
            // Neither `as` can cut: a text has at most DOCUMENT_CAP bytes.
            if !seen(key as u32, value as u32) {
                break;
            }
            at = self.next_element(value);
        }
        true
    }

    /// Calls `seen` with each element of an array, in order, until it says stop (`false`).
    pub(super) fn each_item(self, mut seen: impl FnMut(JsonValue<'a>) -> bool) {
        if self.byte(self.at) != b'[' {
            return;
        }
        let mut at = self.over_space(self.at + 1);
        while self.byte(at) != b']' && seen(self.value_at(at as u32)) {
            at = self.next_element(at);
        }
    }

    /// Follows a pointer (RFC 6901, section 4).
    pub(crate) fn find(self, pointer: &JsonPointer) -> Place<'a> {
        let mut here = self;
        for token in pointer.tokens() {
            let mut found = None;
            let mut is_ambiguous = false;
            match here.kind() {
                JsonKind::Object => {
                    here.each_member(|key, value| {
                        if key.is_text(&token) {
                            is_ambiguous = found.is_some();
                            found = Some(value);
                        }
                        !is_ambiguous
                    });
                }
                JsonKind::Array => found = array_index(&token).and_then(|index| here.item(index)),
                JsonKind::Null | JsonKind::Bool(_) | JsonKind::Number(_) | JsonKind::String(_) => {}
            }
            here = match (found, is_ambiguous) {
                (_, true) => return Place::Ambiguous,
                (None, false) => return Place::Nothing,
                (Some(value), false) => value,
            };
        }
        Place::Value(here)
    }

    /// An array's element.
    fn item(self, index: usize) -> Option<JsonValue<'a>> {
        let mut found = None;
        let mut left = index;
        self.each_item(|item| {
            match left.checked_sub(1) {
                Some(less) => left = less,
                None => found = Some(item),
            }
            found.is_none()
        });
        found
    }

    /// The string whose opening quote stands at this byte of the document.
    pub(super) fn key_at(self, at: u32) -> JsonString<'a> {
        JsonString::at(self.text, at as usize)
    }

    /// The value that begins at this byte of the document.
    pub(super) fn value_at(self, at: u32) -> JsonValue<'a> {
        JsonValue {
            text: self.text,
            at: at as usize,
        }
    }

    fn byte(self, at: usize) -> u8 {
        self.text.as_bytes()[at]
    }

    fn over_space(self, mut at: usize) -> usize {
        while matches!(self.byte(at), b' ' | b'\t' | b'\n' | b'\r') {
            at += 1;
        }
        at
    }

    /// From the value that begins at `at` to the next key or element, or to the closing bracket.
    fn next_element(self, at: usize) -> usize {
        let end = JsonValue { at, ..self }.end();
        let at = self.over_space(end);
        match self.byte(at) {
            b',' => self.over_space(at + 1),
            _ => at,
        }
    }

    /// The place behind the value.
    fn end(self) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = self.at;
        let mut depth = 0_usize;
        loop {
            match bytes[at] {
                b'"' => at = string_end(bytes, at),
                b'{' | b'[' => {
                    depth += 1;
                    at += 1;
                }
                b'}' | b']' => {
                    depth -= 1;
                    at += 1;
                }
                _ if depth > 0 => at += 1,
                _ => {
                    let is_within =
                        |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
                    return at
                        + bytes[at..]
                            .iter()
                            .take_while(|byte| is_within(byte))
                            .count();
                }
            }
            if depth == 0 {
                return at;
            }
        }
    }
}

/// The place behind the string that begins at `at`.
fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    loop {
        match bytes[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// RFC 6901: digits without a leading zero. `-`, the place behind the last element, is never there.
fn array_index(token: &str) -> Option<usize> {
    let plain = token.bytes().all(|b| b.is_ascii_digit());
    let leading_zero = token.len() > 1 && token.starts_with('0');
    if plain && !leading_zero {
        token.parse().ok()
    } else {
        None
    }
}
