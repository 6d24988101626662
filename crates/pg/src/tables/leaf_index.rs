//! Finds the index of a leaf that leads to a subject's verdicts.
//!
//! The index is found by its columns, not by its name: REINDEX CONCURRENTLY replaces the index, and
//! a DBA may make another one.

use pgrx::pg_sys::{self, Oid, Relation};

const PREDICATE: i32 = pg_sys::Anum_pg_index_indpred as i32;

/// An index on the verdicts' subject hashes.
#[derive(Clone, Copy, Debug)]
pub struct LeafIndex {
    pub oid: Oid,
    /// Whether equal hashes are in the order of ids. Read backwards, a subject's first verdict is
    /// then its newest.
    pub by_id: bool,
}

/// The best index on column `hash` of the leaf; `None` when there is no usable one.
pub fn find(leaf: Oid, hash: i16, id: i16) -> Option<LeafIndex> {
    // SAFETY: both look-ups return NULL for a relation that is gone; each is closed again. No lock
    // is needed: an invalidation makes the backend read this again, and the result is used only
    // under the leaf's lock.
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

/// Whether key column `n` of a complete and valid b-tree is this int8 column, ascending.
///
/// # Safety
///
/// `index` is an open index.
unsafe fn is_by(index: Relation, n: usize, attnum: i16) -> bool {
    // SAFETY: as above; the arrays have indnkeyatts elements.
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
