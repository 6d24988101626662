//! A string within a JSON text whose grammar has been checked, read where it stands.

use std::cmp::Ordering;

use super::sink::{Length, Sink};
use crate::words::excerpt;

/// A string within a checked JSON text: a key, or a value.
#[derive(Debug, Clone, Copy)]
pub struct JsonString<'a> {
    /// The text behind the opening quote, to the end of the document.
    rest: &'a str,
}

/// Part of a string.
#[derive(Debug, Clone, Copy)]
enum Piece<'a> {
    /// Without escapes.
    Plain(&'a str),
    /// What one escape stands for, or two that are a surrogate pair.
    Escaped(char),
}

impl<'a> JsonString<'a> {
    /// The string whose opening quote stands at byte `at` of a checked text.
    pub(super) fn at(text: &'a str, at: usize) -> Self {
        Self {
            rest: text.get(at + 1..).unwrap_or_default(),
        }
    }

    /// Whether this string says `text`.
    pub fn is_text(self, text: &str) -> bool {
        let mut rest = text;
        let mut is_same = true;
        self.each_piece(|piece| {
            let left = match piece {
                Piece::Plain(plain) => rest.strip_prefix(plain),
                Piece::Escaped(character) => rest.strip_prefix(character),
            };
            is_same &= left.is_some();
            rest = left.unwrap_or_default();
        });
        is_same && rest.is_empty()
    }

    /// The order of keys in RFC 8785: by their UTF-16 units. It is total, and equal are strings
    /// that say the same.
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

    /// The string, decoded; of a long one as much as fits a message.
    pub fn excerpt(self) -> String {
        /// More than any message shows, in bytes.
        const ENOUGH: usize = 4096;
        let mut text = String::new();
        self.each_piece(|piece| {
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

    /// The string, decoded. It is copied whole: ask [`JsonString::decoded_length`] before.
    pub(crate) fn to_text(self) -> String {
        self.chars().collect()
    }

    /// How many bytes the decoded string has.
    pub(crate) fn decoded_length(self) -> u64 {
        let mut length = Length::default();
        self.put_decoded(&mut length);
        length.0
    }

    /// Writes the decoded string.
    pub(crate) fn put_decoded(self, sink: &mut impl Sink) {
        self.each_piece(|piece| match piece {
            Piece::Plain(plain) => sink.put(plain.as_bytes()),
            Piece::Escaped(character) => {
                sink.put(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        });
    }

    /// Writes the string as RFC 8785 does, with its quotes.
    pub(crate) fn put_quoted(self, sink: &mut impl Sink) {
        sink.put(b"\"");
        self.each_piece(|piece| match piece {
            Piece::Plain(plain) => sink.put(plain.as_bytes()),
            Piece::Escaped(character) => put_escaped(character, sink),
        });
        sink.put(b"\"");
    }

    /// Calls `seen` with the parts of the string, in order.
    fn each_piece(self, mut seen: impl FnMut(Piece<'a>)) {
        let mut chars = self.chars();
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
        Chars { rest: self.rest }
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
                    let (code, length) = match first {
                        // Checked: the other half follows.
                        0xd800..=0xdbff => {
                            let second = unit(after.get(6..)?)?;
                            (0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00), 10)
                        }
                        _ => (first, 4),
                    };
                    chars = after.get(length..)?.chars();
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
