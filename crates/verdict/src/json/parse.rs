//! A strict reader of JSON (RFC 8259) that keeps what was written.

use super::node::Node;
use super::text::JsonValue;
use super::{MAX_DEPTH, StrictJsonError};
use crate::words::excerpt;

/// A whole JSON text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Document {
    pub root: Node,
    /// A key that stands twice in one object somewhere in the document, if there is one.
    pub duplicate: Option<String>,
}

/// Reads one JSON value and nothing after it but white space.
pub(crate) fn parse(text: &[u8]) -> Result<Document, StrictJsonError> {
    let mut reader = Reader::of(text)?;
    reader.white_space();
    let root = reader.value()?;
    reader.ends()?;
    Ok(Document {
        root,
        duplicate: reader.duplicate,
    })
}

/// As [`parse`], without the tree: the text, where its value begins, and a key that stands twice in one object.
pub(super) fn check(text: &[u8]) -> Result<(&str, usize, Option<String>), StrictJsonError> {
    let mut reader = Reader::of(text)?;
    reader.white_space();
    let start = reader.at;
    reader.check_value()?;
    reader.ends()?;
    Ok((reader.text, start, reader.duplicate))
}

/// What becomes of a string that is read: it is kept, or only looked at.
trait Take {
    fn plain(&mut self, text: &str);
    fn escaped(&mut self, character: char);
}

impl Take for String {
    fn plain(&mut self, text: &str) {
        self.push_str(text);
    }

    fn escaped(&mut self, character: char) {
        self.push(character);
    }
}

impl Take for () {
    fn plain(&mut self, _text: &str) {}

    fn escaped(&mut self, _character: char) {}
}

struct Reader<'a> {
    text: &'a str,
    /// Bytes read. Between two steps always on a character boundary.
    at: usize,
    depth: usize,
    duplicate: Option<String>,
}

impl<'a> Reader<'a> {
    fn of(text: &'a [u8]) -> Result<Self, StrictJsonError> {
        let text = std::str::from_utf8(text).map_err(|error| StrictJsonError::Utf8 {
            offset: error.valid_up_to(),
        })?;
        Ok(Self {
            text,
            at: 0,
            depth: 0,
            duplicate: None,
        })
    }

    fn ends(&mut self) -> Result<(), StrictJsonError> {
        self.white_space();
        if self.at != self.text.len() {
            return Err(self.wrong("trailing characters after the value"));
        }
        Ok(())
    }

    fn check_value(&mut self) -> Result<(), StrictJsonError> {
        match self.peek() {
            None => Err(self.wrong("the text ends where a value should be")),
            Some(b'{') => self.nested(Self::check_object),
            Some(b'[') => self.nested(Self::check_array),
            Some(b'"') => self.string(&mut ()),
            Some(b'-' | b'0'..=b'9') => self.number().map(|_| ()),
            Some(_) => self.literal().map(|_| ()),
        }
    }

    fn check_array(&mut self) -> Result<(), StrictJsonError> {
        if self.take(b']') {
            return Ok(());
        }
        loop {
            self.check_value()?;
            self.white_space();
            if self.take(b']') {
                return Ok(());
            }
            if !self.take(b',') {
                return Err(self.wrong("expected \",\" or \"]\""));
            }
            self.white_space();
        }
    }

    fn check_object(&mut self) -> Result<(), StrictJsonError> {
        let mut keys: Vec<u32> = Vec::new();
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.wrong("expected a key in double quotes"));
            }
            if keys.try_reserve(1).is_err() {
                return Err(StrictJsonError::OutOfMemory);
            }
            // It can't be cut: a text has at most DOCUMENT_CAP bytes.
            keys.push(self.at as u32);
            self.string(&mut ())?;
            self.white_space();
            if !self.take(b':') {
                return Err(self.wrong("expected \":\""));
            }
            self.white_space();
            self.check_value()?;
            self.white_space();
            if self.take(b'}') {
                self.note_equal(keys);
                return Ok(());
            }
            if !self.take(b',') {
                return Err(self.wrong("expected \",\" or \"}\""));
            }
            self.white_space();
        }
    }

    fn note_equal(&mut self, mut keys: Vec<u32>) {
        if self.duplicate.is_some() || keys.len() < 2 {
            return;
        }
        let key = |at: u32| JsonValue::new(self.text, at as usize);
        keys.sort_unstable_by(|one, other| key(*one).cmp_text(key(*other)));
        let mut pairs = keys.windows(2);
        let equal = pairs.find(|pair| key(pair[0]).cmp_text(key(pair[1])).is_eq());
        self.duplicate = equal.map(|pair| key(pair[0]).excerpt());
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.at += 1;
        }
        found
    }

    fn white_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn wrong(&self, reason: &'static str) -> StrictJsonError {
        let (line, column) = self.position();
        StrictJsonError::Syntax {
            line,
            column,
            reason,
        }
    }

    /// Line and column, from 1.
    fn position(&self) -> (usize, usize) {
        let before = self.text.get(..self.at).unwrap_or(self.text);
        let line = before.bytes().filter(|&b| b == b'\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (line, before[start..].chars().count() + 1)
    }

    fn value(&mut self) -> Result<Node, StrictJsonError> {
        match self.peek() {
            None => Err(self.wrong("the text ends where a value should be")),
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => Ok(Node::String(self.text()?)),
            Some(b'-' | b'0'..=b'9') => Ok(Node::Number(self.number()?.to_owned())),
            Some(_) => self.literal(),
        }
    }

    fn literal(&mut self) -> Result<Node, StrictJsonError> {
        let rest = &self.text[self.at..];
        for (word, node) in [
            ("null", Node::Null),
            ("true", Node::Bool(true)),
            ("false", Node::Bool(false)),
        ] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(node);
            }
        }
        if rest.starts_with('\u{feff}') {
            return Err(self.wrong("a byte order mark"));
        }
        Err(self.wrong("no value begins like this"))
    }

    fn nested<T>(
        &mut self,
        read: fn(&mut Self) -> Result<T, StrictJsonError>,
    ) -> Result<T, StrictJsonError> {
        if self.depth == MAX_DEPTH {
            let (line, column) = self.position();
            return Err(StrictJsonError::TooDeep { line, column });
        }
        self.depth += 1;
        self.at += 1;
        self.white_space();
        let node = read(self)?;
        self.depth -= 1;
        Ok(node)
    }

    fn array(&mut self) -> Result<Node, StrictJsonError> {
        let mut items = Vec::new();
        if self.take(b']') {
            return Ok(Node::Array(items));
        }
        loop {
            items.push(self.value()?);
            self.white_space();
            if self.take(b']') {
                return Ok(Node::Array(items));
            }
            if !self.take(b',') {
                return Err(self.wrong("expected \",\" or \"]\""));
            }
            self.white_space();
        }
    }

    fn object(&mut self) -> Result<Node, StrictJsonError> {
        let mut members = Vec::new();
        if self.take(b'}') {
            return Ok(Node::Object(members));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.wrong("expected a key in double quotes"));
            }
            let key = self.text()?;
            self.white_space();
            if !self.take(b':') {
                return Err(self.wrong("expected \":\""));
            }
            self.white_space();
            members.push((key, self.value()?));
            self.white_space();
            if self.take(b'}') {
                self.note_duplicate(&members);
                return Ok(Node::Object(members));
            }
            if !self.take(b',') {
                return Err(self.wrong("expected \",\" or \"}\""));
            }
            self.white_space();
        }
    }

    fn note_duplicate(&mut self, members: &[(String, Node)]) {
        if self.duplicate.is_some() {
            return;
        }
        let mut keys: Vec<&str> = members.iter().map(|(key, _)| key.as_str()).collect();
        keys.sort_unstable();
        self.duplicate = keys
            .windows(2)
            .find(|pair| pair[0] == pair[1])
            .map(|pair| excerpt(pair[0]));
    }

    fn number(&mut self) -> Result<&'a str, StrictJsonError> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') && !self.digits() {
            return Err(self.wrong("expected a digit"));
        }
        if self.take(b'.') && !self.digits() {
            return Err(self.wrong("expected a digit after the decimal point"));
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            if !self.digits() {
                return Err(self.wrong("expected a digit in the exponent"));
            }
        }
        let text: &'a str = self.text;
        let literal = &text[start..self.at];
        if !literal.parse().is_ok_and(f64::is_finite) {
            self.at = start;
            return Err(self.wrong("a number beyond the range of a double"));
        }
        Ok(literal)
    }

    /// Takes all digits that follow; whether there was one.
    fn digits(&mut self) -> bool {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at > start
    }

    fn text(&mut self) -> Result<String, StrictJsonError> {
        let mut text = String::new();
        self.string(&mut text)?;
        Ok(text)
    }

    fn string(&mut self, text: &mut impl Take) -> Result<(), StrictJsonError> {
        self.at += 1;
        loop {
            let start = self.at;
            while matches!(self.peek(), Some(b) if b != b'"' && b != b'\\' && b >= 0x20) {
                self.at += 1;
            }
            text.plain(&self.text[start..self.at]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => text.escaped(self.escape()?),
                Some(_) => return Err(self.wrong("a control character in a string")),
                None => return Err(self.wrong("the text ends within a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, StrictJsonError> {
        self.at += 1;
        let escaped = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode_escape();
            }
            _ => return Err(self.wrong("no escape is written like this")),
        };
        self.at += 1;
        Ok(escaped)
    }

    fn unicode_escape(&mut self) -> Result<char, StrictJsonError> {
        let first = self.four_hex()?;
        let code = match first {
            0xd800..=0xdbff => {
                if !(self.take(b'\\') && self.take(b'u')) {
                    return Err(self.wrong("half a surrogate pair"));
                }
                match self.four_hex()? {
                    second @ 0xdc00..=0xdfff => {
                        0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
                    }
                    _ => return Err(self.wrong("half a surrogate pair")),
                }
            }
            _ => first,
        };
        // Only a lone low surrogate is left to fail here.
        char::from_u32(code).ok_or_else(|| self.wrong("half a surrogate pair"))
    }

    fn four_hex(&mut self) -> Result<u32, StrictJsonError> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|b| char::from(b).to_digit(16));
            let Some(digit) = digit else {
                return Err(self.wrong("expected four hexadecimal digits"));
            };
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }
}
