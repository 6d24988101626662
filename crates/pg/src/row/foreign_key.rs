//! Updates that PostgreSQL makes by itself, for a foreign key.

use super::columns::{self, RowSlot};
use super::trigger::Fired;
use crate::frame::plain::{PlainFrame, catching_longjmp};
use pgrx::{PgList, pg_sys};

/// Whether a foreign key of the table makes this update: ON UPDATE or ON DELETE with CASCADE, SET
/// NULL or SET DEFAULT. What a trigger does meanwhile to other columns is its own.
pub fn makes(fired: Fired, old: RowSlot, new: RowSlot, plain: PlainFrame) -> bool {
    // SAFETY: reads backend state. Only foreign keys exempt themselves from forced row security.
    if unsafe { !pg_sys::InNoForceRLSOperation() } {
        return false;
    }
    plain.step(|| {
        let changed =
            |attnum: &i16| catching_longjmp(|plain| columns::differs(old, new, *attnum, plain));
        Ok(referencing(fired).iter().any(changed))
    })
}

/// The columns of the table that reference another one.
fn referencing(fired: Fired) -> Vec<i16> {
    // SAFETY: the list and its members belong to the relcache of an open relation; copied out
    // before anything else runs.
    unsafe {
        let keys = pg_sys::RelationGetFKeyList(fired.table());
        PgList::<pg_sys::ForeignKeyCacheInfo>::from_pg(keys)
            .iter_ptr()
            .flat_map(|key| (&(*key).conkey)[..(*key).nkeys as usize].to_vec())
            .collect()
    }
}
