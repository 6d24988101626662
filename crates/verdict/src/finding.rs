//! Why a row is not approved.

use crate::words::words;

words! {
    /// Why a row is not approved.
    pub enum Finding as "finding" {
        /// There is no verdict for the row's subject, or the row has no subject.
        Missing = "missing",
        /// The webhook refused.
        Denied = "denied",
        /// The webhook gave no answer that can be believed, and the hook does not continue on
        /// failures.
        Failed = "failed",
        /// The verdict is past its validity.
        Expired = "expired",
        /// The row's content is not the content that was approved.
        Altered = "altered",
        /// The approval has been spent on another row.
        Reused = "reused",
        /// The verdict was taken back.
        Revoked = "revoked",
    }
}

impl Finding {
    /// The SQLSTATE that a rejection for this finding carries. Never class 40: clients would retry.
    pub const fn sqlstate(self) -> &'static str {
        match self {
            Self::Missing => "VD001",
            Self::Denied => "VD002",
            Self::Failed => "VD003",
            Self::Expired => "VD004",
            Self::Altered => "VD005",
            Self::Reused => "VD006",
            Self::Revoked => "VD007",
        }
    }
}
