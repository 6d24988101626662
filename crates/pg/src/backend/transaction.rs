//! What runs at the ends of transactions and savepoints.

use crate::frame::native;
use crate::frame::plain;
use crate::report::{Report, SqlState};
use pgrx::pg_sys::{self, SubXactEvent, XactEvent};
use std::cell::RefCell;
use std::ffi::c_void;

/// What a room runs at the ends of transactions and savepoints, for one thing that a backend keeps
/// during a transaction. Only `before_commit` may raise, allocate much, or look at a catalog: in
/// the others, the transaction may have failed.
#[derive(Clone, Copy)]
pub struct Hooks {
    /// Whether [`Hooks::before_commit`] has anything to do. It is called first, because a call of
    /// `before_commit` costs a `sigsetjmp`.
    pub has_work: fn() -> bool,
    /// Before a COMMIT or PREPARE; may write, and may raise.
    pub before_commit: fn() -> Result<(), Report>,
    /// After the transaction, whether it was committed or rolled back.
    pub at_end: fn(),
    /// A savepoint of this nest level is released.
    pub savepoint_kept: fn(i32),
    /// A savepoint of this nest level is rolled back.
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

/// Called by a room's `init`, once for each thing that the room keeps during a transaction.
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

/// 1 outside savepoints, and one more in each savepoint.
pub fn nest_level() -> i32 {
    // SAFETY: reads a static.
    unsafe { pg_sys::GetCurrentTransactionNestLevel() }
}

/// Whether this (sub)transaction is part of the current transaction and has not been rolled back.
pub fn is_current(xid: u32) -> bool {
    // SAFETY: looks at the backend's state.
    unsafe { native::TransactionIdIsCurrentTransactionId(xid.into()) }
}

/// Called before any work: without this check, a standby would later raise an internal error.
///
/// # Errors
///
/// 25006 in a read-only transaction and on a standby.
pub fn must_be_writable() -> Result<(), Report> {
    // SAFETY: reads a variable; a standby sets it, too.
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

/// Loops by index: this frame holds nothing to drop while a hook raises.
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
