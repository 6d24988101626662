//! Triggers: what a fired trigger is told, and how triggers are put on a table.

use super::columns::RowSlot;
use super::tuple::{self, CommandId, MOVED};
use crate::catalogs::expression;
use crate::frame::native;
use crate::frame::plain::{PlainFrame, catching_longjmp};
use crate::frame::text;
use crate::report::{Report, SqlState};
use pgrx::pg_sys::{self, Datum, Oid};
use std::ffi::CStr;

/// Which event a row trigger fired for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowEvent {
    Insert,
    Update,
    Delete,
}

/// Whether the trigger fires before or after the row is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    Before,
    After,
}

/// A trigger that has fired: valid during the call.
#[derive(Clone, Copy)]
pub struct Fired {
    data: *mut pg_sys::TriggerData,
}

impl Fired {
    pub(crate) fn new(data: *mut pg_sys::TriggerData) -> Self {
        Self { data }
    }

    /// The table that the row is in. For a partitioned table, this is the partition.
    pub fn relation(self) -> Oid {
        // SAFETY: an open relation.
        unsafe { (*self.table()).rd_id }
    }

    /// Whether this transaction has emptied or rewritten the table.
    pub fn has_new_storage(self) -> bool {
        // SAFETY: the relcache keeps an entry with such a mark until the transaction ends.
        let relation = unsafe { &*self.table() };
        #[cfg(feature = "pg15")]
        let since = relation.rd_newRelfilenodeSubid;
        #[cfg(not(feature = "pg15"))]
        let since = relation.rd_newRelfilelocatorSubid;
        since != 0 // InvalidSubTransactionId
    }

    /// The trigger's name.
    pub fn name(&self) -> &CStr {
        // SAFETY: NUL-terminated, lives in the relcache during the call.
        unsafe { CStr::from_ptr((*(*self.data).tg_trigger).tgname) }
    }

    /// When and for what the trigger fired; `None` when it is not a row trigger on INSERT, UPDATE
    /// or DELETE.
    pub fn row_event(self) -> Option<(Timing, RowEvent)> {
        // SAFETY: plain field.
        let event = unsafe { (*self.data).tg_event };
        if event & pg_sys::TRIGGER_EVENT_ROW == 0 {
            return None;
        }
        let timing = match event & pg_sys::TRIGGER_EVENT_TIMINGMASK {
            pg_sys::TRIGGER_EVENT_AFTER => Timing::After,
            pg_sys::TRIGGER_EVENT_BEFORE => Timing::Before,
            _ => return None,
        };
        match event & pg_sys::TRIGGER_EVENT_OPMASK {
            pg_sys::TRIGGER_EVENT_INSERT => Some((timing, RowEvent::Insert)),
            pg_sys::TRIGGER_EVENT_UPDATE => Some((timing, RowEvent::Update)),
            pg_sys::TRIGGER_EVENT_DELETE => Some((timing, RowEvent::Delete)),
            _ => None,
        }
    }

    /// What a BEFORE trigger returns to keep the row unchanged. A trigger that returns NULL
    /// discards the row.
    pub fn kept(self) -> Datum {
        Datum::from(self.tuple())
    }

    /// As [`Fired::kept`], with another value in one column.
    pub fn kept_with(self, attnum: i16, value: Datum, _plain: PlainFrame) -> Datum {
        let attnum = i32::from(attnum);
        // SAFETY: the tuple is of the relation's row type and the value of the column's type; the
        // new tuple is in the per-tuple context, as the trigger manager expects.
        unsafe {
            let desc = (*(*self.data).tg_relation).rd_att;
            Datum::from(native::heap_modify_tuple_by_cols(
                self.tuple(),
                desc,
                1,
                &attnum,
                &value,
                &false,
            ))
        }
    }

    /// The row that is about to be stored.
    fn tuple(self) -> pg_sys::HeapTuple {
        // SAFETY: filled for BEFORE row triggers: tg_newtuple for an UPDATE, else tg_trigtuple.
        unsafe {
            let data = &*self.data;
            match data.tg_event & pg_sys::TRIGGER_EVENT_OPMASK {
                pg_sys::TRIGGER_EVENT_UPDATE => data.tg_newtuple,
                _ => data.tg_trigtuple,
            }
        }
    }

    /// The row of an INSERT or DELETE, the old row of an UPDATE.
    pub fn row(self) -> RowSlot {
        // SAFETY: filled for row triggers.
        RowSlot(unsafe { (*self.data).tg_trigslot })
    }

    /// The new row of an UPDATE.
    pub fn new_row(self) -> RowSlot {
        // SAFETY: filled for UPDATE.
        RowSlot(unsafe { (*self.data).tg_newslot })
    }

    /// Whether a deleted row moved to another partition: its tuple bears the mark of a
    /// cross-partition update.
    pub fn moved_away(self) -> bool {
        // SAFETY: the manager has fetched the old tuple.
        unsafe {
            let tuple = (*self.data).tg_trigtuple;
            !tuple.is_null() && (*(*tuple).t_data).t_ctid.ip_posid == MOVED
        }
    }

    /// The statement that stored the row of an AFTER INSERT trigger; `None` where the access method
    /// does not record it.
    pub fn stored_by(self, _plain: PlainFrame) -> Option<CommandId> {
        // SAFETY: the tuple's xmin is this transaction's; frames are plain.
        unsafe {
            tuple::is_heap(self.table())
                .then(|| native::HeapTupleHeaderGetCmin((*(*self.data).tg_trigtuple).t_data))
        }
    }

    /// As [`Fired::stored_by`], for the statement that deleted the row of an AFTER DELETE trigger.
    pub fn deleted_by(self, _plain: PlainFrame) -> Option<CommandId> {
        // SAFETY: the tuple's xmax is this transaction's; frames are plain.
        unsafe {
            tuple::is_heap(self.table())
                .then(|| native::HeapTupleHeaderGetCmax((*(*self.data).tg_trigtuple).t_data))
        }
    }

    pub(crate) fn table(self) -> pg_sys::Relation {
        // SAFETY: the manager fills tg_relation.
        unsafe { (*self.data).tg_relation }
    }

    /// As [`under_condition`], for the table that the trigger fired on.
    pub fn under_condition_of(self, name: &CStr, row: RowSlot, plain: PlainFrame) -> bool {
        // The role that stores the row runs the trigger's condition anyway.
        under_condition(self.table(), name, row, |_| true, plain)
    }
}

/// As [`Fired::under_condition_of`], for a role that only looks. Raises VD009 when `verdict.guard`
/// could not have made the condition. So a table's owner cannot make another role run code by
/// looking.
pub(crate) fn under_own_condition(
    relation: pg_sys::Relation,
    name: &CStr,
    row: RowSlot,
    plain: PlainFrame,
) -> bool {
    let allowed = |expression| !expression::uses(expression, plain).runs_foreign_code(plain);
    under_condition(relation, name, row, allowed, plain)
}

/// Whether `row` is under the condition of the trigger `name` on its table. `true` when the trigger
/// has no condition.
///
/// The executor evaluates the trigger's WHEN. This is needed only for the few rows for which
/// PostgreSQL has not evaluated it.
fn under_condition(
    relation: pg_sys::Relation,
    name: &CStr,
    row: RowSlot,
    allowed: impl Fn(*mut pg_sys::Node) -> bool,
    plain: PlainFrame,
) -> bool {
    // SAFETY: trigdesc belongs to the open relation; the executor state is freed in the same frame
    // or, on ERROR, with its memory context.
    unsafe {
        let description = (*relation).trigdesc;
        if description.is_null() {
            return true;
        }
        for i in 0..(*description).numtriggers {
            let trigger = (*description).triggers.add(i as usize);
            if CStr::from_ptr((*trigger).tgname) != name {
                continue;
            }
            if (*trigger).tgqual.is_null() {
                return true;
            }
            let expression = native::stringToNode((*trigger).tgqual).cast::<pg_sys::Node>();
            if !allowed(expression) {
                plain.step(|| {
                    Err::<(), _>(
                        Report::new(
                            SqlState::GuardMisconfigured,
                            format!(
                                "VD009: trigger \"{}\" has a condition that may run code of a user's",
                                name.to_string_lossy()
                            ),
                        )
                        .hint("See verdict.coverage(), and restore the guard: verdict.repair(relation)."),
                    )
                });
            }
            const NEW: i32 = 2; // PRS2_NEW_VARNO
            native::ChangeVarNodes(expression, NEW, pg_sys::OUTER_VAR, 0);
            let estate = native::CreateExecutorState();
            let context = native::MakePerTupleExprContext(estate);
            (*context).ecxt_outertuple = row.0;
            let state = native::ExecPrepareExpr(expression.cast(), estate);
            let mut isnull = false;
            let result = native::ExecEvalExprSwitchContext(state, context, &mut isnull);
            native::FreeExecutorState(estate);
            return isnull || result.value() as u8 != 0;
        }
        true
    }
}

/// The names of the table's triggers (all, not only ours) whose WHEN may run code that is not
/// PostgreSQL's own, or may do more than compute a value.
pub fn with_code_in_condition(table: Oid) -> Vec<String> {
    // SAFETY: open, look and close; trigdesc belongs to the open relation.
    unsafe {
        let relation = pg_sys::relation_open(table, pg_sys::AccessShareLock as i32);
        let description = (*relation).trigdesc;
        let count = description.as_ref().map_or(0, |all| all.numtriggers);
        let found = (0..count)
            .map(|i| &*(*description).triggers.add(i as usize))
            .filter(|trigger| {
                let condition = trigger.tgqual;
                !condition.is_null()
                    && catching_longjmp(|plain| {
                        let expression = native::stringToNode(condition).cast();
                        expression::uses(expression, plain).runs_foreign_code(plain)
                    })
            })
            .map(|trigger| text::owned(trigger.tgname))
            .collect();
        pg_sys::relation_close(relation, pg_sys::NoLock as i32);
        found
    }
}

/// Whether this backend applies a logical replication stream.
pub fn is_apply() -> bool {
    // SAFETY: reads backend state.
    unsafe { pg_sys::IsLogicalWorker() }
}

/// A trigger to be made. It is FOR EACH ROW and ENABLE ALWAYS, and calls `verdict.guard_row()`.
pub struct TriggerSpec<'a> {
    pub name: &'a str,
    pub timing: Timing,
    pub events: u32,
    /// The columns of `UPDATE OF`; empty for any column.
    pub columns: &'a [String],
    pub condition: Option<&'a crate::catalogs::condition::Condition>,
}

/// Makes the trigger on `relation` and on every partition below it. Takes ShareRowExclusiveLock.
pub fn create(relation: Oid, function: Oid, spec: &TriggerSpec) {
    let name = text::c_string(spec.name);
    // SAFETY: a well-formed CreateTrigStmt in the current memory context; CreateTriggerFiringOn
    // copies what it keeps.
    unsafe {
        let stmt = pg_sys::palloc0(std::mem::size_of::<pg_sys::CreateTrigStmt>())
            .cast::<pg_sys::CreateTrigStmt>();
        (*stmt).type_ = pg_sys::NodeTag::T_CreateTrigStmt;
        (*stmt).trigname = pg_sys::pstrdup(name.as_ptr());
        (*stmt).row = true;
        (*stmt).timing = match spec.timing {
            Timing::Before => pg_sys::TRIGGER_TYPE_BEFORE as i16,
            Timing::After => pg_sys::TRIGGER_TYPE_AFTER as i16,
        };
        (*stmt).events = spec.events as i16;
        let mut columns = pgrx::PgList::<pg_sys::Node>::new();
        for column in spec.columns {
            let column = text::c_string(column);
            columns.push(pg_sys::makeString(pg_sys::pstrdup(column.as_ptr())).cast());
        }
        (*stmt).columns = columns.into_pg();
        if let Some(condition) = spec.condition {
            (*stmt).whenClause = condition.node();
        }
        pg_sys::CreateTriggerFiringOn(
            stmt,
            c"SELECT verdict.guard()".as_ptr(),
            relation,
            pg_sys::InvalidOid,
            pg_sys::InvalidOid,
            pg_sys::InvalidOid,
            function,
            pg_sys::InvalidOid,
            std::ptr::null_mut(),
            false,
            false,
            b'A' as std::ffi::c_char,
        );
        pg_sys::CommandCounterIncrement();
    }
}

/// `pg_trigger.tgtype` of a row trigger.
pub fn tgtype(timing: Timing, events: u32) -> i16 {
    let timing = match timing {
        Timing::Before => pg_sys::TRIGGER_TYPE_BEFORE,
        Timing::After => pg_sys::TRIGGER_TYPE_AFTER,
    };
    (pg_sys::TRIGGER_TYPE_ROW | timing | events) as i16
}

pub const INSERT: u32 = pg_sys::TRIGGER_TYPE_INSERT;
pub const UPDATE: u32 = pg_sys::TRIGGER_TYPE_UPDATE;
pub const DELETE: u32 = pg_sys::TRIGGER_TYPE_DELETE;

/// Drops the trigger from `relation` and its partitions. Does nothing when it does not exist.
pub fn drop_if_exists(relation: Oid, name: &str) {
    let name = text::c_string(name);
    // SAFETY: look-up with missing_ok; performDeletion takes its locks.
    unsafe {
        let trigger = pg_sys::get_trigger_oid(relation, name.as_ptr(), true);
        if trigger != pg_sys::InvalidOid {
            pg_sys::LockRelationOid(relation, pg_sys::AccessExclusiveLock as i32);
            let address = pg_sys::ObjectAddress {
                classId: pg_sys::TriggerRelationId,
                objectId: trigger,
                objectSubId: 0,
            };
            pg_sys::performDeletion(&address, pg_sys::DropBehavior::DROP_RESTRICT, 0);
            pg_sys::CommandCounterIncrement();
        }
    }
}

/// The error when the entry point was not called by a trigger of ours.
pub fn not_a_row_trigger() -> Report {
    Report::new(
        SqlState::TriggerProtocol,
        "verdict.guard_row() must be called as one of the row triggers that verdict.guard makes",
    )
    .hint("Put guards on tables with verdict.guard(relation, hook).")
}
