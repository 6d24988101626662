//! Which index of a leaf leads to a subject's verdicts.
//!
//! By what it is, not by its name: REINDEX CONCURRENTLY puts another index in its place, and a DBA
//! may make one of his own.

use pgrx::pg_sys::{self, Oid, Relation};

const PREDICATE: i32 = pg_sys::Anum_pg_index_indpred as i32;

/// An index that the verdicts of one subject are found by.
#[derive(Clone, Copy, Debug)]
pub struct LeafIndex {
    pub oid: Oid,
    /// Among equal hashes it is in the order of the ids: read backwards, the first verdict of a
    /// subject is its newest.
    pub by_id: bool,
}

/// The best index on column `hash` of the leaf, `None` when there is none that can be used.
pub fn find(leaf: Oid, hash: i16, id: i16) -> Option<LeafIndex> {
    // SAFETY: both look-ups return NULL for a relation that is gone; each is closed again. Without
    // a lock: what is read here is read again when an invalidation tells that it has changed, and
    // used under the leaf's lock only.
    unsafe {
        let heap = pg_sys::RelationIdGetRelation(leaf);
        if heap.is_null() {
            return None;
        }
        let list = pgrx::PgList::<std::ffi::c_void>::from_pg(pg_sys::RelationGetIndexList(heap));
        pg_sys::RelationClose(heap);
        let found = (0..list.len())
            .filter_map(|i| list.get_oid(i))
            .filter_map(|oid| usable(oid, hash, id));
        found.max_by_key(|index| (index.by_id, std::cmp::Reverse(index.oid.to_u32())))
    }
}

fn usable(oid: Oid, hash: i16, id: i16) -> Option<LeafIndex> {
    // SAFETY: as `find`; the arrays have an element for each key column.
    unsafe {
        let index = pg_sys::RelationIdGetRelation(oid);
        if index.is_null() {
            return None;
        }
        let found = is_by(index, 0, hash).then(|| LeafIndex {
            oid,
            by_id: is_by(index, 1, id),
        });
        pg_sys::RelationClose(index);
        found
    }
}

/// Whether key column `n` of a whole and valid b-tree is this int8 column, ascending.
///
/// # Safety
///
/// `index` is an open index.
unsafe fn is_by(index: Relation, n: usize, attnum: i16) -> bool {
    // SAFETY: as said; the arrays have indnkeyatts elements.
    unsafe {
        let form = &*(*index).rd_index;
        form.indisvalid
            && form.indisready
            && form.indislive
            && (*(*index).rd_rel).relam == pg_sys::BTREE_AM_OID
            && pg_sys::heap_attisnull((*index).rd_indextuple, PREDICATE, std::ptr::null_mut())
            && n < form.indnkeyatts as usize
            && *form.indkey.values.as_slice(n + 1).as_ptr().add(n) == attnum
            && *(*index).rd_opfamily.add(n) == pg_sys::INTEGER_BTREE_FAM_OID
            && *(*index).rd_indoption.add(n) == 0
    }
}
