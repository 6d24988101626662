//! `verdict.grant_role` and `verdict.revoke_role`: who may record, look, and rule.

use crate::args;
use crate::pg::catalog::quote;
use crate::pg::identity;
use crate::pg::sql::{self, or_raise};
use crate::report::{Report, SqlState};
use pgrx::{pg_extern, pg_sys::Oid};

/// What a role is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Records verdicts, and nothing else.
    Recorder,
    /// Reads hooks, guards and verdicts; explains.
    Auditor,
    /// Names hooks and puts guards on tables that it owns.
    Admin,
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
const LOOKING: [&str; 5] = ["explain", "explain_guard", "relation_of", "parse", "status"];
const RULING: [&str; 9] = [
    "create_hook",
    "alter_hook",
    "drop_hook",
    "guard",
    "alter_guard",
    "unguard",
    "grant_role",
    "revoke_role",
    "retire",
];
const TABLES: [&str; 4] = ["hooks", "guards", "leaves", "verdicts"];

impl Kind {
    fn parse(word: Option<&str>) -> Result<Self, Report> {
        match args::required("kind", word)? {
            "recorder" => Ok(Self::Recorder),
            "auditor" => Ok(Self::Auditor),
            "admin" => Ok(Self::Admin),
            unknown => Err(Report::new(
                SqlState::InvalidParameter,
                format!("argument kind: unknown kind \"{unknown}\""),
            )
            .hint("There is: recorder, auditor, admin.")),
        }
    }

    fn functions(self) -> Vec<&'static str> {
        match self {
            Self::Recorder => RECORDING.to_vec(),
            Self::Auditor => LOOKING.to_vec(),
            Self::Admin => [&RECORDING[..], &LOOKING, &RULING].concat(),
        }
    }

    fn tables(self) -> &'static [&'static str] {
        match self {
            Self::Recorder => &[],
            Self::Auditor | Self::Admin => &TABLES,
        }
    }
}

#[pg_extern(sql = false)]
fn grant_role(kind: Option<&str>, role: Option<Oid>) {
    or_raise(change(kind, role, "GRANT", "TO"));
}

#[pg_extern(sql = false)]
fn revoke_role(kind: Option<&str>, role: Option<Oid>) {
    or_raise(change(kind, role, "REVOKE", "FROM"));
}

fn change(
    kind: Option<&str>,
    role: Option<Oid>,
    verb: &str,
    preposition: &str,
) -> Result<(), Report> {
    let kind = Kind::parse(kind)?;
    let role = quote(&identity::role_name(args::required("role", role)?));
    if kind == Kind::Admin && !identity::is_superuser() {
        return Err(Report::new(
            SqlState::InsufficientPrivilege,
            "only a superuser makes or unmakes a verdict admin",
        ));
    }
    identity::as_extension_owner(|| {
        // A role keeps USAGE when one kind is revoked: it may be of another kind too, and USAGE alone opens nothing.
        if verb == "GRANT" {
            sql::run(&format!("GRANT USAGE ON SCHEMA verdict TO {role}"), &[])?;
        }
        for name in kind.functions() {
            for signature in signatures(name)? {
                sql::run(
                    &format!("{verb} EXECUTE ON FUNCTION {signature} {preposition} {role}"),
                    &[],
                )?;
            }
        }
        for table in kind.tables() {
            sql::run(
                &format!("{verb} SELECT ON TABLE verdict.{table} {preposition} {role}"),
                &[],
            )?;
        }
        Ok(())
    })
}

/// All overloads of one of our functions, qualified and quoted by PostgreSQL.
fn signatures(name: &str) -> Result<Vec<String>, Report> {
    let found = sql::one::<Vec<String>>(
        "SELECT pg_catalog.array_agg(p.oid::pg_catalog.regprocedure::pg_catalog.text)
         FROM pg_catalog.pg_proc AS p
         WHERE p.pronamespace = 'verdict'::pg_catalog.regnamespace AND p.proname = $1::pg_catalog.name",
        &[name.into()],
    )?;
    Ok(found.unwrap_or_default())
}
