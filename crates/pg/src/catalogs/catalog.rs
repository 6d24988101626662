//! What the catalogs say: names, owners, columns, partition trees.

pub use super::types::{
    base_type_with, element_type, function_signature, has_own_equality, is_enum,
    is_read_by_postgres, is_read_without_users_code, relation_of_row_type, type_name,
    type_name_with,
};
use crate::frame::native;
use crate::frame::text::{c_string, owned};
pub use crate::frame::text::{literal, quote};
use crate::report::{Report, SqlState};
use pgrx::pg_sys::{self, Oid};
use serde_json::{Map, Value};
use std::ffi::CStr;

/// The schema that everything of ours lives in.
pub const SCHEMA: &str = "verdict";

/// A relation by name, as the registry keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    pub schema: String,
    pub table: String,
}

impl std::fmt::Display for Name {
    /// Quoted where SQL needs it: what a DBA can paste.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", quote(&self.schema), quote(&self.table))
    }
}

/// A column as far as a guard cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub attnum: i16,
    pub type_oid: Oid,
    /// Base type below any domains.
    pub base_type: Oid,
    pub typmod: i32,
    /// `None`: it is not.
    pub generated: Option<Generated>,
}

/// How a column is generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generated {
    Stored,
    Virtual,
}

/// What a relation is, in the words of an error message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelationKind {
    Table,
    Partitioned,
    View,
    MaterializedView,
    Foreign,
    Other,
}

/// The relation's own facts.
#[derive(Clone, Debug)]
pub struct Relation {
    pub oid: Oid,
    pub name: Name,
    pub kind: RelationKind,
    pub owner: Oid,
    pub temporary: bool,
    pub is_partition: bool,
    pub is_catalog: bool,
    pub columns: Vec<Column>,
}

impl Relation {
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Name → attribute number, of those columns that are there.
    pub fn attnums(&self, names: Vec<String>) -> Map<String, Value> {
        let attnum = |name: String| Some((self.column(&name)?.attnum, name));
        let found = names.into_iter().filter_map(attnum);
        found.map(|(attnum, name)| (name, attnum.into())).collect()
    }
}

/// Reads what `verdict.guard` and the guard cache need to know of a relation.
///
/// # Errors
///
/// Undefined object when it is gone.
pub fn relation(oid: Oid) -> Result<Relation, Report> {
    // SAFETY: NULL for a relation that is gone, also when it goes while we wait for its lock;
    // closed again.
    unsafe {
        let rel = pg_sys::try_relation_open(oid, pg_sys::AccessShareLock as i32);
        if rel.is_null() {
            return Err(Report::new(
                SqlState::UndefinedObject,
                format!("relation with OID {} does not exist", oid.to_u32()),
            ));
        }
        let class = &*(*rel).rd_rel;
        let kind = match class.relkind as u8 {
            pg_sys::RELKIND_RELATION => RelationKind::Table,
            pg_sys::RELKIND_PARTITIONED_TABLE => RelationKind::Partitioned,
            pg_sys::RELKIND_VIEW => RelationKind::View,
            pg_sys::RELKIND_MATVIEW => RelationKind::MaterializedView,
            pg_sys::RELKIND_FOREIGN_TABLE => RelationKind::Foreign,
            _ => RelationKind::Other,
        };
        let temporary = class.relpersistence as u8 == pg_sys::RELPERSISTENCE_TEMP;
        let facts = Relation {
            oid,
            name: Name {
                // The session's own schema has a number in its name that nobody can use elsewhere.
                schema: match temporary {
                    true => "pg_temp".to_owned(),
                    false => owned(pg_sys::get_namespace_name(class.relnamespace)),
                },
                table: owned(class.relname.data.as_ptr()),
            },
            kind,
            owner: class.relowner,
            temporary,
            is_partition: class.relispartition,
            is_catalog: pg_sys::IsCatalogRelation(rel) || pg_sys::IsToastRelation(rel),
            columns: columns((*rel).rd_att),
        };
        pg_sys::relation_close(rel, pg_sys::AccessShareLock as i32);
        Ok(facts)
    }
}

/// # Safety
///
/// `desc` is a valid tuple descriptor.
unsafe fn columns(desc: pg_sys::TupleDesc) -> Vec<Column> {
    // SAFETY: attnums run from 1 to natts.
    unsafe {
        (1..=(*desc).natts)
            .map(|attnum| attribute(desc, attnum))
            .filter(|attribute| !attribute.attisdropped)
            .map(|attribute| Column {
                name: owned(attribute.attname.data.as_ptr()),
                attnum: attribute.attnum,
                type_oid: attribute.atttypid,
                base_type: pg_sys::getBaseType(attribute.atttypid),
                typmod: attribute.atttypmod,
                generated: match attribute.attgenerated as u8 {
                    b's' => Some(Generated::Stored),
                    b'v' => Some(Generated::Virtual),
                    _ => None,
                },
            })
            .collect()
    }
}

/// # Safety
///
/// `desc` is valid and 1 ≤ `attnum` ≤ natts.
pub(crate) unsafe fn attribute<'a>(
    desc: pg_sys::TupleDesc,
    attnum: i32,
) -> &'a pg_sys::FormData_pg_attribute {
    // SAFETY: see above. 18 moved the attribute array behind a run of compact ones (TupleDescAttr).
    #[cfg(feature = "pg18")]
    return unsafe { &*pg_sys::TupleDescAttr(desc, attnum - 1) };
    #[cfg(not(feature = "pg18"))]
    return unsafe { &(*desc).attrs.as_slice((*desc).natts as usize)[attnum as usize - 1] };
}

/// The OID of `verdict.<name>`.
///
/// # Errors
///
/// Undefined object when the extension's SQL is not installed here.
pub fn own_relation(name: &str) -> Result<Oid, Report> {
    let missing = || {
        Report::new(
            SqlState::UndefinedObject,
            format!("table {SCHEMA}.{name} does not exist"),
        )
        .hint(
            "Is the extension pg_verdict installed in this database? CREATE EXTENSION pg_verdict;",
        )
    };
    find(SCHEMA, name).ok_or_else(missing)
}

/// Who owns the relation.
pub fn owner(oid: Oid) -> Oid {
    // SAFETY: an existing relation, opened under a lock.
    unsafe {
        let rel = pg_sys::relation_open(oid, pg_sys::AccessShareLock as i32);
        let owner = (*(*rel).rd_rel).relowner;
        pg_sys::relation_close(rel, pg_sys::AccessShareLock as i32);
        owner
    }
}

/// What tells this database from every other one, and from itself after a restore: within one
/// origin an OID means one object.
pub fn origin() -> Option<String> {
    let quarantine = find(SCHEMA, "quarantine")?;
    // SAFETY: both read backend state.
    let (system, database) = unsafe { (pg_sys::GetSystemIdentifier(), pg_sys::MyDatabaseId) };
    Some(format!(
        "{system}/{}/{}",
        database.to_u32(),
        quarantine.to_u32()
    ))
}

/// Whether `verdict.<name>` is there: an older version of the SQL lacks some, and none is left when
/// the extension was dropped in this transaction.
pub fn has_own(name: &str) -> bool {
    find(SCHEMA, name).is_some()
}

/// A relation by schema and name, or `None`.
pub fn find(schema: &str, name: &str) -> Option<Oid> {
    let (schema, name) = (c_string(schema), c_string(name));
    // SAFETY: NUL-terminated names; both look-ups return InvalidOid for what is not there.
    unsafe {
        let namespace = pg_sys::get_namespace_oid(schema.as_ptr(), true);
        if namespace == pg_sys::InvalidOid {
            return None;
        }
        let oid = pg_sys::get_relname_relid(name.as_ptr(), namespace);
        (oid != pg_sys::InvalidOid).then_some(oid)
    }
}

/// Whether a statement of this session that has not ended works with the relation, or a cursor is
/// open on it.
pub fn is_in_use(oid: Oid) -> bool {
    // SAFETY: open, count and close. The relcache itself holds the relations that it never gives
    // up.
    unsafe {
        let rel = pg_sys::relation_open(oid, pg_sys::AccessShareLock as i32);
        let ours = if (*rel).rd_isnailed { 2 } else { 1 };
        let used = (*rel).rd_refcnt > ours;
        pg_sys::relation_close(rel, pg_sys::NoLock as i32);
        used
    }
}

/// The topmost partitioned table above a partition, or the relation itself.
pub fn root(oid: Oid) -> Oid {
    ancestors(oid).last().copied().unwrap_or(oid)
}

/// The partitioned tables above a partition, the nearest first; empty for any other table.
pub fn ancestors(oid: Oid) -> Vec<Oid> {
    // SAFETY: the callee returns a list of OIDs for a partition, and raises for anything else.
    unsafe {
        if !pg_sys::get_rel_relispartition(oid) {
            return Vec::new();
        }
        let ancestors = pg_sys::ffi::pg_guard_ffi_boundary(|| native::get_partition_ancestors(oid));
        let list = pgrx::PgList::<std::ffi::c_void>::from_pg(ancestors);
        (0..list.len()).filter_map(|i| list.get_oid(i)).collect()
    }
}

/// All relations of a partition tree, the root included, each locked in `lockmode` until the
/// transaction ends.
pub fn tree(root: Oid, lockmode: u32) -> Vec<Oid> {
    // SAFETY: the list holds OIDs; no numparents wanted.
    unsafe {
        let members = pg_sys::ffi::pg_guard_ffi_boundary(|| {
            native::find_all_inheritors(root, lockmode as i32, std::ptr::null_mut())
        });
        let list = pgrx::PgList::<std::ffi::c_void>::from_pg(members);
        (0..list.len()).filter_map(|i| list.get_oid(i)).collect()
    }
}

/// What merely inherits from the table, at any distance: not its partitions.
pub fn inheritors(relation: Oid) -> Vec<Oid> {
    let mut found = tree(relation, pg_sys::NoLock);
    // SAFETY: a syscache look-up.
    found.retain(|oid| *oid != relation && unsafe { !pg_sys::get_rel_relispartition(*oid) });
    found
}

/// Whether the current role may read the table.
pub fn may_select(relation: Oid) -> bool {
    // SAFETY: a syscache look-up.
    unsafe {
        pg_sys::pg_class_aclcheck(
            relation,
            pg_sys::GetUserId(),
            pg_sys::ACL_SELECT as pg_sys::AclMode,
        ) == pg_sys::AclResult::ACLCHECK_OK
    }
}

/// Whether row level security would hide rows of the relation from the current role.
pub fn hides_rows(relation: Oid) -> bool {
    // SAFETY: syscache look-ups; no_error.
    let rls = unsafe { pg_sys::check_enable_rls(relation, pg_sys::InvalidOid, true) };
    rls == pg_sys::CheckEnableRlsResult::RLS_ENABLED as i32
}

/// Whether the column is part of this table's partition key. `false` for a table that is not
/// partitioned.
pub fn partitioned_by(relation: Oid, attnum: i16) -> bool {
    // SAFETY: open, ask and close; the set holds the offset attribute number, as the callee wants
    // it.
    unsafe {
        let rel = pg_sys::relation_open(relation, pg_sys::AccessShareLock as i32);
        let partitioned = (*(*rel).rd_rel).relkind as u8 == pg_sys::RELKIND_PARTITIONED_TABLE;
        let position = i32::from(attnum) - pg_sys::FirstLowInvalidHeapAttributeNumber;
        let set = pg_sys::bms_make_singleton(position);
        let mut in_expression = false;
        let found = partitioned
            && pg_sys::ffi::pg_guard_ffi_boundary(|| {
                native::has_partition_attrs(rel, set, &mut in_expression)
            });
        pg_sys::relation_close(rel, pg_sys::NoLock as i32);
        found
    }
}

/// The table and its partitions, root first, each locked in `lockmode`. Not what merely inherits
/// from it: a guard's triggers do not stand there.
pub fn parts(relation: &Relation, lockmode: u32) -> Vec<Oid> {
    match relation.kind {
        RelationKind::Partitioned => tree(relation.oid, lockmode),
        _ => {
            if lockmode != pg_sys::NoLock {
                // SAFETY: waits for the lock and hears what was committed meanwhile; guarded by
                // pgrx.
                unsafe { pg_sys::LockRelationOid(relation.oid, lockmode as i32) };
            }
            vec![relation.oid]
        }
    }
}

/// The OID of our function that takes no arguments.
///
/// # Errors
///
/// Undefined object when the extension's SQL is not installed here.
pub fn own_trigger_function(name: &str) -> Result<Oid, Report> {
    let (schema, function) = (c_string(SCHEMA), c_string(name));
    // SAFETY: builds a two-element name list of String nodes; missing_ok.
    unsafe {
        let mut names = pgrx::PgList::<pg_sys::Node>::new();
        names.push(pg_sys::makeString(pg_sys::pstrdup(schema.as_ptr())).cast());
        names.push(pg_sys::makeString(pg_sys::pstrdup(function.as_ptr())).cast());
        let oid = pg_sys::LookupFuncName(names.into_pg(), 0, std::ptr::null(), true);
        if oid == pg_sys::InvalidOid {
            return Err(Report::new(
                SqlState::UndefinedObject,
                format!("function {SCHEMA}.{name}() does not exist"),
            ));
        }
        Ok(oid)
    }
}

/// Keeps mistyped settings with our prefix from being accepted as placeholders.
pub fn reserve_setting_prefix(prefix: &'static CStr) {
    // SAFETY: NUL-terminated constant.
    unsafe { pg_sys::MarkGUCPrefixReserved(prefix.as_ptr()) }
}
