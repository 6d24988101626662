//! `verdict.self_test` tries the catalogue of bypasses on the user's table, and rolls every attempt
//! back.

mod catalogue;
mod target;

use crate::args::table_argument;
use catalogue::{ATTEMPTS, As, Attempt};
use pg::authors;
use pg::catalog::{self, RelationKind};
use pg::identity;
use pg::json;
use pg::plain::catching_longjmp;
use pg::report::{Report, SqlState};
use pg::row_text;
use pg::rows;
use pg::savepoint::{self, Failure};
use pg::settings;
use pg::sql::{self, or_raise};
use pg::statement::Statement;
use pg::transaction;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::{AccessShareLock, Oid};
use pgrx::{AnyElement, name, pg_extern};
use std::ffi::CStr;
use target::{Target, Trace};

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// No unapproved row is in the table, or the row has the flag value.
    Blocked,
    /// The row is in the table, and an incident or verdict.coverage() says so.
    Detected,
    /// The row is in the table, and nothing says so.
    Open,
    /// The attempt could not be made; the result says why.
    NotRun,
}

impl Ending {
    fn as_str(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Detected => "detected",
            Self::Open => "open",
            Self::NotRun => "not run",
        }
    }
}

type Results = TableIterator<
    'static,
    (
        name!(attempt, String),
        name!(as_role, String),
        name!(result, String),
        name!(why, String),
    ),
>;

#[pg_extern(sql = false)]
pub fn self_test(relation: Option<Oid>, role: Option<Oid>, sample: Option<AnyElement>) -> Results {
    or_raise((|| {
        transaction::must_be_writable()?;
        let relation = table_argument(relation)?;
        let owner = relation.owner;
        for acting in role.into_iter().chain([owner]) {
            if !identity::may_act_as(acting) {
                return Err(Report::new(
                    SqlState::InsufficientPrivilege,
                    format!(
                        "argument \"role\": {} may not act as {}",
                        identity::role_name(identity::current_user()),
                        identity::role_name(acting)
                    ),
                )
                .hint("The attempts run triggers and other code as that role. Call this as a role that may SET ROLE to it."));
            }
        }
        authors::must_be_trusted(&relation, owner)?;
        if let Some(role) = role.filter(|role| *role != owner && identity::is_superuser_role(*role))
        {
            // Triggers and other code on the table would run as a superuser.
            authors::must_be_trusted(&relation, role)?;
        }
        let target = Target::of(relation, json::argument("sample", sample)?)?;
        let mut roles = vec![owner];
        roles.extend(role.filter(|role| *role != owner));
        let judged = savepoint::trial(|| or_raise(target.is_judged()));
        let mut rows = Vec::new();
        for attempt in ATTEMPTS {
            for role in &roles {
                if attempt.by == As::Owner && *role != owner {
                    continue;
                }
                let (ending, why) = match &judged {
                    Ok(true) => settings::with(&QUIET, || tried(attempt, &target, *role)),
                    Ok(false) => (Ending::NotRun, NOT_JUDGED.to_owned()),
                    Err(failure) => (
                        Ending::NotRun,
                        format!("the self-test could not make a row: {failure}"),
                    ),
                };
                rows.push((
                    attempt.name.to_owned(),
                    identity::role_name(*role),
                    ending.as_str().to_owned(),
                    why,
                ));
            }
        }
        rows.extend(BY_NATURE.iter().map(|(attempt, ending, why)| {
            (
                (*attempt).to_owned(),
                "-".to_owned(),
                ending.as_str().to_owned(),
                (*why).to_owned(),
            )
        }));
        Ok(TableIterator::new(rows))
    })())
}

/// Hides notices of the attempts' statements from the user.
const QUIET: [(&CStr, &CStr); 1] = [(c"client_min_messages", c"error")];

const NOT_JUDGED: &str =
    "the made-up row is not under the guard's condition: give a row that is in argument \"sample\"";

/// Bypasses that cannot be tried from inside a transaction.
const BY_NATURE: [(&str, Ending, &str); 4] = [
    (
        "COPY",
        Ending::NotRun,
        "a function cannot read from a client; COPY fires the same triggers as INSERT",
    ),
    (
        "superuser",
        Ending::Open,
        "a superuser can drop any trigger, and change pg_trigger by hand; verdict.coverage() sees it afterwards",
    ),
    (
        "logical replication",
        Ending::Detected,
        "a subscription is never stopped: an unapproved row that it brings is an incident with path 'apply'",
    ),
    (
        "files changed below the server",
        Ending::Open,
        "verdict.reconcile(hook, relation) sees the rows",
    ),
];

fn tried(attempt: &Attempt, target: &Target, role: Oid) -> (Ending, String) {
    let statements = match (attempt.statements)(target) {
        Ok(statements) => statements,
        Err(why) => return (Ending::NotRun, why.to_owned()),
    };
    if attempt.approved_first
        && let Err(failure) = savepoint::trial(|| or_raise(stored_approved(target)))
    {
        let why = format!("an approved row could not be stored: {failure}");
        return (Ending::NotRun, why);
    }
    let traces = (attempt.traces)(target);
    let outcome = savepoint::trial(|| {
        if attempt.approved_first {
            or_raise(stored_approved(target));
        }
        let before = or_raise(evidence());
        for statement in &statements {
            run(target, role, statement);
        }
        or_raise(judged(target, &traces, before))
    });
    match outcome {
        Ok(ending) => ending,
        Err(failure) => refused(attempt, failure),
    }
}

/// An attempt is blocked when its error is a guard's, the watch's, or about rights. For an attempt
/// of the owner, PostgreSQL's error about a column in use blocks, too. The SQLSTATE tells which
/// error it is: messages may be in any language. Our messages begin with the code.
fn refused(attempt: &Attempt, failure: Failure) -> (Ending, String) {
    let guards = failure.message.starts_with("VD0");
    let text = match failure.message.starts_with("VD00") {
        // The DETAIL would repeat the message.
        true => failure.message.clone(),
        false => failure.to_string(),
    };
    let ending = if guards
        || failure.is_about_rights()
        || attempt.by == As::Owner && failure.is_about_dependencies()
    {
        Ending::Blocked
    } else {
        Ending::NotRun
    };
    let text = match failure.is_lock_timeout() {
        true => format!("lock_timeout: {text}"),
        false => text,
    };
    (ending, text)
}

fn stored_approved(target: &Target) -> Result<(), Report> {
    target.approve(0)?;
    run(target, target.relation.owner, &target.insert(0));
    Ok(())
}

fn run(target: &Target, role: Oid, statement: &str) {
    let statement = Statement::new(statement, &[], &target.relation.name.schema);
    catching_longjmp(|plain| statement.run_as(role, plain));
}

/// How many incidents there are, and guards that do not stand as installed.
fn evidence() -> Result<i64, Report> {
    identity::as_extension_owner(|| {
        sql::required::<i64>(
            "SELECT (SELECT pg_catalog.count(*) FROM verdict.incidents) +
                 (SELECT pg_catalog.count(*) FROM verdict.coverage() AS c
                  WHERE c.state <> 'ok')",
            &[],
        )
    })
}

/// Looks for the row that must not be in the table. This does not use SQL: row security could hide
/// the row, and somebody's code could run.
fn judged(target: &Target, traces: &Trace, before: i64) -> Result<(Ending, String), Report> {
    let (mut marked, mut unmarked) = (0, 0);
    let name = &target.relation.name;
    // An attempt may have put another table in the place of this one.
    let members = catalog::find(&name.schema, &name.table)
        .map_or(Vec::new(), |oid| catalog::tree(oid, AccessShareLock));
    for member in members {
        if catalog::relation(member)?.kind != RelationKind::Table {
            continue;
        }
        let count = || {
            rows::for_each(member, |row| {
                let is = |column: &str, text: &str| {
                    let found = row_text::of(row.slot(), member, column);
                    found.is_some_and(|found| found.trim_end() == text)
                };
                if is(&traces.column, &traces.text) {
                    let flagged = target.flag.as_ref();
                    match flagged.is_some_and(|(column, value)| is(column, value)) {
                        true => marked += 1,
                        false => unmarked += 1,
                    }
                }
                Ok(())
            })
        };
        settings::with(&settings::EXACT, || sql::with_latest_snapshot(count))?;
    }
    if unmarked == 0 {
        let why = if marked > 0 {
            "stored with the flag"
        } else {
            "the row is not in the table"
        };
        return Ok((Ending::Blocked, why.to_owned()));
    }
    if evidence()? > before {
        let why = "stored; an incident or verdict.coverage() says so";
        return Ok((Ending::Detected, why.to_owned()));
    }
    Ok((Ending::Open, "stored, and nothing says so".to_owned()))
}
