//! Memory of PostgreSQL's that is given back at once.

use pgrx::{PgMemoryContexts, pg_sys};

/// Runs `f` in a memory context of its own: what it palloc's is gone afterwards. For loops over
/// many rows.
pub fn scratch<T>(f: impl FnOnce() -> T) -> T {
    let mut context = PgMemoryContexts::new("verdict row");
    // SAFETY: what `f` returns is Rust's, or said by its caller to be no pointer into the context.
    unsafe { context.switch_to(|_| f()) }
}

/// A palloc'ed copy in the current memory context, for frames that may hold nothing of Rust's. Runs
/// inside a step.
pub fn copied<T: Copy>(items: &[T]) -> *const T {
    // SAFETY: palloc returns so many writable bytes, aligned for any type of PostgreSQL's, or
    // raises.
    unsafe {
        let start = pg_sys::palloc(std::mem::size_of_val(items).max(1)).cast::<T>();
        std::ptr::copy_nonoverlapping(items.as_ptr(), start, items.len());
        start
    }
}
