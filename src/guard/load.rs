//! Reads the guards of a table from the registry, for the cache.

use super::glass;
use super::info::{
    BOUND_CAP, CachedGuard, FlagType, GuardInfo, GuardedColumn, TRIGGER_NAME_CAP, WritableColumn,
};
use super::registry::{self, Guard};
use super::trigger_kind::{TriggerKind, trigger_name};
use crate::store::hooks::{self, Hook};
use pg::catalog::{self, Name, Relation};
use pg::columns::reader_of;
use pg::report::{About, Report, SqlState};
use pg::{condition, defaults, relcache};
use pgrx::pg_sys::Oid;
use std::collections::HashSet;
use std::ffi::CString;
use std::rc::Rc;
use verdict::{FIELDS_CAP, Policy};

/// Reads the guards of `table`, or of the table that it is a partition of.
///
/// # Errors
///
/// VD009 for a guard that cannot be read, or whose hook or columns are gone.
pub fn load(table: Oid) -> Result<Vec<CachedGuard>, Report> {
    let root = catalog::root(table);
    let facts = catalog::relation(table)?;
    let root_facts = if root == table {
        facts.clone()
    } else {
        catalog::relation(root)?
    };
    let own = [
        catalog::own_relation("guards")?,
        catalog::own_relation("hooks")?,
    ];
    // An older version of the SQL has no glass to break.
    let glass = catalog::find(catalog::SCHEMA, "glass");
    let ancestors = catalog::ancestors(table);
    for watched in [table]
        .into_iter()
        .chain(ancestors.iter().copied())
        .chain(own)
        .chain(glass)
    {
        relcache::watch(watched);
    }
    let columns: Rc<[WritableColumn]> = writable_columns(&facts, &ancestors).into();
    let hooks = hooks::all()?;
    let glass_until = glass::broken_until(&root_facts.name)?;
    registry::guards_of(&root_facts.name)?
        .into_iter()
        .map(|guard| {
            let hook = hooks.iter().find(|hook| hook.id == guard.hook_id);
            let hook =
                hook.ok_or_else(|| misconfigured(&guard, &facts, "its hook does not exist"))?;
            resolve(guard, hook, &facts, &columns, &root_facts.name, glass_until)
        })
        .collect()
}

fn writable_columns(table: &Relation, ancestors: &[Oid]) -> Vec<WritableColumn> {
    // A partition may have other defaults than its parent. PostgreSQL uses the defaults of the
    // table that the statement names.
    let tables = [table.oid].into_iter().chain(ancestors.iter().copied());
    let changing: HashSet<String> = tables.flat_map(defaults::changing).collect();
    let given = table
        .columns
        .iter()
        .filter(|column| column.generated.is_none());
    let mut columns: Vec<WritableColumn> = given
        .map(|column| WritableColumn {
            name: column.name.clone(),
            attnum: column.attnum,
            changing: changing.contains(&column.name),
        })
        .collect();
    columns.sort_by(|one, other| one.name.cmp(&other.name));
    columns
}

/// VD009 for a registered guard that cannot work.
fn misconfigured(guard: &Guard, table: &Relation, why: &str) -> Report {
    Report::new(
        SqlState::GuardMisconfigured,
        format!(
            "VD009: guard \"{}\" on table {} cannot work: {why}",
            guard.name, table.name
        ),
    )
    .hint("Take it off and put it on again: verdict.unguard, then verdict.guard.")
    .about(About {
        schema: Some(table.name.schema.clone()),
        table: Some(table.name.table.clone()),
        constraint: Some(guard.name.clone()),
    })
}

/// Finds a guard's columns by name in one table.
struct Columns<'a> {
    guard: &'a Guard,
    table: &'a Relation,
}

impl Columns<'_> {
    fn find(&self, name: &str) -> Result<&catalog::Column, Report> {
        self.table.column(name).ok_or_else(|| {
            let why = format!("column \"{name}\" does not exist");
            misconfigured(self.guard, self.table, &why)
        })
    }

    fn readable(&self, name: &str, form: Option<&str>) -> Result<GuardedColumn, Report> {
        let found = self.find(name)?;
        let reader = reader_of(found.base_type, form).map_err(|_| {
            let why = format!("column \"{name}\" changed its type");
            misconfigured(self.guard, self.table, &why)
        })?;
        Ok(GuardedColumn {
            attnum: found.attnum,
            reader,
        })
    }

    fn key(&self) -> Result<Option<GuardedColumn>, Report> {
        let key = self.guard.key.as_ref();
        key.map(|key| self.readable(&key.name, key.form.as_deref()))
            .transpose()
    }

    fn content(&self) -> Result<[Option<GuardedColumn>; FIELDS_CAP], Report> {
        let mut content = [None; FIELDS_CAP];
        for (place, mapped) in content.iter_mut().zip(self.guard.content.values()) {
            *place = Some(self.readable(&mapped.name, mapped.form.as_deref())?);
        }
        Ok(content)
    }

    fn condition(&self) -> Result<[i16; condition::COLUMNS_CAP], Report> {
        let mut condition = [0; condition::COLUMNS_CAP];
        for (place, name) in condition.iter_mut().zip(&self.guard.condition_columns) {
            *place = self.find(name)?.attnum;
        }
        Ok(condition)
    }

    /// The flag column, with its type and type modifier.
    fn flag(&self) -> Result<Option<(GuardedColumn, FlagType)>, Report> {
        let Some((name, _)) = &self.guard.flag else {
            return Ok(None);
        };
        let found = self.find(name)?;
        Ok(Some((
            self.readable(name, None)?,
            FlagType {
                type_oid: found.type_oid,
                typmod: found.typmod,
            },
        )))
    }
}

/// Resolves a guard's columns on one table.
///
/// # Errors
///
/// VD009.
fn resolve(
    guard: Guard,
    hook: &Hook,
    table: &Relation,
    columns: &Rc<[WritableColumn]>,
    root: &Name,
    glass_until: i64,
) -> Result<CachedGuard, Report> {
    let found = Columns {
        guard: &guard,
        table,
    };
    let key = found.key()?;
    let content = found.content()?;
    let condition = found.condition()?;
    let flag = found.flag()?;
    let mut bound = [0; BOUND_CAP];
    let mut bound_len = 0;
    for column in key.iter().chain(content.iter().flatten()) {
        bound[bound_len] = column.attnum;
        bound_len += 1;
    }
    let generated = guard
        .columns_read()
        .iter()
        .filter_map(|name| table.column(name))
        .any(|column| column.generated.is_some());
    let info = GuardInfo {
        guard_id: guard.id,
        hook_id: hook.id,
        table: table.oid,
        partitioned: *root != table.name,
        policy: Policy {
            failed_continue: hook.failed_continue,
            ..guard.policy
        },
        locking: guard.locking,
        key,
        content,
        bound,
        bound_len,
        condition,
        condition_len: guard.condition_columns.len(),
        insert_trigger: padded(&trigger_name(guard.id, TriggerKind::AfterInsert)),
        flag: flag.map(|(column, _)| column),
        generated,
        glass_until,
    };
    Ok(CachedGuard {
        info,
        table: table.name.clone(),
        root: root.clone(),
        flag_type: flag.map(|(_, flag_type)| flag_type),
        fields: guard.content.keys().cloned().collect(),
        columns: columns.clone(),
        triggers: TriggerKind::ALL.map(|kind| {
            let name = trigger_name(guard.id, kind);
            (CString::new(name).unwrap_or_default(), kind)
        }),
        guard,
    })
}

fn padded(name: &str) -> [u8; TRIGGER_NAME_CAP] {
    let mut padded = [0; TRIGGER_NAME_CAP];
    for (place, byte) in padded.iter_mut().zip(name.as_bytes()) {
        *place = *byte;
    }
    padded
}
