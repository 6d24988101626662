//! Different field lists have different digests: names and values cannot be shifted into each other.

use proptest::prelude::*;
use std::collections::BTreeMap;
use verdict::{DigestError, Value, digest, json_without_duplicates};

#[derive(Clone, Debug, PartialEq)]
enum Field {
    Null,
    Text(String),
    Integer(i64),
    Boolean(bool),
}

impl Field {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Text(text) => Value::String(text),
            Self::Integer(value) => Value::Integer(*value),
            Self::Boolean(value) => Value::Boolean(*value),
        }
    }
}

fn field() -> impl Strategy<Value = Field> {
    prop_oneof![
        Just(Field::Null),
        // Short alphabets make near misses likely.
        "[ab01tf]{0,4}".prop_map(Field::Text),
        (-2i64..12).prop_map(Field::Integer),
        any::<bool>().prop_map(Field::Boolean),
    ]
}

fn list() -> impl Strategy<Value = BTreeMap<String, Field>> {
    prop::collection::btree_map("[ab]{1,3}", field(), 1..4)
}

fn of(list: &BTreeMap<String, Field>) -> verdict::Digest {
    let fields: Vec<(&str, Value<'_>)> = list
        .iter()
        .map(|(name, field)| (name.as_str(), field.value()))
        .collect();
    digest(&fields).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn equal_lists_have_equal_digests_and_no_others_do(a in list(), b in list()) {
        prop_assert_eq!(of(&a) == of(&b), a == b);
    }

    #[test]
    fn the_order_of_the_fields_does_not_matter(list in list()) {
        let mut fields: Vec<(&str, Value<'_>)> =
            list.iter().map(|(name, field)| (name.as_str(), field.value())).collect();
        fields.reverse();
        prop_assert_eq!(digest(&fields).unwrap(), of(&list));
    }
}

#[test]
fn types_are_kept_apart() {
    let one = |value: Value<'_>| digest(&[("a", value)]).unwrap();
    let all = [
        one(Value::Null),
        one(Value::String("")),
        one(Value::String("null")),
        one(Value::String("1")),
        one(Value::Integer(1)),
        one(Value::String("true")),
        one(Value::Boolean(true)),
    ];
    for (i, a) in all.iter().enumerate() {
        assert!(
            all[i + 1..].iter().all(|b| a != b),
            "number {i} is not alone"
        );
    }
}

#[test]
fn a_number_that_a_double_would_round_has_no_digest() {
    let value = json_without_duplicates(br#"{"a": {"b": 9007199254740993}}"#);
    let refused = match value {
        Err(_) => true,
        Ok(value) => matches!(
            digest(&[("a", Value::Json(&value))]),
            Err(DigestError::Number { .. })
        ),
    };
    assert!(refused);
}
