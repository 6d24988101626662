//! Knowing that what a backend remembers is out of date.
//!
//! One relcache callback, registered once (a backend has ten places for them, and PostgreSQL dies
//! on the eleventh). It may run in an aborted transaction, so it only moves a counter: no catalog,
//! no allocation, no lock.

use pgrx::pg_sys::{self, Datum, Oid};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Moves whenever a watched relation, or all of them, may have changed.
static GENERATION: AtomicU64 = AtomicU64::new(1);

/// A small Bloom filter of watched relations: 4,096 bits, one per relation. A false positive costs
/// a reload.
static WATCHED: [AtomicU64; 64] = [const { AtomicU64::new(0) }; 64];

/// What the caches compare: equal means that nothing watched has changed since.
pub fn generation() -> u64 {
    GENERATION.load(Relaxed)
}

/// From now on, changes of this relation move the generation.
pub fn watch(relation: Oid) {
    let (word, bit) = place(relation);
    WATCHED[word].fetch_or(bit, Relaxed);
}

/// Tells every backend, at commit, that `relation` has changed.
pub fn invalidate(relation: Oid) {
    // SAFETY: looks the relation up in the syscache; raises through pgrx when it is gone.
    unsafe { pg_sys::CacheInvalidateRelcacheByRelid(relation) }
}

/// Called by `_PG_init`, once.
pub fn register() {
    // SAFETY: the callback has the right signature and lives as long as the library.
    unsafe { pg_sys::CacheRegisterRelcacheCallback(Some(changed), Datum::null()) }
}

fn place(relation: Oid) -> (usize, u64) {
    let bit = relation.to_u32().wrapping_mul(0x9E37_79B1) >> 20;
    ((bit / 64) as usize, 1 << (bit % 64))
}

unsafe extern "C-unwind" fn changed(_arg: Datum, relation: Oid) {
    let (word, bit) = place(relation);
    if relation == pg_sys::InvalidOid || WATCHED[word].load(Relaxed) & bit != 0 {
        GENERATION.fetch_add(1, Relaxed);
    }
}
