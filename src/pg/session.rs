//! Who is there: the client that this backend works for.

use super::{catalog, native};
use pgrx::pg_sys;
use std::ffi::CStr;

/// The process id of this backend.
pub fn pid() -> i32 {
    // SAFETY: set once at backend start.
    unsafe { pg_sys::MyProcPid }
}

/// The setting application_name; `None` when it is empty.
pub fn application_name() -> Option<String> {
    // SAFETY: NULL or NUL-terminated.
    let name = unsafe { catalog::owned(pg_sys::application_name) };
    Some(name).filter(|name| !name.is_empty())
}

/// The client's address; `None` for a Unix socket and in a background process.
pub fn client_addr() -> Option<String> {
    // SAFETY: PostgreSQL's own function of no arguments, which returns an inet or NULL.
    unsafe {
        let address = pgrx::direct_function_call_as_datum(pg_sys::inet_client_addr, &[])?;
        let text = pg_sys::OidOutputFunctionCall(pg_sys::Oid::from(pg_sys::F_INET_OUT), address);
        Some(catalog::owned(text))
    }
}

/// Whether this is an apply worker of one of the subscriptions with which Citus moves or splits a shard. What it copies was
/// judged where it came from, and is the same row.
pub fn is_shard_move() -> bool {
    // SAFETY: in an apply worker MySubscription points to the subscription that it works for; else it is NULL.
    unsafe {
        let subscription = native::MySubscription;
        pg_sys::IsLogicalWorker()
            && !subscription.is_null()
            && [
                "citus_shard_move_subscription_",
                "citus_shard_split_subscription_",
            ]
            .iter()
            .any(|prefix| catalog::owned((*subscription).name).starts_with(prefix))
    }
}

/// Whether a superuser's pg_restore is at work here. Anybody can take that name, so that all depends on the role: code of
/// another one's, which autovacuum, ANALYZE or an index may run in a superuser's session, has a security context of its own.
pub fn is_superusers_restore() -> bool {
    // SAFETY: application_name is NUL-terminated text or NULL; the others read backend state and the syscache.
    unsafe {
        let name = pg_sys::application_name;
        let (mut user, mut context) = (pg_sys::InvalidOid, 0);
        pg_sys::GetUserIdAndSecContext(&mut user, &mut context);
        !name.is_null()
            && CStr::from_ptr(name) == c"pg_restore"
            && context == 0
            && pg_sys::superuser_arg(user)
    }
}

/// Whether this session is in replica role.
pub fn in_replica_role() -> bool {
    // SAFETY: reads a setting's variable.
    unsafe { pg_sys::SessionReplicationRole == pg_sys::SESSION_REPLICATION_ROLE_REPLICA as i32 }
}
