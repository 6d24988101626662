//! A value as RFC 8785 writes it: one text for all spellings of the same value.

use super::number::shortest_form;
use super::sink::Sink;
use super::value::{JsonKind, JsonValue};
use crate::words::excerpt;

/// Why a value has no canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoForm {
    /// RFC 8785 would write another number than this one, which is cut to fit a message.
    Inexact { literal: String },
    /// There is no memory to sort the members of an object.
    OutOfMemory,
}

impl JsonValue<'_> {
    /// Writes the value as RFC 8785 does. Of duplicate keys it writes each: such documents have no
    /// digest, which the caller has looked for.
    ///
    /// # Errors
    /// A number that would be rounded, or no memory.
    pub(crate) fn put_canonical(self, sink: &mut impl Sink) -> Result<(), NoForm> {
        match self.kind() {
            JsonKind::Null => sink.put(b"null"),
            JsonKind::Bool(true) => sink.put(b"true"),
            JsonKind::Bool(false) => sink.put(b"false"),
            JsonKind::String(string) => string.put_quoted(sink),
            JsonKind::Number(literal) => put_number(literal, sink)?,
            JsonKind::Array => self.put_array(sink)?,
            JsonKind::Object => self.put_object(sink)?,
        }
        Ok(())
    }

    fn put_array(self, sink: &mut impl Sink) -> Result<(), NoForm> {
        sink.put(b"[");
        let mut is_first = true;
        let mut result = Ok(());
        self.each_item(|item| {
            if !is_first {
                sink.put(b",");
            }
            is_first = false;
            result = item.put_canonical(sink);
            result.is_ok()
        });
        sink.put(b"]");
        result
    }

    fn put_object(self, sink: &mut impl Sink) -> Result<(), NoForm> {
        sink.put(b"{");
        for (i, (key, value)) in self.sorted_members()?.into_iter().enumerate() {
            if i > 0 {
                sink.put(b",");
            }
            self.key_at(key).put_quoted(sink);
            sink.put(b":");
            self.value_at(value).put_canonical(sink)?;
        }
        sink.put(b"}");
        Ok(())
    }

    /// Where keys and values stand, in the order of the keys. Eight bytes a member.
    fn sorted_members(self) -> Result<Vec<(u32, u32)>, NoForm> {
        let mut members: Vec<(u32, u32)> = Vec::new();
        let mut is_full = false;
        self.each_member_place(|key, value| {
            is_full = members.try_reserve(1).is_err();
            if !is_full {
                members.push((key, value));
            }
            !is_full
        });
        if is_full {
            return Err(NoForm::OutOfMemory);
        }
        members.sort_unstable_by(|(one, _), (other, _)| {
            self.key_at(*one).cmp_text(self.key_at(*other))
        });
        Ok(members)
    }
}

/// Writes a number as RFC 8785 does, if that is numerically what stands there.
fn put_number(literal: &str, sink: &mut impl Sink) -> Result<(), NoForm> {
    let digits = literal.strip_prefix('-').unwrap_or(literal);
    // Every integer of 15 digits is a double, and is written as it is.
    let is_small = digits.len() <= 15 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_small && literal != "-0" {
        sink.put(literal.as_bytes());
        return Ok(());
    }
    let written = shortest_form(literal).ok_or_else(|| NoForm::Inexact {
        literal: excerpt(literal),
    })?;
    sink.put(written.as_bytes());
    Ok(())
}
