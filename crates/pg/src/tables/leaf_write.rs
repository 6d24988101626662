//! Writing to a leaf: appending a verdict, and the two marks that a verdict may get.

use super::leaf::{Col, FoundVerdict, Leaf, LockOutcome};
use super::own_table;
use crate::backend::test_hooks::{self, Weakening};
use crate::frame::plain::PlainFrame;
use pgrx::pg_sys::Datum;

/// Writes the mark of the verdict that replaces this one. Waits for the guards that hold it.
pub fn supersede(found: &FoundVerdict, by: i64, plain: PlainFrame) -> LockOutcome {
    update(found, [(Col::SupersededBy, Datum::from(by))], plain)
}

/// Spends the verdict for a row of guard `guard_id`. A second spender waits and then sees
/// `Changed`.
pub fn consume(found: &FoundVerdict, guard_id: i32, now: i64, plain: PlainFrame) -> LockOutcome {
    let spent = update(
        found,
        [
            (Col::ConsumedAt, Datum::from(now)),
            (Col::ConsumedBy, Datum::from(guard_id)),
        ],
        plain,
    );
    if test_hooks::weakened(Weakening::SpendUnchecked) {
        return LockOutcome::Locked;
    }
    spent
}

fn update<const N: usize>(
    found: &FoundVerdict,
    changes: [(Col, Datum); N],
    plain: PlainFrame,
) -> LockOutcome {
    own_table::replace(
        found.leaf.oid,
        found.tid,
        changes.map(|(col, value)| (found.leaf.attnum(col), value)),
        plain,
    )
}

/// Appends a verdict. `cells` name the columns that are not NULL.
pub fn append<const N: usize>(leaf: &Leaf, cells: [Option<(Col, Datum)>; N], plain: PlainFrame) {
    own_table::insert(
        leaf.oid,
        cells.map(|cell| cell.map(|(col, value)| (leaf.attnum(col), value))),
        plain,
    );
}
