//! What OpenIM really sends and stores: every line of the fixtures is a test.

mod support;

use std::collections::BTreeMap;

use serde_json::Value as Json;
use support::reference::{self, Tree};
use support::{DIGESTS, EDGE_ANSWERS, SAMPLES, lines, text};
use verdict::{
    Answer, Dialect, DigestBuilder, DigestError, FieldMap, FieldValue, JsonPointer, Outcome,
    Request, RequestError,
};

const OPENIM: Dialect = Dialect::OpenIm;

fn expected_outcome(line: &Json) -> Outcome {
    Outcome::from_parts(text(line, "outcome"), line["cause"].as_str()).expect("a known outcome")
}

fn http_status(line: &Json) -> i32 {
    line["http_status"]
        .as_i64()
        .and_then(|status| status.try_into().ok())
        .expect("a status")
}

fn fields(line: &Json) -> FieldMap {
    FieldMap::from_json(&line["fields"]).expect("fields")
}

#[test]
fn every_sample_answer_has_its_outcome() {
    let mut seen = 0;
    for line in lines(SAMPLES) {
        let answer = match text(&line, "kind") {
            "response" => OPENIM.answer(line["payload"].to_string().as_bytes(), http_status(&line)),
            "response_raw" => match line["no_answer"].as_str() {
                Some(cause) => Answer::none(cause.parse().expect("a cause of no answer")),
                None => OPENIM.answer(text(&line, "raw_body").as_bytes(), http_status(&line)),
            },
            _ => continue,
        };
        assert_eq!(answer.outcome, expected_outcome(&line), "{}", line["id"]);
        seen += 1;
    }
    assert_eq!(seen, 20);
}

#[test]
fn the_reply_of_issue_3049_is_a_refusal_with_its_reasons() {
    let all = lines(SAMPLES);
    let line = all
        .iter()
        .find(|line| line["id"] == "resp-3049")
        .expect("the seed");
    let answer = OPENIM.answer(line["payload"].to_string().as_bytes(), 200);
    assert_eq!(
        answer,
        Answer {
            outcome: Outcome::Denied,
            err_code: Some(5001),
            err_msg: Some("消息发送失败，请联系管理员！".to_owned()),
            err_detail: Some(String::new()),
        }
    );
}

#[test]
fn every_edge_answer_has_its_outcome_and_texts() {
    for line in lines(EDGE_ANSWERS) {
        let body = match line["body_hex"].as_str() {
            Some(hex) => bytes_of_hex(hex),
            None => text(&line, "body").as_bytes().to_vec(),
        };
        let answer = OPENIM.answer(&body, http_status(&line));
        let expected = Answer {
            outcome: expected_outcome(&line),
            err_code: line["err_code"]
                .as_i64()
                .map(|code| i32::try_from(code).expect("i32")),
            err_msg: line["err_msg"].as_str().map(str::to_owned),
            err_detail: line["err_detail"].as_str().map(str::to_owned),
        };
        assert_eq!(answer, expected, "{}", line["id"]);
    }
}

#[test]
fn every_sample_request_has_its_subject_and_digest() {
    let pointer = JsonPointer::parse(OPENIM.subject()).expect("the dialect's own pointer");
    let mut seen = 0;
    for line in lines(SAMPLES)
        .iter()
        .filter(|line| line["kind"] == "request")
    {
        let id = &line["id"];
        let payload = line["payload"].to_string();
        let request = Request::parse(payload.as_bytes()).expect("a request");
        match line["subject"].as_str() {
            Some(subject) => assert_eq!(request.subject(&pointer).as_deref(), Ok(subject), "{id}"),
            None => {
                assert_eq!(line["subject_error"], "no_value", "{id}");
                let expected = RequestError::NoValue {
                    pointer: pointer.clone(),
                };
                assert_eq!(request.subject(&pointer), Err(expected), "{id}");
            }
        }
        let fields = fields(line);
        assert_eq!(OPENIM.fields(text(line, "hook")), fields, "{id}");
        let found = request.digest(&fields).ok().map(|digest| digest.to_hex());
        assert_eq!(found.as_deref(), line["digest"].as_str(), "{id}");
        seen += 1;
    }
    assert_eq!(seen, 13);
}

/// The other side of the digest: the row that came of the message has the digest of the request.
#[test]
fn every_stored_record_has_the_digest_of_its_request() {
    let all = lines(SAMPLES);
    let mut seen = 0;
    for line in all.iter().filter(|line| line["kind"] == "stored_record") {
        let columns = line["columns"].as_object().expect("columns");
        let row: BTreeMap<&str, Tree> = columns
            .iter()
            .map(|(field, column)| {
                let column = column.as_str().expect("a column");
                let value = line["payload"][column].to_string();
                (
                    field.as_str(),
                    reference::read(value.as_bytes()).expect("JSON"),
                )
            })
            .collect();
        let mut digest = DigestBuilder::new(row.len());
        for (field, value) in &row {
            let value = match value {
                Tree::String(text) => FieldValue::String(text),
                Tree::Number(literal) => FieldValue::Integer(literal.parse().expect("an integer")),
                other => panic!("no column of a stored record is {other:?}"),
            };
            digest.field(field, value).expect("a field");
        }
        let request = all
            .iter()
            .find(|other| other["id"] == line["same_content_as"])
            .expect("its request");
        let digest = digest.finish().expect("a digest").to_hex();
        assert_eq!(digest, text(line, "digest"), "{}", line["id"]);
        assert_eq!(digest, text(request, "digest"), "{}", line["id"]);
        seen += 1;
    }
    assert_eq!(seen, 2);
}

#[test]
fn every_digest_vector_holds() {
    for line in lines(DIGESTS) {
        let request = Request::parse(text(&line, "request").as_bytes()).expect("a request");
        let found = request.digest(&fields(&line));
        match line["digest_error"].as_str() {
            None => {
                let found = found.expect("a digest").to_hex();
                assert_eq!(found, text(&line, "digest"), "{}", line["id"]);
            }
            Some("number") => {
                assert!(
                    matches!(found, Err(DigestError::Number { .. })),
                    "{}: {found:?}",
                    line["id"]
                );
            }
            Some("duplicate_key") => {
                assert!(
                    matches!(found, Err(DigestError::DuplicateKey { .. })),
                    "{}: {found:?}",
                    line["id"]
                );
            }
            Some(other) => panic!("unknown error {other}"),
        }
    }
}

fn bytes_of_hex(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).expect("hexadecimal"))
        .collect()
}
