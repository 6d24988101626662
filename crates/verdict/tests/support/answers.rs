//! Answers as a webhook might send them, and the rules of `openim` once more: naive, over
//! serde_json, sharing no code with the crate.

use std::fmt;

use proptest::prelude::*;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// The members of an object in order, duplicates included.
pub struct Members(pub Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
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

impl Members {
    fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a (String, Value)> {
        self.0
            .iter()
            .filter(move |(key, _)| key.to_lowercase() == name.to_lowercase())
    }

    /// The value of a code that stands there once and in its own case.
    fn code(&self, name: &str) -> Option<i32> {
        let found: Vec<_> = self.named(name).collect();
        match found[..] {
            [(key, value)] if key == name => value.as_i64().and_then(|code| code.try_into().ok()),
            _ => None,
        }
    }

    fn refuses(&self) -> bool {
        self.named("nextCode").any(|(_, value)| match value {
            Value::Number(number) => number.as_f64() == Some(1.0),
            Value::String(text) => text.trim().parse() == Ok(1.0_f64),
            _ => false,
        })
    }
}

/// Outcome and cause by the rules, for a text that serde_json reads. Nothing where it does not.
pub fn naive_outcome(body: &[u8], http_status: i32) -> Option<&'static str> {
    let members: Members = serde_json::from_slice(body).ok()?;
    if members.refuses() {
        return Some("denied");
    }
    let (Some(action_code), Some(0)) = (members.code("actionCode"), members.code("nextCode"))
    else {
        return Some("malformed");
    };
    if action_code != 0 {
        return Some("callback_error");
    }
    if http_status / 100 != 2 {
        return Some("http_status");
    }
    let contradicts = members
        .named("errCode")
        .any(|(_, value)| !matches!(value.as_i64(), Some(0 | 200)));
    Some(if contradicts {
        "contradictory"
    } else {
        "approved"
    })
}

/// A key that is this one in some case, with some of its letters escaped.
pub fn spelled(name: &'static str) -> impl Strategy<Value = String> {
    prop::collection::vec((any::<bool>(), 0..8_u8), name.len()).prop_map(move |how| {
        let letters = name.chars().zip(how).map(|(letter, (upper, escape))| {
            let letter = if upper {
                letter.to_ascii_uppercase()
            } else {
                letter.to_ascii_lowercase()
            };
            match escape {
                0 => format!("\\u{:04x}", u32::from(letter)),
                1 => format!("\\u{:04X}", u32::from(letter)),
                _ => letter.to_string(),
            }
        });
        format!("\"{}\"", letters.collect::<String>())
    })
}

/// A text of JSON that has the value 1 to some reader.
pub fn one() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("1".to_owned()),
        Just("1.0".to_owned()),
        Just("1e0".to_owned()),
        (1..30_usize).prop_map(|zeros| format!("1.{}", "0".repeat(zeros))),
        (0..30_usize).prop_map(|zeros| format!("1{}e-{zeros}", "0".repeat(zeros))),
        (1..30_usize).prop_map(|zeros| format!("0.{}1E+{}", "0".repeat(zeros - 1), zeros)),
        ("[ \\n\\t]{0,3}", "[ \\n]{0,3}").prop_map(|(before, after)| {
            serde_json::to_string(&format!("{before}1{after}")).expect("a text")
        }),
        Just("\"\\u0031\"".to_owned()),
    ]
}

/// Any JSON value, small, with the words of the dialect strewn in.
pub fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        prop_oneof![Just(0_i64), Just(1), Just(200), Just(-1), any::<i64>()].prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("nextCode".to_owned()),
        Just("actionCode".to_owned()),
        Just("\",\"nextCode\":1,\"".to_owned()),
        Just("{\"nextCode\":1}".to_owned()),
        Just("}{'nextCode':1".to_owned()),
        Just("1".to_owned()),
        "[a-z\"\\\\'{}:,\\[\\] ]{0,12}",
        any::<String>(),
    ]
}

/// The text of one member: often one of the codes, in any state.
pub fn member() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        4 => Just("\"actionCode\"".to_owned()),
        4 => Just("\"nextCode\"".to_owned()),
        2 => Just("\"errCode\"".to_owned()),
        1 => spelled("actionCode"),
        1 => spelled("nextCode"),
        1 => spelled("errCode"),
        2 => text().prop_map(|text| serde_json::to_string(&text).expect("a text")),
    ];
    let value = prop_oneof![
        6 => Just("0".to_owned()),
        1 => Just("200".to_owned()),
        1 => Just("-0".to_owned()),
        1 => Just("0.0".to_owned()),
        1 => one(),
        2 => value().prop_map(|value| value.to_string()),
    ];
    let space = "[ \\n\\t\\r]{0,2}";
    (space, key, space, space, value, space)
        .prop_map(|(a, key, b, c, value, d)| format!("{a}{key}{b}:{c}{value}{d}"))
}
