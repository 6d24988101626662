//! `verdict.release` and `verdict.refuse`: a reviewer decides about a held row.
//!
//! A release does not bypass the guards. The reviewer's approval is recorded as a verdict, and the
//! row fires the table's triggers as any other row does.

use super::held::{self, HeldRow};
use super::restore::{self, Restore};
use crate::args;
use crate::store::hooks::{self, Hook};
use crate::store::sql::reviewed;
use crate::store::writer::{self, NewVerdict};
use pg::call::Call;
use pg::plain::PlainFrame;
use pg::report::{Report, SqlState};
use pg::span::Span;
use pg::{clock, identity, sql, transaction};
use pgrx::pg_sys::Datum;
use std::rc::Rc;
use verdict::{HeldState, Outcome, Via};

/// Which approval lets a held row be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approval {
    /// The reviewer's approval: it is recorded now.
    Reviewer,
    /// A verdict that was recorded after the row was held, by its id.
    Recorded(i64),
    /// No approval: the row is refused without a denial of its subject.
    None,
}

/// `verdict.release(id, reason, adapt)`: returns the id of the verdict that was recorded.
pub fn release(call: Call, plain: PlainFrame) -> Datum {
    let id = call.int8(0);
    let reason = call.bytes(1, plain);
    let adapt = call.boolean(2);
    let (id, reason, adapt) = plain.step(|| {
        transaction::must_be_writable()?;
        args::not_blank("reason", reason.as_ref().map(Span::text))?;
        Ok((
            args::required("id", id)?,
            args::required("reason", reason)?,
            args::required("adapt", adapt)?,
        ))
    });
    Datum::from(release_row(id, reason, adapt, Approval::Reviewer, plain).unwrap_or(0))
}

/// `verdict.refuse(id, reason, deny)`: returns the id of the verdict that was recorded.
pub fn refuse(call: Call, plain: PlainFrame) -> Datum {
    let id = call.int8(0);
    let reason = call.bytes(1, plain);
    let deny = call.boolean(2);
    let (id, reason, word) = plain.step(|| {
        transaction::must_be_writable()?;
        args::not_blank("reason", reason.as_ref().map(Span::text))?;
        let word = match args::required("deny", deny)? {
            true => Approval::Reviewer,
            false => Approval::None,
        };
        Ok((
            args::required("id", id)?,
            args::required("reason", reason)?,
            word,
        ))
    });
    match refuse_row(id, reason, word, plain) {
        Some(verdict_id) => Datum::from(verdict_id),
        None => call.null(),
    }
}

/// Stores a held row. Returns the verdict that was recorded for it.
pub fn release_row(
    id: i64,
    reason: Span,
    adapt: bool,
    approval: Approval,
    plain: PlainFrame,
) -> Option<i64> {
    let (row, entry) = plain.step(|| {
        let held = held::lock(id)?;
        let entry = match approval {
            Approval::Recorded(_) | Approval::None => None,
            Approval::Reviewer => Some(approval_of(&held, reason.text())?),
        };
        Ok((prepare(&held, adapt)?, entry))
    });
    let verdict_id = by_word_of(entry, approval, plain);
    let began = clock::now(plain);
    let rows = row.restore.statement.run_as(row.restore.owner, plain);
    plain.step(|| {
        if rows != 1 {
            return Err(not_stored(id, &row, rows, began)?);
        }
        held::decide(id, HeldState::Released, reason.text(), verdict_id)
    });
    verdict_id
}

/// Decides that a held row is never stored. Returns the denial that was recorded, if the row has a
/// subject and its hook still exists.
pub fn refuse_row(id: i64, reason: Span, approval: Approval, plain: PlainFrame) -> Option<i64> {
    let entry = plain.step(|| {
        let held = held::lock(id)?;
        // A denial needs a subject of a permitted length. A row without one needs no denial: no
        // verdict will ever let it pass.
        let subject = held
            .subject
            .as_deref()
            .filter(|subject| (1..=verdict::SUBJECT_CAP).contains(&subject.len()));
        match (approval, subject) {
            (Approval::Reviewer, Some(subject)) => hooks::by_id(held.hook_id)?
                .map(|hook| {
                    reviewed(
                        &hook,
                        subject,
                        None,
                        Outcome::Denied,
                        Via::Refuse,
                        reason.text(),
                    )
                })
                .transpose(),
            _ => Ok(None),
        }
    });
    let verdict_id = by_word_of(entry, approval, plain);
    plain.step(|| held::decide(id, HeldState::Refused, reason.text(), verdict_id));
    verdict_id
}

/// The verdict that decides: the recorded one, or the reviewer's, which is written now.
fn by_word_of(entry: Option<NewVerdict>, approval: Approval, plain: PlainFrame) -> Option<i64> {
    match (entry, approval) {
        (Some(entry), _) => Some(writer::write(&entry, plain).id),
        (None, Approval::Recorded(id)) => Some(id),
        (None, Approval::Reviewer | Approval::None) => None,
    }
}

#[derive(Clone, Copy)]
struct PreparedRow {
    restore: Restore,
    hook_id: i32,
    is_update: bool,
}

fn prepare(held: &HeldRow, adapt: bool) -> Result<PreparedRow, Report> {
    Ok(PreparedRow {
        restore: restore::prepare(held, adapt)?,
        hook_id: held.hook_id,
        is_update: held.is_update,
    })
}

fn hook_of(held: &HeldRow) -> Result<Rc<Hook>, Report> {
    hooks::by_id(held.hook_id)?.ok_or_else(|| {
        Report::new(
            SqlState::UndefinedObject,
            format!("row {} stays held: its hook was dropped", held.id),
        )
        .hint("Refuse it: verdict.refuse(id, reason). Nobody is left who could approve it.")
    })
}

fn approval_of(held: &HeldRow, reason: &str) -> Result<NewVerdict, Report> {
    let Some(subject) = &held.subject else {
        return Err(Report::new(
            SqlState::NotInPrerequisiteState,
            format!("row {} has no subject that could be approved", held.id),
        )
        .hint("Refuse it: verdict.refuse(id, reason)."));
    };
    let digest = held.digest.as_deref();
    reviewed(
        &*hook_of(held)?,
        subject,
        digest,
        Outcome::Approved,
        Via::Release,
        reason,
    )
}

fn not_stored(id: i64, row: &PreparedRow, rows: u64, began: i64) -> Result<Report, Report> {
    let report = Report::new(
        SqlState::NotInPrerequisiteState,
        format!("row {id} stays held: it was not stored"),
    );
    if rows > 1 {
        return Ok(report
            .detail(format!(
                "It is an update, and {rows} rows equal the row that it would change."
            ))
            .hint("A primary key would tell them apart. Refuse it: verdict.refuse(id, reason)."));
    }
    // What the table's guards have just done with the row.
    let left_out = identity::as_extension_owner(|| {
        sql::rows(
            "SELECT pg_catalog.string_agg(DISTINCT pg_catalog.format(
                 'guard \"%s\" (hook \"%s\"): %s, %s', i.guard, h.name, i.finding, i.done), '; '),
                 pg_catalog.bool_or(h.id = $2)
             FROM verdict.incidents AS i
             JOIN verdict.guards AS g ON g.id = i.guard_id
             JOIN verdict.hooks AS h ON h.id = g.hook_id
             WHERE i.pid = pg_catalog.pg_backend_pid()
                 AND i.at >= $1
                 AND i.done = ANY (ARRAY['held', 'discarded']::pg_catalog.text[])",
            &[clock::timestamp(began).into(), row.hook_id.into()],
            |found| Ok((found.get::<String>(1)?, found.get::<bool>(2)?)),
        )
    })?;
    let (by, by_its_own) = left_out.into_iter().next().unwrap_or_default();
    Ok(match (by, row.is_update) {
        (Some(by), _) => report
            .detail(format!("Left out again by {by}."))
            .hint(match by_its_own {
                Some(true) => "No approval can let the held row pass: its content has no digest (JSON with a key twice), is final (edits => 'refuse'), or is changed by a trigger of the table. Refuse it: verdict.refuse(id, reason).",
                _ => "It needs a verdict of that hook too: verdict.approve(hook, subject, content).",
            }),
        (None, true) => report
            .detail("It is an update. The row that it would change is gone or has changed, or a trigger of the table has left the update out.")
            .hint("Refuse it: verdict.refuse(id, reason)."),
        (None, false) => report
            .detail("A trigger of the table has left it out.")
            .hint("See which BEFORE triggers the table has."),
    })
}
