//! Tables in the making: what ALTER TABLE, CLUSTER and VACUUM FULL put in a table's place when they
//! rewrite it.
//!
//! Such a table has a name (`pg_temp_OID`), and none of the old one's triggers. Code that runs
//! meanwhile (in a default, a CHECK, an index) can find it and write into it, and what it has
//! written is in the table afterwards. PostgreSQL fires nothing for that, so we look at the tables
//! of each statement that writes, as it starts.
//!
//! Who makes such a table has a transaction id, and a statement that comes alone has none yet: it
//! is not looked at. For the others it is one look into a cache.

use crate::frame::native;
use crate::frame::plain;
use crate::report::Report;
use pgrx::pg_sys::{self, Datum, FormData_pg_class, List, Oid, SysCacheIdentifier};
use std::sync::OnceLock;

/// Whether code may write into what will be put in this table's place.
type Judge = fn(Oid) -> Result<(), Report>;

struct Installed {
    judge: Judge,
    previous: pg_sys::ExecutorCheckPerms_hook_type,
}

static INSTALLED: OnceLock<Installed> = OnceLock::new();

/// Called by the watch's `init`, once.
pub fn register(judge: Judge) {
    // SAFETY: a backend has one thread; who was there before us is called as before.
    unsafe {
        let previous = pg_sys::ExecutorCheckPerms_hook;
        if INSTALLED.set(Installed { judge, previous }).is_ok() {
            pg_sys::ExecutorCheckPerms_hook = Some(starting);
        }
    }
}

const WRITING: u64 = (pg_sys::ACL_INSERT | pg_sys::ACL_UPDATE | pg_sys::ACL_DELETE) as u64;

#[cfg(feature = "pg15")]
unsafe extern "C-unwind" fn starting(tables: *mut List, raises: bool) -> bool {
    // SAFETY: PostgreSQL's arguments as they are; a callback's frame with nothing to drop.
    unsafe {
        let previous = INSTALLED.get().and_then(|installed| installed.previous);
        if previous.is_some_and(|previous| !previous(tables, raises)) {
            return false;
        }
        if has_transaction_id() {
            for i in 0..length(tables) {
                let entry = &*element::<pg_sys::RangeTblEntry>(tables, i);
                if entry.rtekind == pg_sys::RTEKind::RTE_RELATION {
                    look(entry.relid, entry.requiredPerms.into());
                }
            }
        }
    }
    true
}

#[cfg(not(feature = "pg15"))]
unsafe extern "C-unwind" fn starting(tables: *mut List, perms: *mut List, raises: bool) -> bool {
    // SAFETY: see above.
    unsafe {
        let previous = INSTALLED.get().and_then(|installed| installed.previous);
        if previous.is_some_and(|previous| !previous(tables, perms, raises)) {
            return false;
        }
        if has_transaction_id() {
            for i in 0..length(perms) {
                let entry = &*element::<pg_sys::RTEPermissionInfo>(perms, i);
                look(entry.relid, entry.requiredPerms);
            }
        }
    }
    true
}

/// # Safety
///
/// None: reads the backend's own state.
unsafe fn has_transaction_id() -> bool {
    // SAFETY: see above.
    unsafe { native::GetTopTransactionIdIfAny() != pg_sys::InvalidTransactionId }
}

/// # Safety
///
/// `list` is NULL or a list of pointers.
unsafe fn length(list: *mut List) -> usize {
    // SAFETY: see above.
    unsafe { list.as_ref() }.map_or(0, |list| list.length as usize)
}

/// # Safety
///
/// `list` is a list of pointers to `T` with more than `i` elements.
unsafe fn element<T>(list: *mut List, i: usize) -> *const T {
    // SAFETY: see above.
    unsafe { (*(*list).elements.add(i)).ptr_value.cast() }
}

/// # Safety
///
/// The caller's frames are plain.
unsafe fn look(relation: Oid, wanted: u64) {
    if wanted & WRITING == 0 {
        return;
    }
    // SAFETY: the statement has locked the relation; the tuple is read before it is given back.
    let rewrites = unsafe {
        let key = Datum::from(relation);
        let tuple = native::SearchSysCache1(SysCacheIdentifier::RELOID as i32, key);
        if tuple.is_null() {
            return;
        }
        let header = (*tuple).t_data;
        let class = header
            .cast::<u8>()
            .add(usize::from((*header).t_hoff))
            .cast::<FormData_pg_class>();
        let rewrites = (*class).relrewrite;
        native::ReleaseSysCache(tuple);
        rewrites
    };
    if rewrites != pg_sys::InvalidOid
        && let Some(installed) = INSTALLED.get()
    {
        plain::callback_about(rewrites, installed.judge);
    }
}
