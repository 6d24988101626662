//! Closed sets of words that stored rows hold.

use crate::words::words;

words! {
    /// Which call recorded a verdict: column `via` of `verdict.verdicts`.
    pub enum Via as "via" {
        /// `verdict.record`: a webhook's answer.
        Record = "record",
        /// `verdict.record_no_answer`: a webhook that gave none.
        RecordNoAnswer = "record_no_answer",
        /// `verdict.approve`: somebody's approval.
        Approve = "approve",
        /// `verdict.deny`: somebody's denial.
        Deny = "deny",
        /// `verdict.revoke`: an approval was taken back.
        Revoke = "revoke",
        /// `verdict.release`: a reviewer has let a held row through.
        Release = "release",
        /// `verdict.refuse`: a reviewer has refused a held row.
        Refuse = "refuse",
        /// `verdict.self_test`: an attempt, which is rolled back.
        SelfTest = "self_test",
    }
}

words! {
    /// What has become of a held row: column `state` of `verdict.quarantine`.
    pub enum HeldState as "state" {
        /// It waits for a reviewer or a verdict.
        Held = "held",
        /// It was stored after all.
        Released = "released",
        /// It will not be stored.
        Refused = "refused",
    }
}

words! {
    /// What was done to a guard: column `done` of a drift incident in `verdict.incidents`.
    pub enum DriftDone as "drift" {
        /// An admin has made the guard weaker.
        Weakened = "weakened",
        /// A partition has left the guarded table.
        Detached = "detached",
        /// The guarded table was dropped.
        TableDropped = "table_dropped",
        /// The table or a guarded column was renamed, and the guard follows.
        Renamed = "renamed",
        /// The registry has taken the guard over for a table that was restored or swapped.
        Rehomed = "rehomed",
        /// Other people's code runs when the table is written to.
        Risk = "risk",
    }
}
