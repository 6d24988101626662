//! Every step of a decision, from the same list of checks that decides.

use crate::decide::{Check, Evidence, GuardedRow, RowDigest, Terms, Timestamp, Verdict};
use crate::digest::Digest;
use crate::finding::Finding;
use crate::outcome::Outcome;

/// How a question was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepAnswer {
    /// Yes: on to the next question.
    Yes,
    /// No: this decides, with this finding.
    No(Finding),
    /// An earlier question has decided.
    NotAsked,
}

impl StepAnswer {
    /// `yes`, `no` or `not asked`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No(_) => "no",
            Self::NotAsked => "not asked",
        }
    }
}

/// One step of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Which check it is.
    pub check: Check,
    /// The question, for a reader.
    pub question: &'static str,
    /// The answer.
    pub answer: StepAnswer,
    /// What the answer rests on. Empty when the question was not asked. Holds no content of the
    /// row, only digests.
    pub detail: String,
}

impl Check {
    /// The question, for a reader. The answer "yes" lets the row go on.
    pub const fn question(self) -> &'static str {
        match self {
            Self::Subject => "Does the row name a subject?",
            Self::Recorded => "Is there a verdict for it?",
            Self::Standing => "Does the verdict still stand (not revoked)?",
            Self::Answered => "Did the webhook answer, or does the hook continue on failures?",
            Self::NotDenied => "Did the webhook not refuse?",
            Self::Valid => "Is the verdict within its validity?",
            Self::Unaltered => "Is the content what the verdict was about?",
            Self::Unspent => "Is the approval not spent yet?",
        }
    }
}

/// Every question of [`crate::decide()`] with its answer, in order; those after the deciding one
/// were not asked.
pub fn explain(
    row: &GuardedRow,
    verdict: Option<&Verdict>,
    terms: Terms,
    now: Timestamp,
) -> Vec<Step> {
    let evidence = Evidence {
        row,
        verdict,
        terms,
        now,
    };
    let mut decided = false;
    Check::ORDER
        .into_iter()
        .map(|check| {
            let answer = if decided {
                StepAnswer::NotAsked
            } else if check.holds(&evidence) {
                StepAnswer::Yes
            } else {
                decided = true;
                StepAnswer::No(check.finding())
            };
            let detail = match answer {
                StepAnswer::NotAsked => String::new(),
                StepAnswer::Yes | StepAnswer::No(_) => detail(check, &evidence),
            };
            Step {
                check,
                question: check.question(),
                answer,
                detail,
            }
        })
        .collect()
}

/// What an answer rests on.
fn detail(check: Check, evidence: &Evidence<'_>) -> String {
    let Some(verdict) = evidence.verdict else {
        return match check {
            Check::Subject if evidence.row.has_subject => "it does".to_owned(),
            Check::Subject => "the subject is NULL".to_owned(),
            _ => "there is none".to_owned(),
        };
    };
    match check {
        Check::Subject if evidence.row.has_subject => "it does".to_owned(),
        Check::Subject => "the subject is NULL".to_owned(),
        Check::Recorded => format!("verdict {}", verdict.id),
        Check::Standing if verdict.revoked => "revoked".to_owned(),
        Check::Standing => "not revoked".to_owned(),
        Check::Answered => match verdict.outcome.cause() {
            None => format!("outcome {}", verdict.outcome.as_str()),
            Some(cause) if evidence.terms.failed_continue => {
                format!("outcome failed ({cause}); the hook says failed_continue")
            }
            Some(cause) => {
                format!("outcome failed ({cause}); the hook does not say failed_continue")
            }
        },
        Check::NotDenied if verdict.outcome == Outcome::Denied => "outcome denied".to_owned(),
        Check::NotDenied => format!("outcome {}", verdict.outcome.as_str()),
        Check::Valid => validity(verdict.expires_at, evidence.now),
        Check::Unaltered => content(evidence.row.digest, verdict.digest),
        Check::Unspent => match (evidence.terms.consume, verdict.consumed) {
            (false, _) => "the guard does not consume".to_owned(),
            (true, true) => "spent".to_owned(),
            (true, false) => "not spent".to_owned(),
        },
    }
}

/// How far the end of a verdict's validity is from now, in seconds.
fn validity(expires_at: Timestamp, now: Timestamp) -> String {
    if expires_at == Timestamp::INFINITY {
        return "it never expires".to_owned();
    }
    // i128: the difference of two i64 need not fit one.
    let micros = i128::from(expires_at.0) - i128::from(now.0);
    let distance = micros.unsigned_abs();
    let seconds = format!("{}.{:06} s", distance / 1_000_000, distance % 1_000_000);
    if micros > 0 {
        format!("expires in {seconds}")
    } else {
        format!("expired {seconds} ago")
    }
}

/// Which two digests were compared.
fn content(row: RowDigest, verdict: Option<Digest>) -> String {
    let verdict = match verdict {
        Some(digest) => format!("the verdict's digest is {digest}"),
        None => "the verdict is about no content".to_owned(),
    };
    match row {
        RowDigest::Unbound => "the guard is not bound to content".to_owned(),
        RowDigest::Of(digest) => format!("the row's digest is {digest}, {verdict}"),
        RowDigest::Unavailable => format!("the row's content has no digest, {verdict}"),
    }
}
