//! The ends of transactions and savepoints.

use crate::frame::native;
use crate::frame::plain;
use crate::report::{Report, SqlState};
use pgrx::pg_sys::{self, SubXactEvent, XactEvent};
use std::cell::RefCell;
use std::ffi::c_void;

/// What one thing that a backend keeps for the length of a transaction does at its ends. None of
/// these but `before_commit` may raise, allocate much, or look at a catalog: the transaction may
/// have failed.
#[derive(Clone, Copy)]
pub struct Hooks {
    /// Whether [`Hooks::before_commit`] has anything to do: asked first, because calling it costs a
    /// `sigsetjmp`.
    pub has_work: fn() -> bool,
    /// Before a COMMIT or PREPARE; may write, and may raise.
    pub before_commit: fn() -> Result<(), Report>,
    /// After the transaction, however it has ended.
    pub at_end: fn(),
    /// A savepoint is released; its nest level.
    pub savepoint_kept: fn(i32),
    /// A savepoint is rolled back; its nest level.
    pub savepoint_rolled_back: fn(i32),
}

impl Hooks {
    /// Does nothing.
    pub const NONE: Self = Self {
        has_work: || false,
        before_commit: || Ok(()),
        at_end: || {},
        savepoint_kept: |_| {},
        savepoint_rolled_back: |_| {},
    };
}

thread_local! {
    static HOOKS: RefCell<Vec<Hooks>> = const { RefCell::new(Vec::new()) };
}

/// Called by a room's `init`, once for each thing that it keeps.
pub fn register(hooks: Hooks) {
    HOOKS.with_borrow_mut(|all| all.push(hooks));
}

fn each(f: impl Fn(&Hooks)) {
    HOOKS.with_borrow(|all| all.iter().for_each(f));
}

/// Called by `_PG_init`, once.
pub fn init() {
    // SAFETY: the callbacks have the right signatures and live as long as the library.
    unsafe {
        pg_sys::RegisterXactCallback(Some(transaction), std::ptr::null_mut());
        pg_sys::RegisterSubXactCallback(Some(savepoint), std::ptr::null_mut());
    }
}

/// 1 outside savepoints, one more in each.
pub fn nest_level() -> i32 {
    // SAFETY: reads a static.
    unsafe { pg_sys::GetCurrentTransactionNestLevel() }
}

/// Whether this (sub)transaction belongs to the one at work, and has not been rolled back.
pub fn is_current(xid: u32) -> bool {
    // SAFETY: looks at the backend's own state.
    unsafe { native::TransactionIdIsCurrentTransactionId(xid.into()) }
}

/// Said before any work: what would come later is an internal error on a standby.
///
/// # Errors
///
/// 25006 in a read-only transaction and on a standby.
pub fn must_be_writable() -> Result<(), Report> {
    // SAFETY: reads a variable, which is set on a standby too.
    if unsafe { !pg_sys::XactReadOnly } {
        return Ok(());
    }
    Err(Report::new(
        SqlState::ReadOnly,
        "pg_verdict cannot write in a read-only transaction",
    )
    .hint("A standby only reads: record and decide on the primary."))
}

unsafe extern "C-unwind" fn transaction(event: XactEvent::Type, _arg: *mut c_void) {
    match event {
        XactEvent::XACT_EVENT_PRE_COMMIT | XactEvent::XACT_EVENT_PRE_PREPARE => before_commit(),
        _ => each(|hooks| (hooks.at_end)()),
    }
}

/// By index, so that this frame holds nothing to drop while one of them raises.
fn before_commit() {
    let mut i = 0;
    while let Some(hooks) = HOOKS.with_borrow(|all| all.get(i).copied()) {
        if (hooks.has_work)() {
            plain::callback(hooks.before_commit);
        }
        i += 1;
    }
}

unsafe extern "C-unwind" fn savepoint(
    event: SubXactEvent::Type,
    _id: pg_sys::SubTransactionId,
    _parent: pg_sys::SubTransactionId,
    _arg: *mut c_void,
) {
    match event {
        SubXactEvent::SUBXACT_EVENT_COMMIT_SUB => {
            each(|hooks| (hooks.savepoint_kept)(nest_level()));
        }
        SubXactEvent::SUBXACT_EVENT_ABORT_SUB => {
            each(|hooks| (hooks.savepoint_rolled_back)(nest_level()));
        }
        _ => {}
    }
}
