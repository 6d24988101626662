//! A JSON text that has been checked and is read where it stands: no tree, next to no memory.
//!
//! A tree of nodes takes forty to sixty times the bytes of a document of small values, and a guard reads documents of anybody who
//! may store a row. What is allocated here is a few bytes for each member of the objects that are open at a moment, and an
//! allocation that fails is an error of the caller's.

use std::cmp::Ordering;

use super::number::{self, Number};
use super::parse::check;
use super::{DOCUMENT_CAP, StrictJsonError};
use crate::pointer::JsonPointer;
use crate::words::excerpt;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind<'a> {
    Null,
    Bool(bool),
    /// As it was written.
    Number(&'a str),
    String,
    Array,
    Object,
}

/// Part of a string.
#[derive(Debug, Clone, Copy)]
enum Piece<'a> {
    /// Without escapes.
    Plain(&'a str),
    Escaped(char),
}

/// Takes bytes: counts them, or hashes them.
pub(crate) trait Sink {
    fn put(&mut self, bytes: &[u8]);
}

/// How many bytes there are.
#[derive(Debug, Default)]
pub(crate) struct Length(pub u64);

impl Sink for Length {
    fn put(&mut self, bytes: &[u8]) {
        self.0 += bytes.len() as u64;
    }
}

/// Why a value has no canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoForm {
    Inexact { literal: String },
    OutOfMemory,
}

impl<'a> Json<'a> {
    /// Reads a text: strict JSON (RFC 8259), nested at most [`crate::MAX_DEPTH`] deep, at most [`DOCUMENT_CAP`] bytes.
    ///
    /// A key that stands twice in one object is no error here: see [`Json::duplicate`].
    ///
    /// # Errors
    /// Not UTF-8, not JSON, trailing bytes, too deep, too large, or no memory.
    pub fn check(text: &'a [u8]) -> Result<Self, StrictJsonError> {
        if text.len() > DOCUMENT_CAP {
            return Err(StrictJsonError::TooLarge { bytes: text.len() });
        }
        let (text, start, duplicate) = check(text)?;
        Ok(Self {
            text,
            start,
            duplicate,
        })
    }

    /// A key that stands twice in one object somewhere in the document, cut to a length that fits a message.
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
    pub(super) fn new(text: &'a str, at: usize) -> Self {
        Self { text, at }
    }

    pub(crate) fn kind(self) -> Kind<'a> {
        match self.text.as_bytes()[self.at] {
            b'n' => Kind::Null,
            b't' => Kind::Bool(true),
            b'f' => Kind::Bool(false),
            b'"' => Kind::String,
            b'[' => Kind::Array,
            b'{' => Kind::Object,
            _ => Kind::Number(&self.text[self.at..self.end()]),
        }
    }

    /// Calls `seen` with key and value of each member, in the order of the text, until it says stop. Nothing for what is no object.
    ///
    /// Returns whether it is an object.
    pub fn each_member(self, mut seen: impl FnMut(JsonValue<'a>, JsonValue<'a>) -> bool) -> bool {
        if self.kind() != Kind::Object {
            return false;
        }
        let mut at = self.over_space(self.at + 1);
        while self.byte(at) != b'}' {
            let key = self.value_at(at);
            at = self.over_space(key.end());
            // Over the colon.
            let value = self.value_at(self.over_space(at + 1));
            if !seen(key, value) {
                break;
            }
            at = self.next(value.end());
        }
        true
    }

    /// Whether this string says `text`.
    pub fn is_text(self, text: &str) -> bool {
        let mut rest = text;
        let mut same = self.kind() == Kind::String;
        self.pieces(|piece| {
            let left = match piece {
                Piece::Plain(plain) => rest.strip_prefix(plain),
                Piece::Escaped(character) => rest.strip_prefix(character),
            };
            same &= left.is_some();
            rest = left.unwrap_or_default();
        });
        same && rest.is_empty()
    }

    /// The string, decoded; of a long one as much as fits a message. Nothing for what is no string.
    pub fn excerpt(self) -> String {
        /// More than any message shows.
        const ENOUGH: usize = 4096;
        let mut text = String::new();
        self.pieces(|piece| {
            if text.len() < ENOUGH {
                match piece {
                    Piece::Plain(plain) => {
                        text.push_str(&plain[..plain.floor_char_boundary(ENOUGH)]);
                    }
                    Piece::Escaped(character) => text.push(character),
                }
            }
        });
        excerpt(&text)
    }

    /// The order of two keys in RFC 8785: by their UTF-16 units.
    pub fn cmp_text(self, other: Self) -> Ordering {
        let (mut mine, mut others) = (self.chars(), other.chars());
        loop {
            match (mine.next(), others.next()) {
                (None, None) => return Ordering::Equal,
                (None, Some(_)) => return Ordering::Less,
                (Some(_), None) => return Ordering::Greater,
                (Some(a), Some(b)) if a == b => {}
                (Some(a), Some(b)) => return (first_unit(a), a).cmp(&(first_unit(b), b)),
            }
        }
    }

    /// How many bytes the decoded string has.
    pub(crate) fn text_length(self) -> u64 {
        let mut length = Length::default();
        self.put_text(&mut length);
        length.0
    }

    /// The decoded string.
    pub(crate) fn put_text(self, sink: &mut impl Sink) {
        self.pieces(|piece| match piece {
            Piece::Plain(plain) => sink.put(plain.as_bytes()),
            Piece::Escaped(character) => {
                sink.put(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        });
    }

    /// A short string, decoded.
    pub(crate) fn text(self) -> String {
        self.chars().collect()
    }

    /// The value as RFC 8785 writes it.
    pub(crate) fn put_canonical(self, sink: &mut impl Sink) -> Result<(), NoForm> {
        match self.kind() {
            Kind::Null => sink.put(b"null"),
            Kind::Bool(true) => sink.put(b"true"),
            Kind::Bool(false) => sink.put(b"false"),
            Kind::String => self.put_quoted(sink),
            Kind::Number(literal) => put_number(literal, sink)?,
            Kind::Array => {
                sink.put(b"[");
                let mut at = self.over_space(self.at + 1);
                let mut is_first = true;
                while self.byte(at) != b']' {
                    if !is_first {
                        sink.put(b",");
                    }
                    is_first = false;
                    let item = self.value_at(at);
                    item.put_canonical(sink)?;
                    at = self.next(item.end());
                }
                sink.put(b"]");
            }
            Kind::Object => {
                sink.put(b"{");
                for (i, (key, value)) in self.sorted_members()?.into_iter().enumerate() {
                    if i > 0 {
                        sink.put(b",");
                    }
                    self.value_at(key as usize).put_quoted(sink);
                    sink.put(b":");
                    self.value_at(value as usize).put_canonical(sink)?;
                }
                sink.put(b"}");
            }
        }
        Ok(())
    }

    /// Where keys and values stand, in the order of the keys.
    fn sorted_members(self) -> Result<Vec<(u32, u32)>, NoForm> {
        let mut members: Vec<(u32, u32)> = Vec::new();
        let mut is_full = false;
        self.each_member(|key, value| {
            is_full = members.try_reserve(1).is_err();
            if !is_full {
                // Neither `as` can cut: a text has at most DOCUMENT_CAP bytes.
                members.push((key.at as u32, value.at as u32));
            }
            !is_full
        });
        if is_full {
            return Err(NoForm::OutOfMemory);
        }
        members.sort_unstable_by(|(one, _), (other, _)| {
            let key = |at: u32| self.value_at(at as usize);
            key(*one).cmp_text(key(*other))
        });
        Ok(members)
    }

    fn put_quoted(self, sink: &mut impl Sink) {
        sink.put(b"\"");
        self.pieces(|piece| match piece {
            Piece::Plain(plain) => sink.put(plain.as_bytes()),
            Piece::Escaped(character) => put_escaped(character, sink),
        });
        sink.put(b"\"");
    }

    /// Follows a pointer (RFC 6901, section 4).
    pub(crate) fn find(self, pointer: &JsonPointer) -> Place<'a> {
        let mut here = self;
        for token in pointer.tokens() {
            let mut found = None;
            let mut is_ambiguous = false;
            match here.kind() {
                Kind::Object => {
                    here.each_member(|key, value| {
                        if key.is_text(&token) {
                            is_ambiguous = found.is_some();
                            found = Some(value);
                        }
                        !is_ambiguous
                    });
                }
                Kind::Array => found = array_index(&token).and_then(|index| here.item(index)),
                Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String => {}
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
        let mut at = self.over_space(self.at + 1);
        let mut left = index;
        while self.byte(at) != b']' {
            let item = self.value_at(at);
            if left == 0 {
                return Some(item);
            }
            left -= 1;
            at = self.next(item.end());
        }
        None
    }

    /// Calls `seen` with the parts of a string, in order.
    fn pieces(self, mut seen: impl FnMut(Piece<'a>)) {
        let mut chars = Chars {
            rest: self.text.get(self.at + 1..).unwrap_or_default(),
        };
        if self.kind() != Kind::String {
            return;
        }
        loop {
            let plain = chars.rest.find(['"', '\\']).unwrap_or(chars.rest.len());
            if plain > 0 {
                seen(Piece::Plain(&chars.rest[..plain]));
                chars.rest = &chars.rest[plain..];
            }
            match chars.next() {
                Some(character) => seen(Piece::Escaped(character)),
                None => return,
            }
        }
    }

    fn chars(self) -> Chars<'a> {
        Chars {
            rest: self.text.get(self.at + 1..).unwrap_or_default(),
        }
    }

    fn value_at(self, at: usize) -> JsonValue<'a> {
        JsonValue {
            text: self.text,
            at,
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

    /// From the end of an element to the next one, or to the bracket behind the last.
    fn next(self, end: usize) -> usize {
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

/// The characters of a checked string, decoded, up to its closing quote.
struct Chars<'a> {
    rest: &'a str,
}

impl Iterator for Chars<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let character = match chars.next()? {
            '"' => return None,
            '\\' => match chars.next()? {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => {
                    let unit = |text: &str| u32::from_str_radix(text.get(..4)?, 16).ok();
                    let after = chars.as_str();
                    let first = unit(after)?;
                    let (code, len) = match first {
                        // Checked: the other half follows.
                        0xd800..=0xdbff => {
                            let second = unit(after.get(6..)?)?;
                            (0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00), 10)
                        }
                        _ => (first, 4),
                    };
                    chars = after.get(len..)?.chars();
                    char::from_u32(code)?
                }
                other => other,
            },
            other => other,
        };
        self.rest = chars.as_str();
        Some(character)
    }
}

/// The first UTF-16 unit.
fn first_unit(character: char) -> u16 {
    character.encode_utf16(&mut [0; 2])[0]
}

fn put_escaped(character: char, sink: &mut impl Sink) {
    match character {
        '"' => sink.put(b"\\\""),
        '\\' => sink.put(b"\\\\"),
        '\u{8}' => sink.put(b"\\b"),
        '\u{c}' => sink.put(b"\\f"),
        '\n' => sink.put(b"\\n"),
        '\r' => sink.put(b"\\r"),
        '\t' => sink.put(b"\\t"),
        '\0'..'\u{20}' => sink.put(format!("\\u{:04x}", u32::from(character)).as_bytes()),
        _ => sink.put(character.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// A number as RFC 8785 writes it, if that is numerically what was written.
fn put_number(literal: &str, sink: &mut impl Sink) -> Result<(), NoForm> {
    let digits = literal.strip_prefix('-').unwrap_or(literal);
    let is_small = digits.len() <= 15 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_small && literal != "-0" {
        sink.put(literal.as_bytes());
        return Ok(());
    }
    let inexact = |literal: &str| NoForm::Inexact {
        literal: excerpt(literal),
    };
    let number = match number::read(literal) {
        Number::Integer(i) => Some(serde_json::Number::from(i)),
        Number::Unsigned(u) => Some(serde_json::Number::from(u)),
        Number::Double(d) => serde_json::Number::from_f64(d),
        Number::Inexact => None,
    };
    let number = number.ok_or_else(|| inexact(literal))?;
    if !number.is_f64() && !number::is_exact_integer(&number) {
        return Err(inexact(&number.to_string()));
    }
    let written = serde_json_canonicalizer::to_string(&number).map_err(|_| inexact(literal))?;
    sink.put(written.as_bytes());
    Ok(())
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
