//! PostgreSQL's own functions, declared by us and called without pgrx's guard.
//!
//! # Why
//!
//! pgrx wraps each C call in `sigsetjmp` and rebuilds an error that crosses it: CONTEXT, the names
//! of schema, table and constraint, and every SQLSTATE outside its enum are lost. A deadlock met
//! while waiting for a verdict must reach the client as PostgreSQL wrote it. So the paths that
//! wait, scan and lock call these declarations, and PostgreSQL's `longjmp` passes straight through
//! their frames.
//!
//! # Safety
//!
//! Any of these may `longjmp`. They may only be called from frames that hold nothing to drop: every
//! caller takes a [`super::plain::PlainFrame`] as the witness of that.

use pgrx::pg_sys::{self, Datum, Oid, Relation};
use std::ffi::{c_char, c_int, c_void};

unsafe extern "C-unwind" {
    pub fn errstart(elevel: c_int, domain: *const c_char) -> bool;
    pub fn errcode(sqlerrcode: c_int) -> c_int;
    pub fn errmsg_internal(fmt: *const c_char, ...) -> c_int;
    pub fn errdetail_internal(fmt: *const c_char, ...) -> c_int;
    pub fn errhint(fmt: *const c_char, ...) -> c_int;
    pub fn errhidestmt(hide: bool) -> c_int;
    pub fn err_generic_string(field: c_int, value: *const c_char) -> c_int;
    pub fn errfinish(file: *const c_char, line: c_int, function: *const c_char);

    pub fn palloc(size: usize) -> *mut c_void;
    pub fn palloc0(size: usize) -> *mut c_void;
    pub fn pg_detoast_datum_packed(datum: *mut pg_sys::varlena) -> *mut pg_sys::varlena;
    pub fn pg_detoast_datum(datum: *mut pg_sys::varlena) -> *mut pg_sys::varlena;
    pub fn OidOutputFunctionCall(function: Oid, value: Datum) -> *mut c_char;
    pub fn JsonbToCString(
        out: pg_sys::StringInfo,
        input: *mut pg_sys::JsonbContainer,
        estimated_len: c_int,
    ) -> *mut c_char;
    pub fn DirectFunctionCall2Coll(
        function: pg_sys::PGFunction,
        collation: Oid,
        arg1: Datum,
        arg2: Datum,
    ) -> Datum;
    pub fn timestamp_pl_interval(fcinfo: pg_sys::FunctionCallInfo) -> Datum;

    pub fn table_open(relation: Oid, lockmode: pg_sys::LOCKMODE) -> Relation;
    pub fn try_table_open(relation: Oid, lockmode: pg_sys::LOCKMODE) -> Relation;
    pub fn RelationGetNumberOfBlocksInFork(
        relation: Relation,
        fork: pg_sys::ForkNumber::Type,
    ) -> pg_sys::BlockNumber;
    pub fn table_close(relation: Relation, lockmode: pg_sys::LOCKMODE);
    pub fn table_slot_create(
        relation: Relation,
        reglist: *mut *mut pg_sys::List,
    ) -> *mut pg_sys::TupleTableSlot;
    pub fn ExecDropSingleTupleTableSlot(slot: *mut pg_sys::TupleTableSlot);
    pub fn ExecStoreHeapTuple(
        tuple: pg_sys::HeapTuple,
        slot: *mut pg_sys::TupleTableSlot,
        should_free: bool,
    ) -> *mut pg_sys::TupleTableSlot;
    pub fn MakeSingleTupleTableSlot(
        desc: pg_sys::TupleDesc,
        ops: *const pg_sys::TupleTableSlotOps,
    ) -> *mut pg_sys::TupleTableSlot;
    pub fn ExecFetchSlotHeapTuple(
        slot: *mut pg_sys::TupleTableSlot,
        materialize: bool,
        should_free: *mut bool,
    ) -> pg_sys::HeapTuple;
    pub fn slot_getsomeattrs_int(slot: *mut pg_sys::TupleTableSlot, attnum: c_int);

    pub fn index_open(relation: Oid, lockmode: pg_sys::LOCKMODE) -> Relation;
    pub fn index_close(relation: Relation, lockmode: pg_sys::LOCKMODE);
    #[cfg(not(feature = "pg18"))]
    pub fn index_beginscan(
        heap: Relation,
        index: Relation,
        snapshot: pg_sys::Snapshot,
        nkeys: c_int,
        norderbys: c_int,
    ) -> pg_sys::IndexScanDesc;
    #[cfg(feature = "pg18")]
    pub fn index_beginscan(
        heap: Relation,
        index: Relation,
        snapshot: pg_sys::Snapshot,
        instrument: *mut pg_sys::IndexScanInstrumentation,
        nkeys: c_int,
        norderbys: c_int,
    ) -> pg_sys::IndexScanDesc;
    pub fn index_rescan(
        scan: pg_sys::IndexScanDesc,
        keys: pg_sys::ScanKey,
        nkeys: c_int,
        orderbys: pg_sys::ScanKey,
        norderbys: c_int,
    );
    pub fn index_getnext_slot(
        scan: pg_sys::IndexScanDesc,
        direction: pg_sys::ScanDirection::Type,
        slot: *mut pg_sys::TupleTableSlot,
    ) -> bool;
    pub fn systable_beginscan(
        heap: Relation,
        index: Oid,
        index_ok: bool,
        snapshot: pg_sys::Snapshot,
        nkeys: c_int,
        keys: pg_sys::ScanKey,
    ) -> pg_sys::SysScanDesc;
    pub fn systable_getnext(scan: pg_sys::SysScanDesc) -> pg_sys::HeapTuple;
    pub fn systable_endscan(scan: pg_sys::SysScanDesc);
    pub fn index_endscan(scan: pg_sys::IndexScanDesc);
    pub fn ScanKeyInit(
        entry: pg_sys::ScanKey,
        attribute: pg_sys::AttrNumber,
        strategy: pg_sys::StrategyNumber,
        procedure: pg_sys::RegProcedure,
        argument: Datum,
    );

    pub fn heap_form_tuple(
        desc: pg_sys::TupleDesc,
        values: *const Datum,
        isnull: *const bool,
    ) -> pg_sys::HeapTuple;
    pub fn heap_modify_tuple(
        tuple: pg_sys::HeapTuple,
        desc: pg_sys::TupleDesc,
        values: *const Datum,
        isnull: *const bool,
        replace: *const bool,
    ) -> pg_sys::HeapTuple;
    pub fn heap_modify_tuple_by_cols(
        tuple: pg_sys::HeapTuple,
        desc: pg_sys::TupleDesc,
        count: c_int,
        attnums: *const c_int,
        values: *const Datum,
        isnull: *const bool,
    ) -> pg_sys::HeapTuple;
    pub fn heap_insert(
        relation: Relation,
        tuple: pg_sys::HeapTuple,
        cid: pg_sys::CommandId,
        options: c_int,
        bistate: *mut c_void,
    );
    pub fn heap_fetch(
        relation: Relation,
        snapshot: pg_sys::Snapshot,
        tuple: pg_sys::HeapTuple,
        buffer: *mut pg_sys::Buffer,
        keep_buf: bool,
    ) -> bool;
    pub fn heap_copytuple(tuple: pg_sys::HeapTuple) -> pg_sys::HeapTuple;
    pub fn CreateTupleDescCopy(desc: pg_sys::TupleDesc) -> pg_sys::TupleDesc;
    pub fn convert_tuples_by_name(
        from: pg_sys::TupleDesc,
        to: pg_sys::TupleDesc,
    ) -> *mut pg_sys::TupleConversionMap;
    pub fn execute_attr_map_tuple(
        tuple: pg_sys::HeapTuple,
        map: *mut pg_sys::TupleConversionMap,
    ) -> pg_sys::HeapTuple;
    pub fn HeapTupleHeaderGetCmin(tuple: pg_sys::HeapTupleHeader) -> pg_sys::CommandId;
    pub fn HeapTupleHeaderGetCmax(tuple: pg_sys::HeapTupleHeader) -> pg_sys::CommandId;
    pub fn ActiveSnapshotSet() -> bool;
    pub fn GetActiveSnapshot() -> pg_sys::Snapshot;
    pub fn HeapTupleGetUpdateXid(tuple: pg_sys::HeapTupleHeader) -> pg_sys::TransactionId;
    pub fn heap_lock_tuple(
        relation: Relation,
        tuple: pg_sys::HeapTuple,
        cid: pg_sys::CommandId,
        mode: pg_sys::LockTupleMode::Type,
        wait_policy: pg_sys::LockWaitPolicy::Type,
        follow_updates: bool,
        buffer: *mut pg_sys::Buffer,
        tmfd: *mut pg_sys::TM_FailureData,
    ) -> pg_sys::TM_Result::Type;
    #[cfg(feature = "pg15")]
    pub fn heap_update(
        relation: Relation,
        otid: pg_sys::ItemPointer,
        newtup: pg_sys::HeapTuple,
        cid: pg_sys::CommandId,
        crosscheck: pg_sys::Snapshot,
        wait: bool,
        tmfd: *mut pg_sys::TM_FailureData,
        lockmode: *mut pg_sys::LockTupleMode::Type,
    ) -> pg_sys::TM_Result::Type;
    #[cfg(not(feature = "pg15"))]
    pub fn heap_update(
        relation: Relation,
        otid: pg_sys::ItemPointer,
        newtup: pg_sys::HeapTuple,
        cid: pg_sys::CommandId,
        crosscheck: pg_sys::Snapshot,
        wait: bool,
        tmfd: *mut pg_sys::TM_FailureData,
        lockmode: *mut pg_sys::LockTupleMode::Type,
        update_indexes: *mut pg_sys::TU_UpdateIndexes::Type,
    ) -> pg_sys::TM_Result::Type;
    pub fn GetUserIdAndSecContext(user: *mut Oid, context: *mut c_int);
    pub fn SetUserIdAndSecContext(user: Oid, context: c_int);
    pub fn SPI_connect() -> c_int;
    pub fn SPI_finish() -> c_int;
    pub fn SPI_execute_with_args(
        text: *const c_char,
        count: c_int,
        types: *mut Oid,
        values: *mut Datum,
        nulls: *const c_char,
        read_only: bool,
        row_limit: std::ffi::c_long,
    ) -> c_int;
    // Mutable: C changes them.
    pub static mut SPI_processed: u64;
    pub static mut MySubscription: *const Subscription;
    pub static mut quote_all_identifiers: bool;
    pub fn GetMultiXactIdMembers(
        multi: pg_sys::MultiXactId,
        members: *mut *mut pg_sys::MultiXactMember,
        from_pgupgrade: bool,
        only_locks: bool,
    ) -> c_int;
    pub fn ReleaseBuffer(buffer: pg_sys::Buffer);
    pub fn LockBuffer(buffer: pg_sys::Buffer, mode: c_int);

    pub fn CreateExecutorState() -> *mut pg_sys::EState;
    pub fn FreeExecutorState(estate: *mut pg_sys::EState);
    pub fn MakePerTupleExprContext(estate: *mut pg_sys::EState) -> *mut pg_sys::ExprContext;
    pub fn InitResultRelInfo(
        info: *mut pg_sys::ResultRelInfo,
        relation: Relation,
        rti: pg_sys::Index,
        root: *mut pg_sys::ResultRelInfo,
        instrument: c_int,
    );
    pub fn ExecOpenIndices(info: *mut pg_sys::ResultRelInfo, speculative: bool);
    pub fn ExecCloseIndices(info: *mut pg_sys::ResultRelInfo);
    #[cfg(feature = "pg15")]
    pub fn ExecInsertIndexTuples(
        info: *mut pg_sys::ResultRelInfo,
        slot: *mut pg_sys::TupleTableSlot,
        estate: *mut pg_sys::EState,
        update: bool,
        no_dup_err: bool,
        spec_conflict: *mut bool,
        arbiters: *mut pg_sys::List,
    ) -> *mut pg_sys::List;
    #[cfg(not(feature = "pg15"))]
    pub fn ExecInsertIndexTuples(
        info: *mut pg_sys::ResultRelInfo,
        slot: *mut pg_sys::TupleTableSlot,
        estate: *mut pg_sys::EState,
        update: bool,
        no_dup_err: bool,
        spec_conflict: *mut bool,
        arbiters: *mut pg_sys::List,
        only_summarizing: bool,
    ) -> *mut pg_sys::List;
    pub fn ExecConstraints(
        info: *mut pg_sys::ResultRelInfo,
        slot: *mut pg_sys::TupleTableSlot,
        estate: *mut pg_sys::EState,
    );
    pub fn ExecPrepareExpr(
        node: *mut pg_sys::Expr,
        estate: *mut pg_sys::EState,
    ) -> *mut pg_sys::ExprState;
    #[link_name = "ExecEvalExprSwitchContext__pgrx_cshim"]
    pub fn ExecEvalExprSwitchContext(
        state: *mut pg_sys::ExprState,
        econtext: *mut pg_sys::ExprContext,
        isnull: *mut bool,
    ) -> Datum;
    pub fn stringToNode(text: *const c_char) -> *mut c_void;

    pub fn LockAcquire(
        tag: *const pg_sys::LOCKTAG,
        mode: pg_sys::LOCKMODE,
        session: bool,
        dont_wait: bool,
    ) -> pg_sys::LockAcquireResult::Type;
    pub fn XactLockTableWait(
        xid: pg_sys::TransactionId,
        relation: Relation,
        tid: pg_sys::ItemPointer,
        why: pg_sys::XLTW_Oper::Type,
    );
    pub fn LockRelease(tag: *const pg_sys::LOCKTAG, mode: pg_sys::LOCKMODE, session: bool) -> bool;
    /// PostgreSQL's own handler of SIGTERM.
    pub fn die(signal: c_int);
    pub fn AcceptInvalidationMessages();
    pub fn GetTopTransactionIdIfAny() -> pg_sys::TransactionId;
    pub fn SearchSysCache1(cache: c_int, key: Datum) -> pg_sys::HeapTuple;
    pub fn ReleaseSysCache(tuple: pg_sys::HeapTuple);
    pub fn CommandCounterIncrement();
    pub fn GetCurrentCommandId(used: bool) -> pg_sys::CommandId;
    pub fn GetCurrentTimestamp() -> pg_sys::TimestampTz;
    pub fn TransactionIdIsCurrentTransactionId(xid: pg_sys::TransactionId) -> bool;
    pub fn nextval_internal(sequence: Oid, check_permissions: bool) -> i64;
    pub fn PreventCommandIfReadOnly(command: *const c_char);
    pub fn PreventCommandIfParallelMode(command: *const c_char);

    pub fn get_call_result_type(
        fcinfo: pg_sys::FunctionCallInfo,
        type_id: *mut Oid,
        desc: *mut pg_sys::TupleDesc,
    ) -> pg_sys::TypeFuncClass::Type;
    pub fn BlessTupleDesc(desc: pg_sys::TupleDesc) -> pg_sys::TupleDesc;
    pub fn HeapTupleHeaderGetDatum(header: pg_sys::HeapTupleHeader) -> Datum;

    // Not in pgrx's bindings. Called through its guard, from steps.
    pub fn get_partition_ancestors(relation: Oid) -> *mut pg_sys::List;
    pub fn has_partition_attrs(
        relation: Relation,
        attnums: *mut pg_sys::Bitmapset,
        used_in_expr: *mut bool,
    ) -> bool;
    pub fn find_all_inheritors(
        parent: Oid,
        lockmode: pg_sys::LOCKMODE,
        numparents: *mut *mut pg_sys::List,
    ) -> *mut pg_sys::List;
    pub fn transformWhereClause(
        pstate: *mut pg_sys::ParseState,
        clause: *mut pg_sys::Node,
        kind: pg_sys::ParseExprKind::Type,
        construct: *const c_char,
    ) -> *mut pg_sys::Node;
    pub fn NewGUCNestLevel() -> c_int;
    pub fn AtEOXact_GUC(commit: bool, level: c_int);
    pub fn set_config_option(
        name: *const c_char,
        value: *const c_char,
        context: pg_sys::GucContext::Type,
        source: pg_sys::GucSource::Type,
        action: pg_sys::GucAction::Type,
        change: bool,
        elevel: c_int,
        reload: bool,
    ) -> c_int;
    // For walkers' callbacks, in which nothing may panic.
    pub fn lappend_oid(list: *mut pg_sys::List, datum: Oid) -> *mut pg_sys::List;
    pub fn lappend(list: *mut pg_sys::List, datum: *mut c_void) -> *mut pg_sys::List;
    pub fn exprInputCollation(expression: *const pg_sys::Node) -> Oid;
    pub fn contain_mutable_functions(clause: *mut pg_sys::Node) -> bool;
    pub fn contain_volatile_functions(clause: *mut pg_sys::Node) -> bool;
    pub fn check_functions_in_node(
        node: *mut pg_sys::Node,
        checker: unsafe extern "C-unwind" fn(Oid, *mut c_void) -> bool,
        context: *mut c_void,
    ) -> bool;
    pub fn type_is_enum(type_oid: Oid) -> bool;
    pub fn get_base_element_type(type_oid: Oid) -> Oid;
    pub fn get_fn_expr_argtype(flinfo: *mut pg_sys::FmgrInfo, argnum: c_int) -> Oid;
    pub fn superuser_arg(role: Oid) -> bool;
    #[cfg(feature = "pg15")]
    #[link_name = "raw_expression_tree_walker"]
    pub fn walk_raw(node: *mut pg_sys::Node, walker: Walker, context: *mut c_void) -> bool;
    #[cfg(not(feature = "pg15"))]
    #[link_name = "raw_expression_tree_walker_impl"]
    pub fn walk_raw(node: *mut pg_sys::Node, walker: Walker, context: *mut c_void) -> bool;
    pub fn ChangeVarNodes(node: *mut pg_sys::Node, from: c_int, to: c_int, sublevels_up: c_int);
    #[cfg(feature = "pg15")]
    #[link_name = "expression_tree_walker"]
    pub fn walk_expression(node: *mut pg_sys::Node, walker: Walker, context: *mut c_void) -> bool;
    #[cfg(not(feature = "pg15"))]
    #[link_name = "expression_tree_walker_impl"]
    pub fn walk_expression(node: *mut pg_sys::Node, walker: Walker, context: *mut c_void) -> bool;
}

/// What PostgreSQL's expression walkers call for each node.
pub type Walker = unsafe extern "C-unwind" fn(*mut pg_sys::Node, *mut c_void) -> bool;

/// The head of PostgreSQL's `Subscription`, the same in 15 to 18 (catalog/pg_subscription.h).
#[repr(C)]
pub struct Subscription {
    oid: Oid,
    dbid: Oid,
    skiplsn: u64,
    pub name: *const c_char,
    pub owner: Oid,
}
