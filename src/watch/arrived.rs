//! Partitions that have come in this transaction: which of them an ATTACH has just brought.
//!
//! The statement's own text does not tell: a name may mean another table by the time the statement has ended, since code of
//! the table's owner runs while it is at work. What is new in pg_inherits does.

use crate::pg::transaction;
use crate::pg::{identity, sql};
use crate::report::Report;
use pgrx::pg_sys::Oid;
use std::cell::RefCell;
use std::collections::HashSet;

/// A row of pg_inherits: where it is, and the (sub)transaction that wrote it. A partition that goes and comes again has
/// another one.
type Place = (String, u32);

thread_local! {
    /// Those that were looked at when they came.
    static LOOKED_AT: RefCell<HashSet<Place>> = RefCell::new(HashSet::new());
}

/// At the end of a transaction.
pub fn forget() {
    LOOKED_AT.with(|places| {
        if let Ok(mut places) = places.try_borrow_mut() {
            places.clear();
        }
    });
}

/// Partitions that this transaction has given to `parent`, without those that were looked at when they came.
///
/// # Errors
///
/// SPI's own.
pub fn at(parent: Oid) -> Result<Vec<Oid>, Report> {
    let new = new_rows("inhparent", parent)?;
    LOOKED_AT.with_borrow(|known| {
        let unknown = new.into_iter().filter(|(_, place)| !known.contains(place));
        Ok(unknown.map(|(child, _)| child).collect())
    })
}

/// This partition has been looked at since it came.
///
/// # Errors
///
/// SPI's own.
pub fn looked_at(partition: Oid) -> Result<(), Report> {
    let new = new_rows("inhrelid", partition)?;
    LOOKED_AT.with_borrow_mut(|known| known.extend(new.into_iter().map(|(_, place)| place)));
    Ok(())
}

fn new_rows(column: &str, relation: Oid) -> Result<Vec<(Oid, Place)>, Report> {
    let statement = format!(
        "SELECT i.inhrelid, i.ctid::pg_catalog.text, i.xmin::pg_catalog.text
         FROM pg_catalog.pg_inherits AS i WHERE i.{column} OPERATOR(pg_catalog.=) $1"
    );
    let rows = identity::as_extension_owner(|| {
        sql::with_latest_snapshot(|| {
            sql::rows(&statement, &[relation.into()], |row| {
                let xmin = row.get::<String>(3)?.unwrap_or_default();
                let place = (
                    row.get::<String>(2)?.unwrap_or_default(),
                    xmin.parse().unwrap_or(0),
                );
                Ok((row.get::<Oid>(1)?.unwrap_or(Oid::INVALID), place))
            })
        })
    })?;
    let ours = |(_, (_, xid)): &(Oid, Place)| transaction::is_current(*xid);
    Ok(rows.into_iter().filter(ours).collect())
}
