//! JSON and digests once more, by serde_json and naive code: what the crate's own reader must agree
//! with. Shares no code with the crate. The fuzz targets use it, too.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

/// A JSON value as it was written: members in order, duplicates included, numbers as text.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

/// Deeper than anything that is ever taken, and no deeper than the stack allows.
const DEPTH_CAP: usize = 200;

/// The value of a text. Nothing where serde_json says that it is not JSON, or nested deeper than
/// [`DEPTH_CAP`].
pub fn read(text: &[u8]) -> Option<Tree> {
    read_text(std::str::from_utf8(text).ok()?, DEPTH_CAP)
}

fn read_text(text: &str, depth_left: usize) -> Option<Tree> {
    let below = depth_left.checked_sub(1)?;
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    Some(match text.as_bytes().first()? {
        b'{' => {
            let Members(members) = serde_json::from_str(text).ok()?;
            let members = members.into_iter();
            Tree::Object(
                members
                    .map(|(key, value)| Some((key, read_text(value.get(), below)?)))
                    .collect::<Option<_>>()?,
            )
        }
        b'[' => {
            let Items(items) = serde_json::from_str(text).ok()?;
            let items = items.into_iter();
            Tree::Array(
                items
                    .map(|item| read_text(item.get(), below))
                    .collect::<Option<_>>()?,
            )
        }
        b'"' => Tree::String(serde_json::from_str(text).ok()?),
        b'-' | b'0'..=b'9' => {
            serde_json::from_str::<f64>(text).ok()?;
            Tree::Number(text.to_owned())
        }
        _ => match serde_json::from_str(text).ok()? {
            None => Tree::Null,
            Some(boolean) => Tree::Bool(boolean),
        },
    })
}

struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

struct Items<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Items<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Items<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Items(items))
            }
        }
        deserializer.deserialize_seq(Collect)
    }
}

impl Tree {
    /// The values right below this one.
    fn below(&self) -> Vec<&Tree> {
        match self {
            Self::Array(items) => items.iter().collect(),
            Self::Object(members) => members.iter().map(|(_, value)| value).collect(),
            _ => Vec::new(),
        }
    }

    /// How deep arrays and objects are nested; 0 for a scalar.
    pub fn depth(&self) -> usize {
        match self {
            Self::Array(_) | Self::Object(_) => {
                1 + self.below().into_iter().map(Self::depth).max().unwrap_or(0)
            }
            _ => 0,
        }
    }

    /// Whether a key stands twice in one object, in this value or below.
    pub fn has_duplicate(&self) -> bool {
        let here = match self {
            Self::Object(members) => {
                let keys: BTreeSet<&str> = members.iter().map(|(key, _)| key.as_str()).collect();
                keys.len() < members.len()
            }
            _ => false,
        };
        here || self.below().into_iter().any(Self::has_duplicate)
    }

    /// RFC 8785; nothing where it would round a number.
    pub fn canonical(&self) -> Option<String> {
        let quoted = |text: &str| serde_json::to_string(text).expect("a text");
        Some(match self {
            Self::Null => "null".to_owned(),
            Self::Bool(boolean) => boolean.to_string(),
            Self::Number(literal) => {
                let double: f64 = literal.parse().expect("a number");
                let written = serde_json_canonicalizer::to_string(&double).ok()?;
                (normal(&written)? == normal(literal)?).then_some(written)?
            }
            Self::String(text) => quoted(text),
            Self::Array(items) => {
                let items: Option<Vec<String>> = items.iter().map(Self::canonical).collect();
                format!("[{}]", items?.join(","))
            }
            Self::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                members.sort_by_key(|(key, _)| key.encode_utf16().collect::<Vec<_>>());
                let members: Option<Vec<String>> = members
                    .into_iter()
                    .map(|(key, value)| Some(format!("{}:{}", quoted(key), value.canonical()?)))
                    .collect();
                format!("{{{}}}", members?.join(","))
            }
        })
    }

    /// The type tag and the bytes of a field with this value; nothing where it has none.
    pub fn tag_and_bytes(&self) -> Option<(u8, Vec<u8>)> {
        Some(match self {
            Self::Null => (b'n', Vec::new()),
            Self::Bool(boolean) => (b'b', vec![u8::from(*boolean)]),
            Self::String(text) => (b's', text.clone().into_bytes()),
            Self::Number(literal) => match integer(literal) {
                Some(integer) => (b'i', integer.to_be_bytes().to_vec()),
                None => (b'j', self.canonical()?.into_bytes()),
            },
            Self::Array(_) | Self::Object(_) => (b'j', self.canonical()?.into_bytes()),
        })
    }
}

/// The digest of fields by docs/digest.md. They are sorted by name already.
pub fn digest(fields: &[(&str, u8, &[u8])]) -> [u8; 32] {
    let mut form = b"pg_verdict/digest/v1\0".to_vec();
    form.extend((fields.len() as u32).to_be_bytes());
    for (name, tag, value) in fields {
        form.extend((name.len() as u32).to_be_bytes());
        form.extend(name.as_bytes());
        form.push(*tag);
        form.extend((value.len() as u64).to_be_bytes());
        form.extend(*value);
    }
    Sha256::digest(form).into()
}

/// A number as sign, digits and exponent, without zeros at either end of the digits: equal when the
/// numbers are. Nothing for an exponent beyond i64.
pub fn normal(literal: &str) -> Option<(bool, String, i64)> {
    let is_negative = literal.starts_with('-');
    let unsigned = literal.trim_start_matches('-').to_lowercase();
    let (mantissa, exponent) = unsigned.split_once('e').unwrap_or((&unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = format!("{whole}{fraction}");
    if digits.bytes().all(|digit| digit == b'0') {
        return Some((false, String::new(), 0));
    }
    let mut exponent = exponent
        .parse::<i64>()
        .ok()?
        .checked_sub(fraction.len() as i64)?;
    while digits.ends_with('0') {
        digits.pop();
        exponent = exponent.checked_add(1)?;
    }
    Some((
        is_negative,
        digits.trim_start_matches('0').to_owned(),
        exponent,
    ))
}

/// The integer within i64 that a literal is, however it is spelled.
pub fn integer(literal: &str) -> Option<i64> {
    let (is_negative, digits, exponent) = normal(literal)?;
    if digits.is_empty() {
        return Some(0);
    }
    if !(0..20).contains(&exponent) {
        return None;
    }
    let zeros = "0".repeat(exponent as usize);
    format!("{}{digits}{zeros}", if is_negative { "-" } else { "" })
        .parse()
        .ok()
}
