//! Rows that an update may be about to send to another partition, as BEFORE triggers see them.
//!
//! What a BEFORE UPDATE trigger has let by may be inserted into another partition next. It must not be left out there: the old
//! row is gone by then. The executor takes one row after the other, so that of each statement only the latest can be on its way.

use super::shape::Shape;
use crate::pg::columns::RowSlot;
use crate::pg::entry::Plain;
use crate::pg::moving::{self, Statement, Version};
use std::cell::RefCell;
use std::collections::HashMap;

thread_local! {
    /// Guard → for each statement, oldest first, the row version that it was about to replace last.
    static LATEST: RefCell<HashMap<i32, Vec<(Statement, Version)>>> = RefCell::new(HashMap::new());
}

/// Notes the row that an update is about to replace.
pub fn note(shape: &Shape, old: RowSlot, plain: Plain) {
    let version = Version::of(shape.leaf, old);
    let at_work = moving::statement_at_work(plain);
    plain.step(|| {
        LATEST.with_borrow_mut(|latest| {
            let statements = latest.entry(shape.guard_id).or_default();
            // Statements that triggers have made meanwhile are younger, and over.
            while statements
                .pop_if(|(statement, _)| *statement >= at_work)
                .is_some()
            {}
            statements.push((at_work, version));
        });
        Ok(())
    });
}

/// Whether the row that is about to be inserted is the one that its statement has just taken out of another partition, changed
/// on the way or not: the AFTER trigger judges what arrives. PostgreSQL's own mark on the old row says so.
pub fn continues(shape: &Shape, plain: Plain) -> bool {
    let at_work = moving::statement_at_work(plain);
    let version = LATEST.with_borrow(|latest| {
        let statements = latest.get(&shape.guard_id)?;
        let place = place_of(statements, at_work)?;
        Some(statements[place].1)
    });
    let moves = version.is_some_and(|version| version.is_sent_by(at_work, plain));
    if moves {
        plain.step(|| {
            take(shape.guard_id, at_work, |_| true);
            Ok(())
        });
    }
    moves
}

/// The update was left out: no guard needs to know of its row any more.
pub fn left_out(shape: &Shape, old: RowSlot, plain: Plain) {
    let version = Version::of(shape.leaf, old);
    let at_work = moving::statement_at_work(plain);
    plain.step(|| {
        let guards: Vec<i32> = LATEST.with_borrow(|latest| latest.keys().copied().collect());
        for guard_id in guards {
            take(guard_id, at_work, |noted| noted.is(version));
        }
        Ok(())
    });
}

fn place_of(statements: &[(Statement, Version)], at_work: Statement) -> Option<usize> {
    let found = statements.binary_search_by_key(&at_work, |(statement, _)| *statement);
    found.ok()
}

fn take(guard_id: i32, at_work: Statement, is_meant: impl Fn(Version) -> bool) {
    LATEST.with_borrow_mut(|latest| {
        if let Some(statements) = latest.get_mut(&guard_id)
            && let Some(place) = place_of(statements, at_work)
            && is_meant(statements[place].1)
        {
            statements.remove(place);
        }
    });
}

/// At the end of a transaction.
pub fn forget() {
    LATEST.with(|latest| {
        if let Ok(mut latest) = latest.try_borrow_mut() {
            latest.clear();
        }
    });
}
