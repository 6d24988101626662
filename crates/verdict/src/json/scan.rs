//! The top-level members of anything that some reader might take for a JSON object.
//!
//! Used only to find refusals and error texts, never approvals. So every doubt is resolved in
//! favour of seeing a member: a byte order mark, junk before and after, several objects in a row,
//! truncation, invalid UTF-8, any depth, missing commas, keys without quotes or in single quotes
//! (Python's `str(dict)`). Of text that *is* JSON it sees exactly the top-level members, so that a
//! message's content can't pose as one.

use std::borrow::Cow;

/// The value of a member, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loose<'a> {
    /// What stands between double quotes, with its escapes.
    Text(&'a [u8]),
    /// A run of letters, digits and signs: a number, `null`, `true` …
    Bare(&'a [u8]),
    /// An array, an object, or something unknown.
    Other,
}

/// Calls `seen` with key and value of every member that could be a top-level one, in the order of
/// the text.
pub(crate) fn top_level<'a>(body: &'a [u8], mut seen: impl FnMut(&str, Loose<'a>)) {
    let mut at = 0;
    let mut depth = 0_usize;
    while let Some(&byte) = body.get(at) {
        let (token, end) = match byte {
            b'{' | b'[' => {
                depth += 1;
                at += 1;
                continue;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                at += 1;
                continue;
            }
            b'"' => quoted(body, at),
            _ if is_bare(byte) => bare(body, at),
            _ => {
                at += 1;
                continue;
            }
        };
        at = end;
        // Arrays of JSON have no colons. In an array that is not JSON, a colon is one more doubt.
        if depth == 1
            && let Some(colon) = colon_after(body, at)
        {
            let (value, end) = value_at(body, colon + 1);
            seen(&decode(token), value);
            at = end;
        }
    }
}

/// The decoded text of a string: unknown escapes and invalid UTF-8 become U+FFFD.
pub(crate) fn decode(inner: &[u8]) -> Cow<'_, str> {
    if !inner.contains(&b'\\') {
        return String::from_utf8_lossy(inner);
    }
    let lossy = String::from_utf8_lossy(inner);
    let mut text = String::with_capacity(lossy.len());
    let mut units = Vec::new();
    let mut rest = lossy.as_ref();
    while let Some(position) = rest.find('\\') {
        text.push_str(&rest[..position]);
        rest = &rest[position..];
        // Consecutive \u escapes together: two of them can be one character.
        units.clear();
        while let Some(unit) = unicode_escape(rest) {
            units.push(unit);
            rest = &rest[6..];
        }
        if !units.is_empty() {
            text.push_str(&String::from_utf16_lossy(&units));
            continue;
        }
        let mut after = rest[1..].chars();
        text.push(match after.next() {
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some(other @ ('"' | '\\' | '/' | '\'')) => other,
            Some(_) | None => char::REPLACEMENT_CHARACTER,
        });
        rest = after.as_str();
    }
    text.push_str(rest);
    Cow::Owned(text)
}

fn unicode_escape(text: &str) -> Option<u16> {
    let hex = text.strip_prefix("\\u")?.get(..4)?;
    if hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        u16::from_str_radix(hex, 16).ok()
    } else {
        None
    }
}

/// From the opening quote: what is between the quotes, and the place after the closing one (or the
/// end of the body).
fn quoted(body: &[u8], open: usize) -> (&[u8], usize) {
    let mut at = open + 1;
    while let Some(&byte) = body.get(at) {
        match byte {
            b'"' => return (&body[open + 1..at], at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    (&body[open + 1..], body.len())
}

fn is_bare(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_' | b'$')
}

fn bare(body: &[u8], start: usize) -> (&[u8], usize) {
    let length = body[start..].iter().take_while(|&&b| is_bare(b)).count();
    (&body[start..start + length], start + length)
}

/// The place of the colon that makes what stands before it a key. One quote on the way is skipped:
/// it closes a key in single quotes, or one that a broken string has cut off. Not more than one, or
/// a body of quotes would take quadratic time.
fn colon_after(body: &[u8], from: usize) -> Option<usize> {
    let mut at = white_space_end(body, from);
    if matches!(body.get(at), Some(b'\'' | b'"')) {
        at = white_space_end(body, at + 1);
    }
    (body.get(at) == Some(&b':')).then_some(at)
}

fn white_space_end(body: &[u8], from: usize) -> usize {
    let rest = body.get(from..).unwrap_or_default();
    from + rest.iter().take_while(|b| b.is_ascii_whitespace()).count()
}

fn value_at(body: &[u8], from: usize) -> (Loose<'_>, usize) {
    let mut at = from;
    while body
        .get(at)
        .is_some_and(|&b| b.is_ascii_whitespace() || b == b'\'')
    {
        at += 1;
    }
    match body.get(at) {
        Some(b'"') => {
            let (inner, end) = quoted(body, at);
            (Loose::Text(inner), end)
        }
        Some(&byte) if is_bare(byte) => {
            let (run, end) = bare(body, at);
            (Loose::Bare(run), end)
        }
        _ => (Loose::Other, at),
    }
}
