//! Memory of PostgreSQL that is freed at once.

use pgrx::{PgMemoryContexts, pg_sys};

/// Runs `f` in a new memory context, which is freed afterwards with everything that `f` has
/// palloc'ed. For loops over many rows.
pub fn scratch<T>(f: impl FnOnce() -> T) -> T {
    let mut context = PgMemoryContexts::new("verdict row");
    // SAFETY: the result of `f` is Rust's; or its caller promises that it does not point into the
    // context.
    unsafe { context.switch_to(|_| f()) }
}

/// A palloc'ed copy in the current memory context, for frames that may not hold Rust's memory. Runs
/// inside a step.
pub fn copied<T: Copy>(items: &[T]) -> *const T {
    // SAFETY: palloc returns that many writable bytes, aligned for every type of PostgreSQL, or
    // raises.
    unsafe {
        let start = pg_sys::palloc(std::mem::size_of_val(items).max(1)).cast::<T>();
        std::ptr::copy_nonoverlapping(items.as_ptr(), start, items.len());
        start
    }
}
