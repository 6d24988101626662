//! All settings. Their prefix is `verdict.`.

use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting, PostgresGucEnum};

/// The values of `verdict.enforce`: whether guards act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PostgresGucEnum)]
#[allow(non_camel_case_types)] // the values' own spelling
pub enum Enforce {
    on,
    observe,
}

static ENFORCE: GucSetting<Enforce> = GucSetting::<Enforce>::new(Enforce::on);

/// 5 s: longer than a message's transaction should take, shorter than a moderator's patience.
static REVOKE_TIMEOUT: GucSetting<i32> = GucSetting::<i32>::new(5_000);

/// 30 days: how long leaves are kept as evidence, unless their hook is under legal hold.
static RETENTION_DAYS: GucSetting<i32> = GucSetting::<i32>::new(30);

/// 90 days: a quarter. A complaint may take as long.
static INCIDENT_RETENTION_DAYS: GucSetting<i32> = GucSetting::<i32>::new(90);

/// 4 hours: enough to repair a server at night, and the glass is closed again before the next
/// night.
static BREAK_GLASS_MAX: GucSetting<i32> = GucSetting::<i32>::new(4 * 3_600);

/// 10 lines per second and session: people can read such a log, and a retrying client cannot fill
/// it.
static LOG_RATE: GucSetting<i32> = GucSetting::<i32>::new(10);

/// 4 kB: enough to recognise a message.
static ROW_IMAGE_BYTES: GucSetting<i32> = GucSetting::<i32>::new(4_096);

/// Whether guards act. If not, they decide and write incidents.
pub fn enforced() -> bool {
    ENFORCE.get() == Enforce::on
}

/// How many days a leaf is kept as evidence after its end.
pub fn retention_days() -> i32 {
    RETENTION_DAYS.get()
}

/// How many days incidents and decided quarantine rows are kept.
pub fn incident_retention_days() -> i32 {
    INCIDENT_RETENTION_DAYS.get()
}

/// How many milliseconds `verdict.revoke` waits for the transactions that hold the verdict. 0 means
/// for ever.
pub fn revoke_timeout_ms() -> i32 {
    REVOKE_TIMEOUT.get()
}

/// The longest duration of `verdict.break_glass`, in seconds.
pub fn break_glass_max_s() -> i32 {
    BREAK_GLASS_MAX.get()
}

/// How many lines about rejected rows a session may write to the server's log per second. `None`
/// (setting -1) means no limit.
pub fn log_rate() -> Option<u32> {
    u32::try_from(LOG_RATE.get()).ok()
}

/// How many bytes of a row an incident shows.
pub fn row_image_bytes() -> usize {
    usize::try_from(ROW_IMAGE_BYTES.get()).unwrap_or(0)
}

/// Called by `_PG_init`.
pub fn define() {
    GucRegistry::define_enum_guc(
        c"verdict.enforce",
        c"Whether guards act on what they find.",
        c"observe: every guard decides and writes incidents, and refuses, changes and holds nothing.",
        &ENFORCE,
        GucContext::Suset,
        GucFlags::default(),
    );
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
    GucRegistry::define_int_guc(
        c"verdict.incident_retention_days",
        c"How many days incidents and decided quarantine rows are kept.",
        c"verdict.retire() deletes older ones. Rows that are still held stay.",
        &INCIDENT_RETENTION_DAYS,
        0,
        36_500,
        GucContext::Suset,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"verdict.break_glass_max",
        c"The longest duration that verdict.break_glass accepts.",
        c"",
        &BREAK_GLASS_MAX,
        1,
        i32::MAX,
        GucContext::Suset,
        GucFlags::UNIT_S,
    );
    GucRegistry::define_int_guc(
        c"verdict.log_rate",
        c"How many lines about rejected rows a session writes to the server's log per second.",
        c"The next line says how many were left out. -1 writes them all.",
        &LOG_RATE,
        -1,
        i32::MAX,
        GucContext::Suset,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"verdict.row_image_bytes",
        c"How many bytes of a row an incident shows.",
        c"0 shows none.",
        &ROW_IMAGE_BYTES,
        0,
        1024 * 1024,
        GucContext::Suset,
        GucFlags::UNIT_BYTE,
    );
    pg::test_hooks::define_settings();
    pg::catalog::reserve_setting_prefix(c"verdict");
}
