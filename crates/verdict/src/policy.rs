//! What a guard does on a finding, and how it goes about it.

use crate::finding::Finding;
use crate::words::words;

words! {
    /// What a guard does with a row. Ordered by strength: of several guards' actions the strongest
    /// wins.
    #[derive(PartialOrd, Ord)]
    pub enum Action as "action" {
        /// The row is kept as it is.
        Allow = "allow",
        /// The row is kept with a mark: the guard's flag column gets the flag value.
        Flag = "flag",
        /// The row is left out of its statement, and only its incident remains.
        Discard = "discard",
        /// The row is left out of its statement and held for a reviewer.
        Quarantine = "quarantine",
        /// The statement fails, and with it the transaction.
        Reject = "reject",
    }
}

words! {
    /// How a guard holds the verdict it relies on until the transaction ends.
    pub enum Locking as "locking" {
        /// A share lock: a revoke waits for the row's transaction, as with a foreign key.
        Share = "share",
        /// The approval is spent once; a rollback gives it back.
        Consume = "consume",
        /// No lock: the newest visible verdict counts.
        None = "none",
    }
}

words! {
    /// Whether a guard acts on what it finds.
    pub enum Mode as "mode" {
        /// Decide and act.
        Enforce = "enforce",
        /// Decide and log, change nothing.
        Observe = "observe",
    }
}

words! {
    /// What happens to an update that changes what a verdict was about.
    pub enum Edits as "edits" {
        /// The row needs a verdict for what it now is.
        Enforce = "enforce",
        /// Stored content is final.
        Refuse = "refuse",
        /// Not judged: a hole, on purpose.
        Allow = "allow",
    }
}

words! {
    /// What happens to an update of a row that was never judged.
    pub enum Legacy as "legacy" {
        /// It needs a verdict like any other.
        Enforce = "enforce",
        /// It passes: the row is older than the guard, or its verdict is retired.
        Allow = "allow",
    }
}

words! {
    /// What a client session in replica role is taken for.
    pub enum ReplicaRole as "replica_role" {
        /// A client: judged and refused like any other.
        Client = "client",
        /// A replication worker: nothing is refused or changed, everything found is written down.
        Apply = "apply",
    }
}

impl Action {
    /// Whether the row itself is changed or left out: what only a BEFORE trigger can do.
    pub const fn is_soft(self) -> bool {
        matches!(self, Self::Flag | Self::Discard | Self::Quarantine)
    }
}

/// The action for each finding. `reject` for every one that was not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actions([Action; Finding::ALL.len()]);

impl Actions {
    /// The same action for every finding.
    pub const fn all(action: Action) -> Self {
        Self([action; Finding::ALL.len()])
    }

    /// What to do on this finding.
    pub const fn get(&self, finding: Finding) -> Action {
        self.0[finding as usize]
    }

    /// Sets what to do on this finding.
    pub const fn set(&mut self, finding: Finding, action: Action) {
        self.0[finding as usize] = action;
    }
}

impl Default for Actions {
    fn default() -> Self {
        Self::all(Action::Reject)
    }
}

/// What hook and guard say beside the columns that a guard watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The hook's word on failures: a `failed` verdict lets the row pass (and stays on record as
    /// failed).
    pub failed_continue: bool,
    /// What to do on each finding.
    pub actions: Actions,
    /// Whether the guard acts at all.
    pub mode: Mode,
    /// What happens to updates.
    pub edits: Edits,
    /// What happens to updates of rows that were never judged.
    pub legacy: Legacy,
    /// What a session in replica role is taken for.
    pub replica_role: ReplicaRole,
}

/// The defaults of a hook and a guard: failures block, every finding rejects, updates are judged.
impl Default for Policy {
    fn default() -> Self {
        Self {
            failed_continue: false,
            actions: Actions::default(),
            mode: Mode::Enforce,
            edits: Edits::Enforce,
            legacy: Legacy::Enforce,
            replica_role: ReplicaRole::Client,
        }
    }
}
