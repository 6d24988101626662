//! Memory of PostgreSQL's that is given back at once.

use pgrx::PgMemoryContexts;

/// Runs `f` in a memory context of its own: what it palloc's is gone afterwards. For loops over many rows.
pub fn scratch<T>(f: impl FnOnce() -> T) -> T {
    let mut context = PgMemoryContexts::new("verdict row");
    // SAFETY: what `f` returns is Rust's, or said by its caller to be no pointer into the context.
    unsafe { context.switch_to(|_| f()) }
}
