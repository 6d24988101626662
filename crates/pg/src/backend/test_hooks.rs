//! Pause points and weakened protocols for the isolation specs: only in builds with the feature
//! `test_hooks`.
//!
//! A protocol that cannot be broken on purpose is a protocol whose tests prove nothing. Without the
//! feature every function here is a constant and the compiler removes it.

/// Where a spec can hold a session: it takes the advisory lock `pg_advisory_lock(n)` first. The
/// race checker has it sleep there instead.
#[derive(Clone, Copy, Debug)]
pub enum Pause {
    /// The guard has found the newest verdict and has not locked it.
    GuardBeforeLock = 1,
    /// The writer has found the newest verdict and has not written.
    WriterBeforeInsert = 2,
    /// A row that is held again has been found in quarantine, and has not been counted.
    HolderBeforeCount = 3,
}

/// The ways in which `verdict.test_weaken` can weaken the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakening {
    /// The guard takes no lock on the verdict it decided by.
    NoLock,
    /// The guard locks FOR KEY SHARE, which a writer's mark does not conflict with.
    KeyShare,
    /// The guard ignores that the verdict was superseded while it waited.
    NoRecheck,
    /// The guard ignores that the approval it spends was spent or superseded while it waited.
    SpendUnchecked,
    /// Writers of one subject do not wait for each other.
    Unserialised,
    /// Writers of one subject wait for each other, but not for the end of each other's
    /// transactions.
    Overlooked,
    /// The guard takes approvals that have expired.
    Undying,
    /// A transaction goes by the guards as they were when it last took a lock.
    StaleGuards,
}

#[cfg(not(feature = "test_hooks"))]
mod imp {
    use super::{Pause, Weakening};
    use crate::frame::plain::PlainFrame;

    pub fn pause(_at: Pause, _plain: PlainFrame) {}

    pub fn weakened(_how: Weakening) -> bool {
        false
    }

    pub fn clock_ahead() -> i64 {
        0
    }

    pub fn define_settings() {}
}

#[cfg(feature = "test_hooks")]
mod imp {
    use super::{Pause, Weakening};
    use crate::backend::lock;
    use crate::frame::native;
    use crate::frame::plain::PlainFrame;
    use pgrx::pg_sys;
    use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting};
    use std::ffi::CString;
    use std::time::Duration;

    static WEAKEN: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);
    static PAUSE: GucSetting<bool> = GucSetting::<bool>::new(false);
    static DAYS_AHEAD: GucSetting<i32> = GucSetting::<i32>::new(0);
    static SLEEP: GucSetting<i32> = GucSetting::<i32>::new(0);

    /// Longest `verdict.test_sleep`: it does not notice a cancel.
    const SLEEP_CAP: i32 = 1_000_000;

    /// `pg_advisory_lock(bigint)`'s class.
    const BIGINT_CLASS: u16 = 1;

    pub fn pause(at: Pause, _plain: PlainFrame) {
        if let Ok(microseconds @ 1..) = u64::try_from(SLEEP.get()) {
            std::thread::sleep(Duration::from_micros(microseconds));
        }
        if !PAUSE.get() {
            return;
        }
        let tag = lock::tag(at as i64, BIGINT_CLASS);
        // SAFETY: a well-formed tag; taken and given back.
        unsafe {
            native::LockAcquire(&tag, pg_sys::ShareLock as i32, true, false);
            native::LockRelease(&tag, pg_sys::ShareLock as i32, true);
        }
    }

    pub fn weakened(how: Weakening) -> bool {
        let name: &[u8] = match how {
            Weakening::NoLock => b"no_lock",
            Weakening::KeyShare => b"key_share",
            Weakening::NoRecheck => b"no_recheck",
            Weakening::SpendUnchecked => b"spend_unchecked",
            Weakening::Unserialised => b"unserialised",
            Weakening::Overlooked => b"overlooked",
            Weakening::Undying => b"undying",
            Weakening::StaleGuards => b"stale_guards",
        };
        WEAKEN.get().is_some_and(|value| value.as_bytes() == name)
    }

    /// By how many microseconds our clock is ahead of the server's.
    pub fn clock_ahead() -> i64 {
        i64::from(DAYS_AHEAD.get()) * 86_400_000_000
    }

    pub fn define_settings() {
        GucRegistry::define_string_guc(
            c"verdict.test_weaken",
            c"Test builds only: weakens the locking protocol.",
            c"no_lock, key_share, no_recheck, spend_unchecked, unserialised, overlooked, undying or stale_guards.",
            &WEAKEN,
            GucContext::Userset,
            GucFlags::default(),
        );
        GucRegistry::define_bool_guc(
            c"verdict.test_pause",
            c"Test builds only: stops at advisory locks 1 (guard), 2 (writer) and 3 (holder).",
            c"",
            &PAUSE,
            GucContext::Userset,
            GucFlags::default(),
        );
        GucRegistry::define_int_guc(
            c"verdict.test_days_ahead",
            c"Test builds only: what is recorded and judged happens so many days later.",
            c"",
            &DAYS_AHEAD,
            0,
            36_500,
            GucContext::Userset,
            GucFlags::default(),
        );
        GucRegistry::define_int_guc(
            c"verdict.test_sleep",
            c"Test builds only: sleeps so many microseconds at these points.",
            c"",
            &SLEEP,
            0,
            SLEEP_CAP,
            GucContext::Userset,
            GucFlags::default(),
        );
    }
}

pub use imp::{clock_ahead, define_settings, pause, weakened};
