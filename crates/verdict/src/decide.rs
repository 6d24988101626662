//! From a row to a finding: total, no I/O, no clock, no allocation.

use crate::digest::Digest;
use crate::finding::Finding;
use crate::outcome::Outcome;

/// A moment in microseconds since 2000-01-01 00:00 UTC, as PostgreSQL counts `timestamptz`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// PostgreSQL's `infinity`: a verdict with this `expires_at` never expires.
    pub const INFINITY: Self = Self(i64::MAX);
}

/// What a guard knows of the content of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowDigest {
    /// The guard is not bound to content.
    Unbound,
    /// The digest of the row's content.
    Of(Digest),
    /// The guard is bound to content, but this content has no digest (JSON with duplicate keys, for
    /// example).
    Unavailable,
}

/// What a guard knows of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuardedRow {
    /// Whether the subject column is not NULL.
    pub has_subject: bool,
    /// The row's content.
    pub digest: RowDigest,
}

/// The newest verdict for the hook and the row's subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The verdict's id.
    pub id: i64,
    /// What the answer came to.
    pub outcome: Outcome,
    /// Whether it was taken back.
    pub revoked: bool,
    /// From this moment on it is expired: valid is the time *before* it.
    pub expires_at: Timestamp,
    /// The digest of the content it is about, if it is bound to content.
    pub digest: Option<Digest>,
    /// Whether it has been spent on a row.
    pub consumed: bool,
}

/// Which verdicts let a row pass, besides a standing approval: all that hook and guard say to a
/// decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terms {
    /// The hook's word on failures: a `failed` verdict lets the row pass (and stays on record as
    /// failed).
    pub failed_continue: bool,
    /// An approval lets one row pass and no other.
    pub consume: bool,
}

/// What a guard decides about a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// There is an approval for exactly this row.
    Approved,
    /// The outcome is `failed` and the hook continues on failures. Not an approval, and counted
    /// apart.
    FailedOpen,
    /// The row is not approved.
    Found(Finding),
}

/// One question of the decision. [`Check::ORDER`] is the decision: the first question answered with
/// no gives the finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Check {
    /// Does the row name a subject?
    Subject,
    /// Is there a verdict?
    Recorded,
    /// Does it still stand?
    Standing,
    /// Did the webhook give an answer, or does the hook continue without one?
    Answered,
    /// Does the answer let the row through?
    NotDenied,
    /// Is it within its validity?
    Valid,
    /// Is the row's content what the verdict was about?
    Unaltered,
    /// Is the approval still to be spent?
    Unspent,
}

impl Check {
    /// Every question in the order in which it is asked. What the verdict itself says (taken back,
    /// no answer, refused) comes before what has become of it (expired, other content, spent): the
    /// nearer reason is the one a reader can act on.
    pub const ORDER: [Self; 8] = [
        Self::Subject,
        Self::Recorded,
        Self::Standing,
        Self::Answered,
        Self::NotDenied,
        Self::Valid,
        Self::Unaltered,
        Self::Unspent,
    ];

    /// The finding when the answer is no.
    pub const fn finding(self) -> Finding {
        match self {
            Self::Subject | Self::Recorded => Finding::Missing,
            Self::Standing => Finding::Revoked,
            Self::Answered => Finding::Failed,
            Self::NotDenied => Finding::Denied,
            Self::Valid => Finding::Expired,
            Self::Unaltered => Finding::Altered,
            Self::Unspent => Finding::Reused,
        }
    }

    /// Whether the answer is yes. Without a verdict every question about it is answered with no.
    pub(crate) fn holds(self, evidence: &Evidence<'_>) -> bool {
        let Evidence {
            row,
            verdict,
            terms,
            now,
        } = *evidence;
        match self {
            Self::Subject => row.has_subject,
            Self::Recorded => verdict.is_some(),
            Self::Standing => verdict.is_some_and(|v| !v.revoked),
            Self::Answered => verdict
                .is_some_and(|v| terms.failed_continue || !matches!(v.outcome, Outcome::Failed(_))),
            Self::NotDenied => verdict.is_some_and(|v| v.outcome != Outcome::Denied),
            Self::Valid => {
                verdict.is_some_and(|v| v.expires_at == Timestamp::INFINITY || now < v.expires_at)
            }
            Self::Unaltered => verdict.is_some_and(|v| match row.digest {
                RowDigest::Unbound => true,
                RowDigest::Of(digest) => v.digest == Some(digest),
                RowDigest::Unavailable => false,
            }),
            Self::Unspent => verdict.is_some_and(|v| !(terms.consume && v.consumed)),
        }
    }
}

/// Everything a question may look at.
#[derive(Clone, Copy)]
pub(crate) struct Evidence<'a> {
    pub row: &'a GuardedRow,
    pub verdict: Option<&'a Verdict>,
    pub terms: Terms,
    pub now: Timestamp,
}

/// Decides about a row: `verdict` is the newest one for the hook and the row's subject (the highest
/// id), `now` the clock at the check.
///
/// A guard bound to content never accepts a verdict without a digest, and a row without subject is
/// `missing` whatever verdict is handed in.
pub fn decide(
    row: &GuardedRow,
    verdict: Option<&Verdict>,
    terms: Terms,
    now: Timestamp,
) -> Decision {
    let evidence = Evidence {
        row,
        verdict,
        terms,
        now,
    };
    let is_no = |check: &Check| !check.holds(&evidence);
    match Check::ORDER.into_iter().find(is_no) {
        Some(check) => Decision::Found(check.finding()),
        None => match verdict.map(|v| v.outcome) {
            Some(Outcome::Approved) => Decision::Approved,
            Some(Outcome::Failed(_)) => Decision::FailedOpen,
            // Not reached: the checks above have answered with no. Said again, so that this match
            // alone can't approve.
            Some(Outcome::Denied) => Decision::Found(Finding::Denied),
            None => Decision::Found(Finding::Missing),
        },
    }
}
