//! Whether a text is JSON (RFC 8259). One pass, without a tree.
//!
//! Why not serde_json's `RawValue` in a visitor. It takes the same texts (`strict_json.rs` and the
//! fuzz target `json` compare), in 0.5 to 2.6 times the time of this file for 12 MB. But serde_json
//! decodes a string with an escape into memory of its own: up to the size of the document, and when
//! there is none, the process aborts. Measured on a string of 32 MiB under `ulimit -v 60000`: this
//! file reads it, `RawValue` ends with "memory allocation failed", which in a server ends all
//! sessions. Here memory is four bytes a key of the objects that are open, and an error when there
//! is none.

use super::error::{MAX_DEPTH, StrictJsonError};
use super::string::JsonString;

/// A text that is JSON.
pub(super) struct Checked<'a> {
    pub text: &'a str,
    /// Where its value begins, in bytes.
    pub start: usize,
    /// A key that stands twice in one object somewhere in the document, cut to fit a message.
    pub duplicate: Option<String>,
}

/// Reads one JSON value and nothing after it but white space. The text has at most
/// [`super::DOCUMENT_CAP`] bytes.
///
/// # Errors
/// Not UTF-8, not JSON, trailing bytes, too deep, or no memory.
pub(super) fn check_grammar(text: &[u8]) -> Result<Checked<'_>, StrictJsonError> {
    let mut reader = Parser::of(text)?;
    reader.white_space();
    let start = reader.at;
    reader.value()?;
    reader.white_space();
    if reader.at != reader.text.len() {
        return Err(reader.wrong("trailing characters after the value"));
    }
    Ok(Checked {
        text: reader.text,
        start,
        duplicate: reader.duplicate,
    })
}

struct Parser<'a> {
    text: &'a str,
    /// Bytes read. Between two steps always on a character boundary.
    at: usize,
    depth: usize,
    duplicate: Option<String>,
}

impl<'a> Parser<'a> {
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

    fn value(&mut self) -> Result<(), StrictJsonError> {
        match self.peek() {
            None => Err(self.wrong("the text ends where a value should be")),
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => self.literal(),
        }
    }

    fn array(&mut self) -> Result<(), StrictJsonError> {
        if self.take(b']') {
            return Ok(());
        }
        loop {
            self.value()?;
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

    fn object(&mut self) -> Result<(), StrictJsonError> {
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
            self.string()?;
            self.white_space();
            if !self.take(b':') {
                return Err(self.wrong("expected \":\""));
            }
            self.white_space();
            self.value()?;
            self.white_space();
            if self.take(b'}') {
                self.note_duplicate(keys);
                return Ok(());
            }
            if !self.take(b',') {
                return Err(self.wrong("expected \",\" or \"}\""));
            }
            self.white_space();
        }
    }

    /// Remembers a key that is there twice. `keys`: where the keys of one object stand.
    fn note_duplicate(&mut self, mut keys: Vec<u32>) {
        if self.duplicate.is_some() || keys.len() < 2 {
            return;
        }
        let key = |at: u32| JsonString::at(self.text, at as usize);
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

    fn literal(&mut self) -> Result<(), StrictJsonError> {
        let rest = &self.text[self.at..];
        for word in ["null", "true", "false"] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(());
            }
        }
        if rest.starts_with('\u{feff}') {
            return Err(self.wrong("a byte order mark"));
        }
        Err(self.wrong("no value begins like this"))
    }

    /// What stands behind an opening bracket, one level deeper.
    fn nested(
        &mut self,
        read: fn(&mut Self) -> Result<(), StrictJsonError>,
    ) -> Result<(), StrictJsonError> {
        if self.depth == MAX_DEPTH {
            let (line, column) = self.position();
            return Err(StrictJsonError::TooDeep { line, column });
        }
        self.depth += 1;
        self.at += 1;
        self.white_space();
        read(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn number(&mut self) -> Result<(), StrictJsonError> {
        /// The largest double has 309 digits.
        const ALWAYS_FINITE: usize = 308;
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') && !self.digits() {
            return Err(self.wrong("expected a digit"));
        }
        if self.take(b'.') && !self.digits() {
            return Err(self.wrong("expected a digit after the decimal point"));
        }
        let has_exponent = self.take(b'e') || self.take(b'E');
        if has_exponent {
            let _sign = self.take(b'+') || self.take(b'-');
            if !self.digits() {
                return Err(self.wrong("expected a digit in the exponent"));
            }
        }
        let literal = &self.text[start..self.at];
        let may_overflow = has_exponent || literal.len() > ALWAYS_FINITE;
        if may_overflow && !literal.parse().is_ok_and(f64::is_finite) {
            self.at = start;
            return Err(self.wrong("a number beyond the range of a double"));
        }
        Ok(())
    }

    /// Takes all digits that follow; whether there was one.
    fn digits(&mut self) -> bool {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at > start
    }

    fn string(&mut self) -> Result<(), StrictJsonError> {
        self.at += 1;
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let is_end = |byte: &u8| matches!(byte, b'"' | b'\\' | ..0x20);
            self.at += rest.iter().position(is_end).unwrap_or(rest.len());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                Some(_) => return Err(self.wrong("a control character in a string")),
                None => return Err(self.wrong("the text ends within a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), StrictJsonError> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 1;
                Ok(())
            }
            Some(b'u') => {
                self.at += 1;
                self.unicode_escape()
            }
            _ => Err(self.wrong("no escape is written like this")),
        }
    }

    /// Four digits that are a character, or eight in two escapes that are a surrogate pair.
    fn unicode_escape(&mut self) -> Result<(), StrictJsonError> {
        let is_whole = match self.four_hex()? {
            0xd800..=0xdbff => {
                self.take(b'\\') && self.take(b'u') && matches!(self.four_hex()?, 0xdc00..=0xdfff)
            }
            0xdc00..=0xdfff => false,
            _ => true,
        };
        match is_whole {
            true => Ok(()),
            false => Err(self.wrong("half a surrogate pair")),
        }
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
