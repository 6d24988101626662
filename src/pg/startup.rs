//! What is done once, when the library is loaded.

/// A server started with RUST_BACKTRACE would put backtraces with source paths into its clients' errors.
pub fn forget_backtraces() {
    // SAFETY: a backend has one thread.
    unsafe {
        std::env::remove_var("RUST_BACKTRACE");
        std::env::remove_var("RUST_LIB_BACKTRACE");
    }
}
