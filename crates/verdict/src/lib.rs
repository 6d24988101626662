//! The pure part of pg_verdict: no database, no clock, no I/O, no randomness.
//!
//! Two questions are answered here, and nothing else:
//!
//! * **From bytes to an outcome.** A chat server's pre-send webhook has answered; what did it say?
//!   [`Dialect::answer`] never takes "no refusal in sight" for an approval.
//! * **From a row to a finding.** A row is about to be kept; is there an approval for exactly this
//!   content? [`decide()`] is total: every row, verdict, moment and [`Terms`] have one
//!   [`Decision`].
//!
//! What binds the two is the [`Digest`] of named content fields, computed once from the webhook's
//! [`Request`] and once from the row's columns. Its byte form is fixed in `docs/digest.md`.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod decide;
mod dialect;
mod digest;
mod explain;
mod field;
mod finding;
mod hex;
mod json;
mod outcome;
mod pointer;
mod policy;
mod request;
mod row_hash;
mod stored;
mod subject_hash;
mod words;

pub use decide::{Check, Decision, GuardedRow, RowDigest, Terms, Timestamp, Verdict, decide};
pub use dialect::{Dialect, UnknownDialect};
pub use digest::{Digest, DigestBuilder, DigestError, FieldValue};
pub use explain::{Step, StepAnswer, explain};
pub use field::{FIELD_NAME_CAP, FIELDS_CAP, FieldMap, FieldMapError};
pub use finding::Finding;
pub use hex::UuidText;
pub use json::{DOCUMENT_CAP, Json, JsonString, JsonValue, MAX_DEPTH, StrictJsonError};
pub use outcome::{Answer, BODY_CAP, Cause, ERR_TEXT_CAP, NoAnswer, Outcome, UnknownOutcome};
pub use pointer::{JsonPointer, JsonPointerError};
pub use policy::{Action, Actions, Edits, Legacy, Locking, Mode, Policy, ReplicaRole};
pub use request::{Request, RequestError, SUBJECT_CAP};
pub use row_hash::RowHash;
pub use stored::{DriftDone, HeldState, Via};
pub use subject_hash::subject_hash;
pub use words::UnknownWord;
