//! What must hold in `crates/verdict` for any bytes.
//!
//! Each module is a fuzz target: its `check` takes bytes and panics where something does not hold.
//! It compares with a reading of its own, made of serde_json and naive code ([`reference`]).
//! `scripts/fuzz` looks for bytes that panic; `tests/corpus.rs` runs what it has found so far.

pub mod dialect;
pub mod digest;
pub mod json;
#[path = "../../crates/verdict/tests/support/reference.rs"]
pub mod reference;
pub mod request;

use verdict::{DigestBuilder, DigestError, Json};

/// Takes any bytes, and panics where something does not hold.
pub type Check = fn(&[u8]);

/// Every target by its name, which is also the name of its corpus.
pub const TARGETS: [(&str, Check); 4] = [
    ("json", json::check),
    ("dialect", dialect::check),
    ("digest", digest::check),
    ("request", request::check),
];

/// The digest of one field `f` that is the whole document.
pub(crate) fn digest_of(document: &Json<'_>) -> Result<[u8; 32], DigestError> {
    let mut builder = DigestBuilder::new(1);
    builder.json_field("f", document.root())?;
    builder.finish().map(|digest| *digest.as_bytes())
}
