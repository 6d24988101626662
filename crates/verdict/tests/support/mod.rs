//! The fixtures at the root of the repository, one JSON object a line.
#![allow(dead_code)]

pub mod reference;

use serde_json::Value;

pub const SAMPLES: &str = include_str!("../../../../tests/fixtures/openim_samples.jsonl");
pub const EDGE_ANSWERS: &str = include_str!("../../../../tests/fixtures/openim_edge_answers.jsonl");
pub const DIGESTS: &str = include_str!("../../../../tests/fixtures/openim_digests.jsonl");

/// Every line of a fixture file.
pub fn lines(file: &str) -> Vec<Value> {
    let lines: Vec<Value> = file
        .lines()
        .map(|line| serde_json::from_str(line).expect("a fixture is JSON"))
        .collect();
    assert!(!lines.is_empty());
    lines
}

/// A member that must be a text.
pub fn text<'a>(line: &'a Value, member: &str) -> &'a str {
    line[member]
        .as_str()
        .unwrap_or_else(|| panic!("{} has no text {member}", line["id"]))
}
