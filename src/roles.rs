//! `verdict.grant_role` and `verdict.revoke_role`: who may record, read, review and administer.

use crate::args;
use pg::catalog::{self, quote};
use pg::identity;
use pg::log::ereport;
use pg::report::{Report, SqlState};
use pg::sql::{self, or_raise};
use pg::transaction;
use pgrx::{PgLogLevel, pg_extern, pg_sys::Oid};

/// What a role is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RoleKind {
    /// Records verdicts, and nothing else.
    Recorder,
    /// Reads everything, explains, and compares stored rows with approvals.
    Auditor,
    /// Reads held rows and incidents, and decides about held rows.
    Reviewer,
    /// Names hooks, and puts guards on tables that it owns.
    Admin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Grant,
    Revoke,
}

const RECORDING: [&str; 7] = [
    "record",
    "record_no_answer",
    "approve",
    "deny",
    "revoke",
    "parse",
    "status",
];
const LOOKING: [&str; 9] = [
    "explain",
    "explain_row",
    "explain_value",
    "readiness",
    "reconcile",
    "coverage",
    "coverage_guards",
    "parse",
    "status",
];
const REVIEWING: [&str; 7] = [
    "release",
    "release_all",
    "refuse",
    "refuse_all",
    "settle",
    "parse",
    "status",
];
const RULING: [&str; 19] = [
    "guard",
    "create_hook",
    "alter_hook",
    "drop_hook",
    "alter_guard",
    "unguard",
    "grant_role",
    "revoke_role",
    "retire",
    "break_glass",
    "restore_glass",
    "flag_leaks",
    "repair",
    "forget",
    "rename",
    "rehome",
    "self_test",
    "parse",
    "status",
];
const TABLES: [&str; 9] = [
    "hooks",
    "guards",
    "leaves",
    "verdicts",
    "incidents",
    "quarantine",
    "glass",
    "observed",
    "baselines",
];
const REVIEWED: [&str; 2] = ["incidents", "quarantine"];

impl RoleKind {
    const ALL: [Self; 4] = [Self::Recorder, Self::Reviewer, Self::Auditor, Self::Admin];

    fn parse(word: Option<&str>) -> Result<Self, Report> {
        let word = args::required("kind", word)?;
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == word);
        found.ok_or_else(|| {
            Report::new(
                SqlState::InvalidParameter,
                format!("argument \"kind\": unknown kind \"{word}\""),
            )
            .hint(format!(
                "Available values: {}.",
                Self::ALL.map(Self::as_str).join(", ")
            ))
        })
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Recorder => "recorder",
            Self::Reviewer => "reviewer",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }

    /// The first function marks the kind: a role that may execute it is of this kind.
    fn functions(self) -> &'static [&'static str] {
        match self {
            Self::Recorder => &RECORDING,
            Self::Reviewer => &REVIEWING,
            Self::Auditor => &LOOKING,
            Self::Admin => &RULING,
        }
    }

    fn tables(self) -> &'static [&'static str] {
        match self {
            Self::Recorder => &[],
            Self::Reviewer => &REVIEWED,
            Self::Auditor | Self::Admin => &TABLES,
        }
    }
}

#[pg_extern(sql = false)]
pub fn grant_role(kind: Option<&str>, role: Option<Oid>) {
    or_raise(apply(kind, role, Change::Grant));
}

#[pg_extern(sql = false)]
pub fn revoke_role(kind: Option<&str>, role: Option<Oid>) {
    or_raise(apply(kind, role, Change::Revoke));
}

fn apply(kind: Option<&str>, role: Option<Oid>, change: Change) -> Result<(), Report> {
    transaction::must_be_writable()?;
    let kind = RoleKind::parse(kind)?;
    let role_oid = args::required("role", role)?;
    let role = quote(&identity::role_name(role_oid));
    if kind == RoleKind::Admin && !identity::is_superuser() {
        return Err(Report::new(
            SqlState::InsufficientPrivilege,
            "only a superuser can make or remove a verdict admin",
        ));
    }
    identity::as_extension_owner(|| {
        let mut kinds = Vec::new();
        for held in RoleKind::ALL {
            if is_of(held, role_oid)? {
                kinds.push(held);
            }
        }
        match change {
            Change::Grant => {
                sql::run(&format!("GRANT USAGE ON SCHEMA verdict TO {role}"), &[])?;
                kinds.push(kind);
                // An admin must be able to read everything.
                kinds.extend((kind == RoleKind::Admin).then_some(RoleKind::Auditor));
            }
            Change::Revoke => {
                // USAGE stays: it gives no right by itself.
                change_rights(kind, "REVOKE", "FROM", &role)?;
                kinds.retain(|held| *held != kind);
                if !kinds.is_empty() {
                    let still: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
                    ereport(
                        PgLogLevel::NOTICE,
                        &format!("role {role} is still: {}", still.join(", ")),
                    );
                }
            }
        }
        // Kinds share functions: the role keeps what it has by another kind.
        kinds
            .into_iter()
            .try_for_each(|kind| change_rights(kind, "GRANT", "TO", &role))
    })
}

/// Whether the current role may weaken a guard. Superusers and verdict admins may.
///
/// # Errors
///
/// SPI's own.
pub fn may_weaken() -> Result<bool, Report> {
    if identity::is_superuser() {
        return Ok(true);
    }
    let found = sql::one::<bool>(
        "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_proc AS p
             WHERE p.pronamespace = 'verdict'::pg_catalog.regnamespace
                 AND p.proname = $1::pg_catalog.name
                 AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE'))",
        &[RoleKind::Admin.functions()[0].into()],
    )?;
    Ok(found == Some(true))
}

fn change_rights(kind: RoleKind, verb: &str, preposition: &str, role: &str) -> Result<(), Report> {
    for name in kind.functions() {
        for signature in signatures(name)? {
            sql::run(
                &format!("{verb} EXECUTE ON FUNCTION {signature} {preposition} {role}"),
                &[],
            )?;
        }
    }
    for table in kind.tables() {
        if !catalog::has_own(table) {
            // The installed SQL is older than the library.
            continue;
        }
        sql::run(
            &format!("{verb} SELECT ON TABLE verdict.{table} {preposition} {role}"),
            &[],
        )?;
    }
    Ok(())
}

/// Whether this kind was granted to the role itself, and not only to a role that it is a member of.
fn is_of(kind: RoleKind, role: Oid) -> Result<bool, Report> {
    let found = sql::one::<bool>(
        "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_proc AS p, pg_catalog.aclexplode(p.proacl) AS a
             WHERE p.pronamespace = 'verdict'::pg_catalog.regnamespace
                 AND p.proname = $1::pg_catalog.name
                 AND a.grantee = $2)",
        &[kind.functions()[0].into(), role.into()],
    )?;
    Ok(found == Some(true))
}

/// All overloads of one of our functions, qualified and quoted by PostgreSQL.
fn signatures(name: &str) -> Result<Vec<String>, Report> {
    let found = sql::one::<Vec<String>>(
        "SELECT pg_catalog.array_agg(p.oid::pg_catalog.regprocedure::pg_catalog.text)
         FROM pg_catalog.pg_proc AS p
         WHERE p.pronamespace = 'verdict'::pg_catalog.regnamespace
             AND p.proname = $1::pg_catalog.name",
        &[name.into()],
    )?;
    Ok(found.unwrap_or_default())
}
