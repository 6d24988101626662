//! Who is there: the client that this backend works for.

use super::clock;
use crate::frame::native;
use crate::frame::plain::PlainFrame;
use crate::frame::text;
use pgrx::pg_sys;
use std::cell::Cell;
use std::ffi::CStr;

/// The process id of this backend.
pub fn pid() -> i32 {
    // SAFETY: set once at backend start.
    unsafe { pg_sys::MyProcPid }
}

/// The setting application_name; `None` when it is empty.
pub fn application_name() -> Option<String> {
    // SAFETY: NULL or NUL-terminated.
    let name = unsafe { text::owned(pg_sys::application_name) };
    Some(name).filter(|name| !name.is_empty())
}

/// The client's address; `None` for a Unix socket and in a background process.
pub fn client_addr() -> Option<String> {
    // SAFETY: PostgreSQL's own function of no arguments, which returns an inet or NULL.
    unsafe {
        let address = pgrx::direct_function_call_as_datum(pg_sys::inet_client_addr, &[])?;
        let text = pg_sys::OidOutputFunctionCall(pg_sys::Oid::from(pg_sys::F_INET_OUT), address);
        Some(text::owned(text))
    }
}

thread_local! {
    /// What was found out of this worker's subscription in a transaction, by the transaction's
    /// start.
    static SHARD_MOVE: Cell<(i64, bool)> = const { Cell::new((i64::MIN, false)) };
}

/// Whether this is an apply worker of one of the subscriptions with which Citus moves or splits a
/// shard. What it copies was judged where it came from, and is the same row. Anybody can take such
/// a name: it counts only where Citus is, and for a superuser's subscription.
pub fn is_shard_move(plain: PlainFrame) -> bool {
    // SAFETY: in an apply worker MySubscription points to the subscription that it works for; else
    // it is NULL.
    let Some(subscription) = (unsafe {
        match pg_sys::IsLogicalWorker() {
            true => native::MySubscription.as_ref(),
            false => None,
        }
    }) else {
        return false;
    };
    plain.step(|| {
        // SAFETY: a worker's subscription has a NUL-terminated name, and lives as long as its
        // transaction.
        let name = unsafe { text::owned(subscription.name) };
        let is_named_so = [
            "citus_shard_move_subscription_",
            "citus_shard_split_subscription_",
        ]
        .iter()
        .any(|prefix| name.starts_with(prefix));
        if !is_named_so {
            return Ok(false);
        }
        let now = clock::transaction_start();
        let (known_at, known) = SHARD_MOVE.get();
        if known_at == now {
            return Ok(known);
        }
        // SAFETY: catalog look-ups; missing_ok.
        let is_citus = unsafe {
            pg_sys::superuser_arg(subscription.owner)
                && pg_sys::get_extension_oid(c"citus".as_ptr(), true) != pg_sys::InvalidOid
        };
        SHARD_MOVE.set((now, is_citus));
        Ok(is_citus)
    })
}

/// Whether a superuser's pg_restore is at work here. Anybody can take that name, so that all
/// depends on the role: code of another one's, which autovacuum, ANALYZE or an index may run in a
/// superuser's session, has a security context of its own.
pub fn is_superusers_restore(_plain: PlainFrame) -> bool {
    // SAFETY: application_name is NUL-terminated text or NULL; the others read backend state and
    // the syscache.
    unsafe {
        let name = pg_sys::application_name;
        let (mut user, mut context) = (pg_sys::InvalidOid, 0);
        native::GetUserIdAndSecContext(&mut user, &mut context);
        !name.is_null()
            && CStr::from_ptr(name) == c"pg_restore"
            && context == 0
            && native::superuser_arg(user)
    }
}

/// Whether this session is in replica role.
pub fn in_replica_role() -> bool {
    // SAFETY: reads a setting's variable.
    unsafe { pg_sys::SessionReplicationRole == pg_sys::SESSION_REPLICATION_ROLE_REPLICA as i32 }
}
