//! The background worker that makes leaves for a recorder, in a transaction of its own.
//!
//! It needs no `shared_preload_libraries`: the recorder starts one, waits until it has ended (about
//! 10 ms), and needs the next one a day later. So nothing of ours is there when a database is
//! dropped, copied or renamed.

use super::leaf_making;
use super::leaves;
use pg::report::Report;
use pg::{catalog, lock, plain};

/// What the worker does.
///
/// # Errors
///
/// As [`leaf_making::make_ready`].
pub fn work(order: &str) -> Result<(), Report> {
    let mut numbers = order.split(' ').map(str::parse::<i64>);
    let (Some(Ok(starts)), Some(Ok(horizon))) = (numbers.next(), numbers.next()) else {
        return Ok(());
    };
    if !catalog::has_own("leaves") {
        // The recorder's own transaction has created the extension.
        return Ok(());
    }
    plain::catching_longjmp(lock::enter_making);
    leaves::refresh()?;
    leaf_making::make_ready(starts, horizon)
}
