//! The second verification: compares stored rows with the verdicts.

use crate::args;
use crate::guard::cache;
use crate::guard::info::GuardInfo;
use crate::judge::flag;
use crate::judge::judgement::{self, StoredRow};
use crate::store::hooks::{self, Hook};
use pg::catalog::{self, Relation, RelationKind};
use pg::clock;
use pg::columns::{self, RowSlot, Since};
use pg::plain::{PlainFrame, catching_longjmp};
use pg::report::{Report, SqlState};
use pg::rows::{self, TableRow};
use pgrx::datum::TimestampWithTimeZone;
use pgrx::pg_sys::{AccessShareLock, Oid};
use std::rc::Rc;
use verdict::Finding;

/// Which stored rows are compared.
pub struct Scope {
    pub hook: Rc<Hook>,
    pub relation: Relation,
    since: Option<(String, i64)>,
}

/// What is wrong with a stored row.
pub fn problem(finding: Finding) -> &'static str {
    match finding {
        Finding::Missing => "stored unasked",
        Finding::Denied => "stored though denied",
        Finding::Failed => "stored though failed",
        Finding::Altered => "stored altered",
        Finding::Revoked => "stored though revoked",
        // Never happens: see `judgement::stored_row`.
        Finding::Expired => "stored though expired",
        Finding::Reused => "stored though spent",
    }
}

impl Scope {
    /// Checks the arguments that the functions share.
    ///
    /// # Errors
    ///
    /// 22004, 42704, 42501, 42703, 22023.
    pub fn check(
        hook: Option<&str>,
        relation: Option<Oid>,
        since: Option<TimestampWithTimeZone>,
        time_column: Option<&str>,
    ) -> Result<Self, Report> {
        let hook = hooks::by_name(args::required("hook", hook)?)?;
        let relation = catalog::relation(args::required("relation", relation)?)?;
        if !catalog::may_select(relation.oid) {
            return Err(Report::new(
                SqlState::InsufficientPrivilege,
                format!("permission denied for table {}", relation.name),
            )
            .hint("It needs SELECT on the table whose rows it names."));
        }
        if catalog::hides_rows(relation.oid) {
            return Err(Report::new(
                SqlState::InsufficientPrivilege,
                format!("row security hides rows of table {}", relation.name),
            )
            .hint("It looks at every row: it needs the table's owner, or a role with BYPASSRLS."));
        }
        let since = match (time_column, since) {
            (None, _) => None,
            (Some(column), None) => {
                return Err(Report::new(
                    SqlState::NullNotAllowed,
                    format!(
                        "argument \"since\" must not be null when time_column is given (\"{column}\")"
                    ),
                ));
            }
            (Some(column), Some(since)) => {
                Some((time_column_of(&relation, column)?, clock::micros(since)))
            }
        };
        Ok(Self {
            hook,
            relation,
            since,
        })
    }

    /// Whether the scope is one partition of the guarded table.
    pub fn is_partition(&self) -> bool {
        self.relation.is_partition
    }

    /// Calls `visit` for every stored row under the hook's guard.
    ///
    /// # Errors
    ///
    /// 42704 for a table without a guard for the hook; those of `visit`.
    pub fn for_each_row(
        &self,
        mut visit: impl FnMut(StoredRow, TableRow, Oid) -> Result<(), Report>,
    ) -> Result<(), Report> {
        for table in catalog::parts(&self.relation, AccessShareLock) {
            let facts = catalog::relation(table)?;
            let info = self.guard_on(table)?;
            if facts.kind != RelationKind::Table {
                continue;
            }
            let since = match &self.since {
                None => None,
                Some((name, since)) => facts
                    .column(name)
                    .and_then(|column| Since::new(column, *since)),
            };
            rows::for_each(table, |row| {
                match catching_longjmp(|plain| looked_at(&info, row, since, plain)) {
                    None => Ok(()),
                    Some(seen) => visit(seen, row, table),
                }
            })?;
        }
        Ok(())
    }

    fn guard_on(&self, table: Oid) -> Result<GuardInfo, Report> {
        let guards = cache::guards_on(table)?;
        let found = guards
            .iter()
            .find(|cached| cached.info.hook_id == self.hook.id);
        found.map(|cached| cached.info).ok_or_else(|| {
            Report::new(
                SqlState::UndefinedObject,
                format!(
                    "table {} has no guard for hook \"{}\"",
                    self.relation.name, self.hook.name
                ),
            )
            .hint(
                "Put a guard on it with mode => 'observe': it says which columns to compare, and refuses nothing.",
            )
        })
    }
}

fn looked_at(
    info: &GuardInfo,
    row: TableRow,
    since: Option<Since>,
    plain: PlainFrame,
) -> Option<StoredRow> {
    let slot: RowSlot = row.slot();
    if !row.under_condition_of(info.insert_trigger(), plain) {
        return None;
    }
    let mut seen = judgement::stored_row(info, slot, plain);
    let is_older = since.is_some_and(|since| !columns::is_since(slot, since, plain));
    // A flagged row is no leak: its flag says that it has no approval.
    if is_older || info.flag.is_some() && flag::is_set_or_none(info, slot, plain) {
        seen.finding = None;
    }
    Some(seen)
}

/// # Errors
///
/// 42703, 22023.
fn time_column_of(relation: &Relation, name: &str) -> Result<String, Report> {
    let column = relation.column(name).ok_or_else(|| {
        Report::new(
            SqlState::UndefinedColumn,
            format!(
                "argument \"time_column\": column \"{name}\" of relation {} does not exist",
                relation.name
            ),
        )
    })?;
    if Since::new(column, 0).is_none() {
        return Err(Report::new(
            SqlState::InvalidParameter,
            format!(
                "argument \"time_column\": column \"{name}\" is of type {}",
                catalog::type_name(column.type_oid)
            ),
        )
        .hint("It must be timestamptz, timestamp (taken as UTC), or bigint (milliseconds since 1970)."));
    }
    Ok(name.to_owned())
}
