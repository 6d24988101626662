//! What a backend remembers of one of our tables until it changes.

use super::catalog;
use super::relcache;
use crate::report::Report;
use std::cell::RefCell;
use std::rc::Rc;
use std::thread::LocalKey;

/// A value that was read at some generation of the watched relations.
pub struct Cached<T>(Option<(u64, Rc<T>)>);

impl<T> Cached<T> {
    pub const fn nothing() -> Self {
        Self(None)
    }
}

/// The value in `slot`, or, when anything has changed since it was read, what `read` reads from
/// `verdict.<table>` now.
///
/// # Errors
///
/// Those of `read`; undefined object when the extension's SQL is not installed.
pub fn or_read<T>(
    slot: &'static LocalKey<RefCell<Cached<T>>>,
    table: &str,
    read: impl FnOnce() -> Result<T, Report>,
) -> Result<Rc<T>, Report> {
    let generation = relcache::generation();
    let known = slot.with_borrow(|slot| {
        let known = slot
            .0
            .as_ref()
            .filter(|(read_at, _)| *read_at == generation);
        known.map(|(_, value)| value.clone())
    });
    if let Some(value) = known {
        return Ok(value);
    }
    relcache::watch(catalog::own_relation(table)?);
    let value = Rc::new(read()?);
    slot.set(Cached(Some((generation, value.clone()))));
    Ok(value)
}
