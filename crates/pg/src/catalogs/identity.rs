//! Acting as somebody: the extension's owner for our tables, a table's owner for statements on it.

use super::catalog;
use crate::frame::settings;
use crate::frame::text;
use crate::report::{Report, SqlState};
use pgrx::pg_sys::{self, Oid};
use std::ffi::CStr;

/// What the acting role may do beside its rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restriction {
    /// For statements on our own tables.
    Local,
    /// For statements that may run code of a user's (types, triggers): nothing that outlives the
    /// statement.
    SecurityRestricted,
}

/// The role that the session logged in as.
pub fn session_user() -> String {
    // SAFETY: palloc'ed name of an existing role.
    unsafe { text::owned(pg_sys::GetUserNameFromId(pg_sys::GetSessionUserId(), false)) }
}

/// The role whose rights count now.
pub fn current_user() -> Oid {
    // SAFETY: reads a static.
    unsafe { pg_sys::GetUserId() }
}

/// The role's name, or its OID when it was dropped meanwhile.
pub fn role_name(role: Oid) -> String {
    // SAFETY: noerr; NULL for a role that is gone.
    let name = unsafe { pg_sys::GetUserNameFromId(role, true) };
    if name.is_null() {
        return role.to_u32().to_string();
    }
    // SAFETY: palloc'ed text.
    unsafe { text::owned(name) }
}

/// Whether the current role owns what `owner` owns (superusers do).
pub fn owns(owner: Oid) -> bool {
    // SAFETY: syscache look-ups.
    unsafe { pg_sys::has_privs_of_role(pg_sys::GetUserId(), owner) }
}

/// Whether the current role may act as `role` (SET ROLE).
pub fn may_act_as(role: Oid) -> bool {
    // SAFETY: syscache look-ups.
    #[cfg(feature = "pg15")]
    return unsafe { pg_sys::is_member_of_role(pg_sys::GetUserId(), role) };
    #[cfg(not(feature = "pg15"))]
    return unsafe { pg_sys::member_can_set_role(pg_sys::GetUserId(), role) };
}

/// Whether the current role is a superuser.
pub fn is_superuser() -> bool {
    // SAFETY: a syscache look-up.
    unsafe { pg_sys::superuser() }
}

/// Whether that role is a superuser.
pub fn is_superuser_role(role: Oid) -> bool {
    // SAFETY: a syscache look-up.
    unsafe { pg_sys::superuser_arg(role) }
}

/// Runs `f` as the owner of the extension's tables, on a search_path of pg_catalog alone.
///
/// # Errors
///
/// Those of `f`; undefined object when the extension's SQL is not installed.
pub fn as_extension_owner<T>(f: impl FnOnce() -> Result<T, Report>) -> Result<T, Report> {
    let owner = catalog::relation(catalog::own_relation("hooks")?)?.owner;
    as_role(owner, Restriction::Local, f)
}

/// Runs `f` as `role`. An ERROR inside restores the role and the settings by PostgreSQL's own
/// (sub)transaction abort.
///
/// # Errors
///
/// Those of `f`; insufficient privilege when the role does not exist any more.
pub fn as_role<T>(
    role: Oid,
    restriction: Restriction,
    f: impl FnOnce() -> Result<T, Report>,
) -> Result<T, Report> {
    const SETTINGS: [(&CStr, &CStr); 5] = [
        (c"search_path", c"pg_catalog, pg_temp"),
        (c"default_tablespace", c""),
        (c"default_table_access_method", c"heap"),
        (c"default_transaction_read_only", c"off"),
        (c"row_security", c"off"),
    ];
    // SAFETY: the pair Get/Set restores what it found.
    unsafe {
        if pg_sys::GetUserNameFromId(role, true).is_null() {
            return Err(Report::new(
                SqlState::InsufficientPrivilege,
                format!(
                    "the role with OID {} that should act here does not exist",
                    role.to_u32()
                ),
            ));
        }
        let (mut user, mut context) = (pg_sys::InvalidOid, 0);
        pg_sys::GetUserIdAndSecContext(&mut user, &mut context);
        let added = match restriction {
            Restriction::Local => pg_sys::SECURITY_LOCAL_USERID_CHANGE,
            Restriction::SecurityRestricted => {
                pg_sys::SECURITY_LOCAL_USERID_CHANGE | pg_sys::SECURITY_RESTRICTED_OPERATION
            }
        };
        pg_sys::SetUserIdAndSecContext(role, context | added as i32);
        let outcome = settings::with(&SETTINGS, f);
        pg_sys::SetUserIdAndSecContext(user, context);
        outcome
    }
}
