//! The options that `verdict.guard` and `verdict.alter_guard` share.

use crate::args;
use pg::report::Report;
use verdict::{Action, Edits, Finding, Legacy, Locking, Mode, ReplicaRole};

/// The options as they were given; `None` keeps what stands (alter) and is refused (guard).
pub struct Options<'a> {
    pub actions: [Option<&'a str>; 7],
    pub locking: Option<&'a str>,
    pub mode: Option<&'a str>,
    pub edits: Option<&'a str>,
    pub legacy: Option<&'a str>,
    pub replica_role: Option<&'a str>,
}

/// Checked words, for the registry's row.
pub struct Checked {
    /// In the order of [`ORDER`].
    pub actions: [Option<&'static str>; 7],
    pub locking: Option<&'static str>,
    pub mode: Option<&'static str>,
    pub edits: Option<&'static str>,
    pub legacy: Option<&'static str>,
    pub replica_role: Option<&'static str>,
}

/// The order of the `on_…` arguments.
pub const ORDER: [Finding; 7] = [
    Finding::Missing,
    Finding::Denied,
    Finding::Failed,
    Finding::Expired,
    Finding::Altered,
    Finding::Reused,
    Finding::Revoked,
];

impl Options<'_> {
    /// # Errors
    ///
    /// 22023 for an unknown word; 22004 for a NULL when all are `required`.
    pub fn check(&self, required: bool) -> Result<Checked, Report> {
        // With `required`, a NULL goes to the check, which names the argument.
        let given = |value: Option<&str>| value.is_some() || required;
        let mut actions = [None; 7];
        for ((finding, value), checked) in ORDER.iter().zip(self.actions).zip(&mut actions) {
            let argument = format!("on_{finding}");
            if given(value) {
                *checked = Some(args::word::<Action>(&argument, value)?.as_str());
            }
        }
        let mut checked = Checked {
            actions,
            locking: None,
            mode: None,
            edits: None,
            legacy: None,
            replica_role: None,
        };
        if given(self.locking) {
            checked.locking = Some(args::word::<Locking>("locking", self.locking)?.as_str());
        }
        if given(self.mode) {
            checked.mode = Some(args::word::<Mode>("mode", self.mode)?.as_str());
        }
        if given(self.edits) {
            checked.edits = Some(args::word::<Edits>("edits", self.edits)?.as_str());
        }
        if given(self.legacy) {
            checked.legacy = Some(args::word::<Legacy>("legacy", self.legacy)?.as_str());
        }
        if given(self.replica_role) {
            let role = args::word::<ReplicaRole>("replica_role", self.replica_role)?;
            checked.replica_role = Some(role.as_str());
        }
        Ok(checked)
    }
}
