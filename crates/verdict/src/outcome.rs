//! What a webhook's answer comes to.

use thiserror::Error;

use crate::words::{UnknownWord, words};

/// The largest answer that can be an approval, in bytes.
pub const BODY_CAP: usize = 64 * 1024;

/// The longest `err_msg` or `err_detail` that is kept, in bytes of UTF-8.
pub const ERR_TEXT_CAP: usize = 1024;

words! {
    /// Why an outcome is [`Outcome::Failed`]: there is no answer, or none that can be believed.
    pub enum Cause as "cause" {
        /// The webhook did not answer in time.
        Timeout = "timeout",
        /// No connection, or it broke: refused, reset, name not found.
        Transport = "transport",
        /// The answer reads as an approval, but its HTTP status is outside 2xx.
        HttpStatus = "http_status",
        /// The bytes are not an answer in the hook's dialect.
        Malformed = "malformed",
        /// The callback says of itself that it broke.
        CallbackError = "callback_error",
        /// The answer approves, and carries an error code as well.
        Contradictory = "contradictory",
    }
}

words! {
    /// Why there is no answer at all; the two causes that a recorder can report instead of bytes.
    pub enum NoAnswer as "cause of no answer" {
        /// The webhook did not answer in time.
        Timeout = "timeout",
        /// No connection, or it broke.
        Transport = "transport",
    }
}

impl From<NoAnswer> for Cause {
    fn from(none: NoAnswer) -> Self {
        match none {
            NoAnswer::Timeout => Self::Timeout,
            NoAnswer::Transport => Self::Transport,
        }
    }
}

/// What an answer comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The answer says yes, without any doubt.
    Approved,
    /// The answer can be read as a refusal.
    Denied,
    /// No answer, or none that can be believed. Blocks, unless the hook says `failed_continue`.
    Failed(Cause),
}

impl Outcome {
    /// `approved`, `denied` or `failed`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Failed(_) => "failed",
        }
    }

    /// Why it failed; nothing for the other outcomes.
    pub const fn cause(self) -> Option<Cause> {
        match self {
            Self::Failed(cause) => Some(cause),
            Self::Approved | Self::Denied => None,
        }
    }

    /// The outcome that was stored as the pair (`outcome`, `cause`).
    ///
    /// # Errors
    /// An unknown word, `failed` without a cause, or a cause beside another outcome.
    pub fn from_parts(outcome: &str, cause: Option<&str>) -> Result<Self, UnknownOutcome> {
        let known = match outcome {
            "approved" => Self::Approved,
            "denied" => Self::Denied,
            "failed" => {
                let cause = cause.ok_or(UnknownOutcome::CauseMissing)?;
                return Ok(Self::Failed(cause.parse()?));
            }
            _ => {
                return Err(UnknownOutcome::Word(UnknownWord {
                    what: "outcome",
                    given: crate::words::excerpt(outcome),
                    exists: &["approved", "denied", "failed"],
                }));
            }
        };
        match cause {
            None => Ok(known),
            Some(cause) => Err(UnknownOutcome::CauseUnexpected {
                outcome: known.as_str(),
                cause: crate::words::excerpt(cause),
            }),
        }
    }
}

/// A pair (`outcome`, `cause`) that no outcome has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UnknownOutcome {
    /// The outcome or the cause is not one of the closed set.
    #[error(transparent)]
    Word(#[from] UnknownWord),
    /// `failed` always says why.
    #[error("outcome \"failed\" needs a cause")]
    CauseMissing,
    /// Only `failed` has a cause.
    #[error("outcome \"{outcome}\" has no cause, but \"{cause}\" was given")]
    CauseUnexpected {
        /// The outcome that was given.
        outcome: &'static str,
        /// The cause that was given beside it.
        cause: String,
    },
}

/// An answer as it was understood: the outcome, and what the business system said about its
/// reasons.
///
/// The texts come from outside. They hold no U+0000 (PostgreSQL text cannot; it is replaced by
/// U+FFFD) and at most [`ERR_TEXT_CAP`] bytes each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What the answer comes to.
    pub outcome: Outcome,
    /// The business system's error code, where one could be read.
    pub err_code: Option<i32>,
    /// The business system's message, where one could be read.
    pub err_msg: Option<String>,
    /// The business system's detail, where one could be read.
    pub err_detail: Option<String>,
}

impl Answer {
    /// The answer that never came: `failed/timeout` or `failed/transport`.
    pub fn none(cause: NoAnswer) -> Self {
        Self {
            outcome: Outcome::Failed(cause.into()),
            err_code: None,
            err_msg: None,
            err_detail: None,
        }
    }
}
