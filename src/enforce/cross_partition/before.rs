//! Rows that an UPDATE may be about to move to another partition, as BEFORE triggers see them.
//!
//! When a BEFORE UPDATE trigger lets a row pass, PostgreSQL may insert the row into another
//! partition next. The BEFORE INSERT trigger there must not discard or hold it: the old row is
//! deleted by then. The executor takes one row after the other, so at most the latest row of each
//! statement is between its two partitions.

use crate::guard::info::GuardInfo;
use pg::columns::{self, RowSlot};
use pg::plain::PlainFrame;
use pg::row_version::{self, RowVersion};
use pg::transaction::Hooks;
use pg::trigger::Fired;
use pg::tuple::CommandId;
use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

/// A row that is about to be replaced.
#[derive(Clone, Copy)]
struct Latest {
    version: RowVersion,
    /// Hash of subject and content, kept only when the new row is outside the guard's condition.
    /// The BEFORE INSERT trigger bears the condition, and so it fires for *another* row, unless a
    /// later trigger brings this row back under the condition.
    outside: Option<u64>,
}

thread_local! {
    /// Guard → for each statement, oldest first, the latest row that it was about to replace.
    static LATEST: RefCell<HashMap<i32, Vec<(CommandId, Latest)>>> = RefCell::new(HashMap::new());
    static KEYS: RandomState = RandomState::new();
}

pub const HOOKS: Hooks = Hooks {
    at_end: forget,
    ..Hooks::NONE
};

/// Notes the row that an update is about to replace, and the new row.
pub fn note(info: &GuardInfo, fired: Fired, plain: PlainFrame) {
    let new = fired.new_row();
    let is_under = fired.under_condition_of(info.insert_trigger(), new, plain);
    let latest_row = Latest {
        version: RowVersion::of(info.table, fired.row()),
        outside: match is_under {
            true => None,
            false => Some(fingerprint(info, new, plain)),
        },
    };
    let at_work = row_version::statement_at_work(plain);
    plain.step(|| {
        LATEST.with_borrow_mut(|latest| {
            let statements = latest.entry(info.guard_id).or_default();
            // Younger statements were started by triggers, and have ended.
            while statements
                .pop_if(|(statement, _)| *statement >= at_work)
                .is_some()
            {}
            statements.push((at_work, latest_row));
        });
        Ok(())
    });
}

/// Whether this statement has just taken the row out of another partition, and is about to insert
/// it here. PostgreSQL's mark on the old row tells. Triggers may have changed the row on its way:
/// the AFTER trigger judges what arrives.
pub fn continues(info: &GuardInfo, new: RowSlot, plain: PlainFrame) -> bool {
    let at_work = row_version::statement_at_work(plain);
    let noted = LATEST.with_borrow(|latest| {
        let statements = latest.get(&info.guard_id)?;
        let place = place_of(statements, at_work)?;
        Some(statements[place].1)
    });
    let moves = noted.is_some_and(|noted| {
        noted.version.is_sent_by(at_work, plain)
            && noted
                .outside
                .is_none_or(|outside| outside == fingerprint(info, new, plain))
    });
    if moves {
        plain.step(|| {
            take(info.guard_id, at_work, |_| true);
            Ok(())
        });
    }
    moves
}

/// The update was discarded or held: every guard forgets its note on the row.
pub fn left_out(info: &GuardInfo, old: RowSlot, plain: PlainFrame) {
    let version = RowVersion::of(info.table, old);
    let at_work = row_version::statement_at_work(plain);
    plain.step(|| {
        let guards: Vec<i32> = LATEST.with_borrow(|latest| latest.keys().copied().collect());
        for guard_id in guards {
            take(guard_id, at_work, |noted| noted.version.is(version));
        }
        Ok(())
    });
}

fn place_of(statements: &[(CommandId, Latest)], at_work: CommandId) -> Option<usize> {
    let found = statements.binary_search_by_key(&at_work, |(statement, _)| *statement);
    found.ok()
}

fn take(guard_id: i32, at_work: CommandId, is_meant: impl Fn(Latest) -> bool) {
    LATEST.with_borrow_mut(|latest| {
        if let Some(statements) = latest.get_mut(&guard_id)
            && let Some(place) = place_of(statements, at_work)
            && is_meant(statements[place].1)
        {
            statements.remove(place);
        }
    });
}

fn fingerprint(info: &GuardInfo, row: RowSlot, plain: PlainFrame) -> u64 {
    let mut hasher = KEYS.with(BuildHasher::build_hasher);
    for attnum in info.bound() {
        match columns::fingerprint(row, *attnum, plain) {
            None => hasher.write_u8(0),
            Some(span) => {
                hasher.write_u8(1);
                hasher.write_usize(span.bytes().len());
                hasher.write(span.bytes());
            }
        }
    }
    hasher.finish()
}

/// Runs at the end of a transaction.
fn forget() {
    LATEST.with(|latest| {
        if let Ok(mut latest) = latest.try_borrow_mut() {
            latest.clear();
        }
    });
}
