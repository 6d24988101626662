//! What is done about a finding, other than to refuse the row.

use crate::guard::info::GuardInfo;
use crate::guc;
use crate::judge::case::Case;
use verdict::Mode;

/// What was done about a finding, other than to refuse the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// The row was stored with the flag value. A guard without a flag column stores it unchanged.
    Flagged,
    /// The row was not stored. It is held under this id of `verdict.quarantine`.
    Held(i64),
    /// The row was not stored.
    Discarded,
    /// The row was stored: the guard allows this finding.
    Allowed,
    /// The row was stored: the guard, or `verdict.enforce`, only observes.
    Observed,
    /// The row was stored: the glass is broken.
    GlassBroken,
    /// The update was stored: the row was never judged, and the guard lets such rows pass.
    Legacy,
    /// A replication worker stored the row.
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

/// What is done with the row instead of the guard's action, if anything.
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
