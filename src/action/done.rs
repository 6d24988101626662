//! What is done about a finding, other than refusing the row.

use crate::guard::info::GuardInfo;
use crate::guc;
use crate::judge::case::Case;
use verdict::Mode;

/// What was done about a finding, other than refusing the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// The row was stored with its flag column set, or as it was when the guard has none.
    Flagged,
    /// The row was left out and is held under this id of `verdict.quarantine`.
    Held(i64),
    /// The row was left out.
    Discarded,
    /// The row was stored: the guard allows this finding.
    Allowed,
    /// The row was stored: the guard, or verdict.enforce, only observes.
    Observed,
    /// The row was stored: the glass is broken.
    GlassBroken,
    /// The update was stored: the row was never judged, and the guard lets such rows be.
    Legacy,
    /// The row was stored by a replication worker.
    Applied,
}

impl Done {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Flagged => "flagged",
            Self::Held(_) => "held",
            Self::Discarded => "discarded",
            Self::Allowed => "allowed",
            Self::Observed => "observed",
            Self::GlassBroken => "glass_broken",
            Self::Legacy => "legacy",
            Self::Applied => "applied",
        }
    }
}

/// What else than the guard's action becomes of a row with a finding, if anything.
pub fn instead_of_acting(info: &GuardInfo, case: &Case) -> Option<Done> {
    if case.apply {
        Some(Done::Applied)
    } else if is_observing(info) {
        Some(Done::Observed)
    } else if case.now < info.glass_until {
        Some(Done::GlassBroken)
    } else {
        None
    }
}

/// Whether the guard, or `verdict.enforce`, only observes.
pub fn is_observing(info: &GuardInfo) -> bool {
    info.policy.mode == Mode::Observe || !guc::enforced()
}
