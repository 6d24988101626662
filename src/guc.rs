//! All settings, prefix `verdict.`.

use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting};

/// 5 s: longer than a message's transaction should be, shorter than a moderator's patience.
static REVOKE_TIMEOUT: GucSetting<i32> = GucSetting::<i32>::new(5_000);

/// 30 days of evidence, unless a hook is under legal hold.
static RETENTION_DAYS: GucSetting<i32> = GucSetting::<i32>::new(30);

/// How many days a leaf is kept as evidence after its end.
pub fn retention_days() -> i32 {
    RETENTION_DAYS.get()
}

/// How long `verdict.revoke` waits for the transactions that hold the verdict, in milliseconds. 0: for ever.
pub fn revoke_timeout_ms() -> i32 {
    REVOKE_TIMEOUT.get()
}

/// Called by `_PG_init`.
pub fn define() {
    GucRegistry::define_int_guc(
        c"verdict.revoke_timeout",
        c"How long verdict.revoke waits for transactions that hold the verdict.",
        c"0 waits for ever.",
        &REVOKE_TIMEOUT,
        0,
        i32::MAX,
        GucContext::Userset,
        GucFlags::UNIT_MS,
    );
    GucRegistry::define_int_guc(
        c"verdict.retention_days",
        c"How many days verdicts are kept as evidence.",
        c"verdict.retire() drops older leaves whose verdicts can decide nothing any more.",
        &RETENTION_DAYS,
        0,
        36_500,
        GucContext::Suset,
        GucFlags::default(),
    );
    crate::pg::test_hooks::define_settings();
    crate::pg::catalog::reserve_setting_prefix(c"verdict");
}
