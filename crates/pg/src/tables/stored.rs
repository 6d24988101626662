//! What PostgreSQL's executor does beside heap's own functions when it stores a row: it checks
//! constraints and makes index entries.

use crate::frame::native;
use crate::frame::plain::PlainFrame;
use crate::report::{Report, SqlState};
use pgrx::pg_sys;

/// The indexes in which a new row version needs an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Indexes {
    /// None: the version is heap-only, and indexes find it by the version that it replaces.
    None,
    /// Only indexes that summarize ranges of pages (BRIN), from PostgreSQL 16 on. With another
    /// entry in another kind of index, a scan would return the row twice.
    #[cfg(not(feature = "pg15"))]
    Summarizing,
    All,
}

/// A row of an open table with a minimal executor state, as PostgreSQL's logical replication worker
/// makes it. `Copy`: after an error, the resource owner and the memory context free it.
#[derive(Clone, Copy)]
pub(crate) struct Stored {
    estate: *mut pg_sys::EState,
    info: *mut pg_sys::ResultRelInfo,
    slot: *mut pg_sys::TupleTableSlot,
}

impl Stored {
    /// # Safety
    ///
    /// Frames are plain; `tuple` is a row for `heap`, which is open in RowExclusiveLock.
    /// [`Stored::end`] is called.
    pub unsafe fn begin(heap: pg_sys::Relation, tuple: pg_sys::HeapTuple) -> Self {
        // SAFETY: as above.
        unsafe {
            let estate = native::CreateExecutorState();
            native::MakePerTupleExprContext(estate);
            let info = native::palloc0(std::mem::size_of::<pg_sys::ResultRelInfo>())
                .cast::<pg_sys::ResultRelInfo>();
            (*info).type_ = pg_sys::NodeTag::T_ResultRelInfo;
            native::InitResultRelInfo(info, heap, 0, std::ptr::null_mut(), 0);
            let slot = native::MakeSingleTupleTableSlot(
                (*heap).rd_att,
                &raw const pg_sys::TTSOpsHeapTuple,
            );
            native::ExecStoreHeapTuple(tuple, slot, false);
            Self { estate, info, slot }
        }
    }

    /// Raises the errors of the table's NOT NULL and CHECK constraints, also of those that a DBA
    /// has added.
    ///
    /// # Safety
    ///
    /// Frames are plain; before [`Stored::end`].
    pub unsafe fn check_constraints(self) {
        // SAFETY: as above.
        unsafe {
            let desc = (*self.slot).tts_tupleDescriptor;
            if !(*desc).constr.is_null() {
                native::ExecConstraints(self.info, self.slot, self.estate);
            }
        }
    }

    /// Makes entries for the stored row in the table's indexes, also in those that a DBA has added.
    ///
    /// # Safety
    ///
    /// As [`Stored::check_constraints`].
    pub unsafe fn enter(self, indexes: Indexes, plain: PlainFrame) {
        // SAFETY: as above.
        let unsure = unsafe {
            // The TID that the row was given.
            let tuple = native::ExecFetchSlotHeapTuple(self.slot, false, &mut false);
            (*self.slot).tts_tid = (*tuple).t_self;
            (*self.slot).tts_tableOid = (*tuple).t_tableOid;
            native::ExecOpenIndices(self.info, false);
            let none = std::ptr::null_mut();
            #[cfg(feature = "pg15")]
            let unsure = native::ExecInsertIndexTuples(
                self.info,
                self.slot,
                self.estate,
                false,
                false,
                none,
                none.cast(),
            );
            #[cfg(not(feature = "pg15"))]
            let unsure = native::ExecInsertIndexTuples(
                self.info,
                self.slot,
                self.estate,
                false,
                false,
                none,
                none.cast(),
                indexes == Indexes::Summarizing,
            );
            native::ExecCloseIndices(self.info);
            unsure
        };
        debug_assert!(indexes != Indexes::None);
        if !unsure.is_null() {
            plain.step(|| Err(cannot_defer()))
        }
    }

    /// # Safety
    ///
    /// Frames are plain; called once.
    pub unsafe fn end(self) {
        // SAFETY: as above.
        unsafe {
            native::ExecDropSingleTupleTableSlot(self.slot);
            native::FreeExecutorState(self.estate);
        }
    }
}

/// A deferrable unique constraint is checked at the end of the transaction, by a trigger that only
/// an SQL statement queues.
fn cannot_defer() -> Report {
    Report::new(
        SqlState::NotInPrerequisiteState,
        "a row that pg_verdict stores may be a duplicate under a deferrable unique constraint",
    )
    .detail("pg_verdict stores its rows without SQL, and cannot defer the check.")
    .hint(
        "Make the constraint on the table in schema verdict NOT DEFERRABLE, or use a plain index.",
    )
}
