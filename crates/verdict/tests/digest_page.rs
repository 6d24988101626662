//! docs/digest.md is true: its examples hold, and its Python computes what the crate computes.

mod support;

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use support::{DIGESTS, SAMPLES, lines, text};
use verdict::{Digest, FieldMap, Request};

const PAGE: &str = include_str!("../../../docs/digest.md");

/// The code blocks of the page that begin with this fence.
fn blocks(fence: &str) -> Vec<&'static str> {
    PAGE.split(&format!("```{fence}\n"))
        .skip(1)
        .map(|after| after.split("```").next().expect("an end"))
        .collect()
}

fn examples() -> Vec<Json> {
    let examples: Vec<Json> = blocks("json example")
        .into_iter()
        .map(|block| serde_json::from_str(block).expect("an example is JSON"))
        .collect();
    assert_eq!(examples.len(), 6);
    examples
}

#[test]
fn examples_hold() {
    for example in examples() {
        let form: Vec<u8> = example["form"]
            .as_array()
            .expect("lines")
            .iter()
            .flat_map(|line| line.as_str().expect("text").replace(' ', "").into_bytes())
            .collect();
        let form: Vec<u8> = form
            .chunks(2)
            .map(|pair| {
                u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16)
                    .expect("hexadecimal")
            })
            .collect();
        let digest = Digest::from_bytes(&Sha256::digest(form)).expect("32 bytes");
        assert_eq!(digest.to_hex(), text(&example, "digest"), "{example}");
        let request = Request::parse(text(&example, "request").as_bytes()).expect("a request");
        let fields = FieldMap::from_json(&example["fields"]).expect("fields");
        assert_eq!(request.digest(&fields), Ok(digest), "{example}");
    }
}

/// Nothing is skipped: without python3 the page is not tested, and that is a failure.
#[test]
fn the_python_on_the_page_computes_the_same() {
    let python = blocks("python");
    assert_eq!(python.len(), 2, "the digest, and RFC 8785");
    let function = python[0].split_once("def digest").expect("the function").1;
    assert!(function.lines().count() <= 20, "short enough to be read");

    let mut cases: Vec<Json> = examples();
    cases.extend(lines(DIGESTS));
    for line in lines(SAMPLES)
        .into_iter()
        .filter(|line| line["kind"] == "request")
    {
        cases.push(json!({
            "request": line["payload"].to_string(),
            "fields": line["fields"],
            "digest": line["digest"],
        }));
    }
    let program = format!(
        "{}\n{}\nimport sys\nfor line in sys.stdin:\n    case = json.loads(line)\n    \
         try: print(digest(case['request'], case['fields']))\n    \
         except ValueError: print('none')\n",
        python[0], python[1]
    );
    let mut child = Command::new("python3")
        .args(["-I", "-c", &program])
        .env("PYTHONIOENCODING", "utf-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 runs");
    let input: String = cases.iter().map(|case| format!("{case}\n")).collect();
    // All input before any output: the answers fit a pipe (65 bytes a case), and Python writes them
    // at the end.
    let mut stdin = child.stdin.take().expect("stdin");
    stdin.write_all(input.as_bytes()).expect("python3 reads");
    drop(stdin);
    let output = child.wait_with_output().expect("python3 ends");
    assert!(output.status.success());
    let digests = String::from_utf8(output.stdout).expect("text");
    assert_eq!(digests.lines().count(), cases.len());
    for (case, digest) in cases.iter().zip(digests.lines()) {
        assert_eq!(case["digest"].as_str().unwrap_or("none"), digest, "{case}");
    }
}
