//! The arguments of `verdict.guard` and `verdict.alter_guard`, which are the same.

use crate::args;
use crate::guard::registry::Guard;
use pg::report::Report;
use pgrx::AnyElement;
use pgrx::pg_sys::Oid;
use std::str::FromStr;
use verdict::{Actions, Finding, Locking, Policy, UnknownWord};

/// As they were given.
pub struct Arguments<'a> {
    pub relation: Option<Oid>,
    pub hook: Option<&'a str>,
    pub key: Option<&'a str>,
    pub content: Option<AnyElement>,
    pub condition: Option<&'a str>,
    /// `on_missing` and so on.
    pub action_of: [(Finding, Option<&'a str>); Finding::ALL.len()],
    pub flag_column: Option<&'a str>,
    pub flag_value: Option<&'a str>,
    pub locking: Option<&'a str>,
    pub mode: Option<&'a str>,
    pub edits: Option<&'a str>,
    pub legacy: Option<&'a str>,
    pub replica_role: Option<&'a str>,
    pub name: Option<&'a str>,
    pub redact: Option<Vec<Option<String>>>,
}

/// Defines a function that takes them.
macro_rules! takes_arguments {
    (fn $name:ident($arguments:ident) $(-> $result:ident)? $body:block) => {
        #[pgrx::pg_extern(sql = false)]
        #[allow(clippy::too_many_arguments)] // the SQL function's own
        pub fn $name(
            relation: Option<pgrx::pg_sys::Oid>,
            hook: Option<&str>,
            key: Option<&str>,
            content: Option<pgrx::AnyElement>,
            condition: Option<&str>,
            on_missing: Option<&str>,
            on_denied: Option<&str>,
            on_failed: Option<&str>,
            on_expired: Option<&str>,
            on_altered: Option<&str>,
            on_reused: Option<&str>,
            on_revoked: Option<&str>,
            flag_column: Option<&str>,
            flag_value: Option<&str>,
            locking: Option<&str>,
            mode: Option<&str>,
            edits: Option<&str>,
            legacy: Option<&str>,
            replica_role: Option<&str>,
            name: Option<&str>,
            redact: Option<Vec<Option<String>>>,
        ) $(-> $result)? {
            let $arguments = $crate::manage::arguments::Arguments {
                relation,
                hook,
                key,
                content,
                condition,
                action_of: [
                    (verdict::Finding::Missing, on_missing),
                    (verdict::Finding::Denied, on_denied),
                    (verdict::Finding::Failed, on_failed),
                    (verdict::Finding::Expired, on_expired),
                    (verdict::Finding::Altered, on_altered),
                    (verdict::Finding::Reused, on_reused),
                    (verdict::Finding::Revoked, on_revoked),
                ],
                flag_column,
                flag_value,
                locking,
                mode,
                edits,
                legacy,
                replica_role,
                name,
                redact,
            };
            $body
        }
    };
}

pub(super) use takes_arguments;

impl Arguments<'_> {
    /// What the guard does on a finding, and how it locks: what was given, else what `old` says.
    ///
    /// # Errors
    ///
    /// 22023 for an unknown word; 22004 for a NULL when there is no `old` guard.
    pub fn policy(&self, old: Option<&Guard>) -> Result<(Policy, Locking), Report> {
        let mut actions = Actions::default();
        for (finding, given) in self.action_of {
            let old = old.map(|guard| guard.policy.actions.get(finding));
            actions.set(finding, word(&format!("on_{finding}"), given, old)?);
        }
        let locking = word("locking", self.locking, old.map(|guard| guard.locking))?;
        let old = old.map(|guard| guard.policy);
        let policy = Policy {
            failed_continue: false,
            actions,
            mode: word("mode", self.mode, old.map(|old| old.mode))?,
            edits: word("edits", self.edits, old.map(|old| old.edits))?,
            legacy: word("legacy", self.legacy, old.map(|old| old.legacy))?,
            replica_role: word(
                "replica_role",
                self.replica_role,
                old.map(|old| old.replica_role),
            )?,
        };
        Ok((policy, locking))
    }
}

fn word<T: FromStr<Err = UnknownWord>>(
    argument: &str,
    given: Option<&str>,
    old: Option<T>,
) -> Result<T, Report> {
    match (given, old) {
        (None, Some(old)) => Ok(old),
        (given, _) => args::word(argument, given),
    }
}
