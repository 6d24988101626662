//! Partitions that are new in this transaction. They show which tables an ATTACH has just brought.
//!
//! The text of the statement does not show them. Code of the table's owner runs during the
//! statement, and so a name in the text may mean another table when the statement has ended. The
//! new rows of pg_inherits show them.

use pg::report::{Report, SqlState};
use pg::transaction::Hooks;
use pg::{catalog, identity, rows, sql, transaction};
use pgrx::pg_sys::{NoLock, Oid};
use std::cell::RefCell;
use std::collections::HashSet;

/// A row of pg_inherits: its ctid, and the (sub)transaction that wrote it. A partition that is
/// detached and attached again has another row.
type InheritsRow = (String, u32);

thread_local! {
    /// New partitions that were already looked at.
    static LOOKED_AT: RefCell<HashSet<InheritsRow>> = RefCell::new(HashSet::new());
}

pub const HOOKS: Hooks = Hooks {
    at_end: forget,
    ..Hooks::NONE
};

/// Runs at the end of a transaction.
fn forget() {
    LOOKED_AT.with(|places| {
        if let Ok(mut places) = places.try_borrow_mut() {
            places.clear();
        }
    });
}

/// Partitions that this transaction has given to `parent`, without those that were already looked
/// at.
///
/// # Errors
///
/// SPI's own.
pub fn given_to(parent: Oid) -> Result<Vec<Oid>, Report> {
    let new = new_rows("inhparent", parent)?;
    LOOKED_AT.with_borrow(|known| {
        let unknown = new.into_iter().filter(|(_, place)| !known.contains(place));
        Ok(unknown.map(|(child, _)| child).collect())
    })
}

/// Notes that this partition has been looked at.
///
/// # Errors
///
/// SPI's own.
pub fn looked_at(partition: Oid) -> Result<(), Report> {
    let new = new_rows("inhrelid", partition)?;
    LOOKED_AT.with_borrow_mut(|known| known.extend(new.into_iter().map(|(_, place)| place)));
    Ok(())
}

/// Refuses a new partition that a running statement has opened. This statement opened the table
/// before it was a partition, and would write into it without firing the guard's triggers.
///
/// # Errors
///
/// 55006.
pub fn must_not_be_in_use(attached: Oid) -> Result<(), Report> {
    for member in catalog::tree(attached, NoLock) {
        if !catalog::is_in_use(member) {
            continue;
        }
        let name = catalog::relation(member)?.name;
        return Err(Report::new(
            SqlState::ObjectInUse,
            format!("cannot attach table {name}: it is used by a statement that has not ended"),
        )
        .detail("That statement would write rows that no guard judges.")
        .hint("Attach it in a separate statement."));
    }
    Ok(())
}

/// Refuses a new partition with rows. Code that runs while a partition is made (in its bound, in an
/// index of the table above) may write into it before the guard's triggers are there. Nobody has an
/// honest reason to do so, and so this is refused to everybody.
///
/// # Errors
///
/// VD010.
pub fn must_be_born_empty(partition: Oid) -> Result<(), Report> {
    let is_new = LOOKED_AT.with_borrow(|known| {
        let new = new_rows("inhrelid", partition)?;
        Ok::<_, Report>(new.into_iter().any(|(_, place)| !known.contains(&place)))
    })?;
    if !is_new || !rows::is_any(partition)? {
        return Ok(());
    }
    let name = catalog::relation(partition)?.name;
    Err(Report::new(
        SqlState::Weakened,
        format!("VD010: partition {name} has rows that no guard has judged"),
    )
    .detail("They were written before the guard's triggers were there.")
    .hint("Look at the functions that the partition's bound and the indexes of the partitioned table use."))
}

fn unreadable_xmin(xmin: &str) -> Report {
    Report::new(
        SqlState::NotInPrerequisiteState,
        format!("xmin \"{xmin}\" of a row of pg_inherits cannot be read"),
    )
}

fn new_rows(column: &str, relation: Oid) -> Result<Vec<(Oid, InheritsRow)>, Report> {
    let statement = format!(
        "SELECT i.inhrelid, i.ctid::pg_catalog.text, i.xmin::pg_catalog.text
         FROM pg_catalog.pg_inherits AS i WHERE i.{column} = $1"
    );
    let rows = identity::as_extension_owner(|| {
        sql::with_latest_snapshot(|| {
            sql::rows(&statement, &[relation.into()], |row| {
                let xmin = row.required::<String>(3)?;
                let place = (
                    row.required::<String>(2)?,
                    xmin.parse().map_err(|_| unreadable_xmin(&xmin))?,
                );
                Ok((row.required::<Oid>(1)?, place))
            })
        })
    })?;
    let ours = |(_, (_, xid)): &(Oid, InheritsRow)| transaction::is_current(*xid);
    Ok(rows.into_iter().filter(ours).collect())
}
