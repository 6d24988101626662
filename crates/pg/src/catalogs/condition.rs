//! A guard's condition: parses the text to one expression over NEW, checks it, and keeps it as a
//! tree.
//!
//! The trigger's WHEN is built from this tree. The text is never put into a statement. The text is
//! parsed as the table's owner, in a security-restricted operation. So a role that makes or repairs
//! a guard gives its rights to nobody.

use super::catalog::Relation;
use super::condition_text::{self, refuse};
use super::expression;
use super::identity::{self, Restriction};
use crate::frame::native;
use crate::frame::plain::catching_longjmp;
use crate::frame::savepoint;
use crate::frame::settings;
use crate::frame::text;
use crate::report::{Report, SqlState};
use pgrx::pg_sys::{self, Node};
use pgrx::{PgList, PgTryBuilder};
use std::panic::AssertUnwindSafe;

/// The most columns that a condition may name.
pub const COLUMNS_CAP: usize = 16;

/// The longest condition, in bytes: it is evaluated for each row.
const TEXT_CAP: usize = 8_192;

/// `(condition) IS NOT FALSE` as a raw parse tree, and the columns that it reads.
pub struct Condition {
    raw: *mut Node,
    pub columns: Vec<String>,
}

impl Condition {
    pub(crate) fn node(&self) -> *mut Node {
        // SAFETY: a node tree in the current memory context.
        unsafe { pg_sys::copyObjectImpl(self.raw.cast()).cast() }
    }

    /// Parses and checks `text` for `relation`. Times without a zone are UTC, dates are ISO, and
    /// types are named with their schema. So the same text is the same condition, whoever makes or
    /// repairs the guard.
    ///
    /// # Errors
    ///
    /// 42601 when it does not parse as one expression; 22023 when it uses what a guard cannot rely
    /// on: OLD, subqueries, whole rows, system columns, values that users can change, functions
    /// that are not in condition_allowed.txt.
    pub fn parse(text: &str, relation: &Relation) -> Result<Self, Report> {
        exactly(relation, || {
            let raw = parse_expression(text)?;
            condition_text::check(raw, relation)?;
            // SAFETY: builds nodes in the current memory context; the relation is open meanwhile.
            unsafe {
                let test = pg_sys::palloc0(std::mem::size_of::<pg_sys::BooleanTest>())
                    .cast::<pg_sys::BooleanTest>();
                (*test).xpr.type_ = pg_sys::NodeTag::T_BooleanTest;
                (*test).arg = raw.cast();
                (*test).booltesttype = pg_sys::BoolTestType::IS_NOT_FALSE;
                (*test).location = -1;
                let analyzed = analyzed(relation, test.cast())?;
                let columns = checked_columns(analyzed, relation)?;
                Ok(Self {
                    raw: test.cast(),
                    columns,
                })
            }
        })
    }
}

fn exactly<T>(relation: &Relation, f: impl FnOnce() -> Result<T, Report>) -> Result<T, Report> {
    identity::as_role(relation.owner, Restriction::SecurityRestricted, || {
        settings::reading(f)
    })
}

/// Refuses a text that means something else under the session's settings than [`Condition::parse`]
/// has read. Call [`Condition::parse`] first.
///
/// # Errors
///
/// 22023; those of [`Condition::parse`].
pub fn must_not_depend_on_settings(text: &str, relation: &Relation) -> Result<(), Report> {
    let read = || {
        let raw = parse_expression(text)?;
        // SAFETY: a raw expression in the current memory context.
        unsafe { analyzed(relation, raw) }
    };
    let exact = exactly(relation, read)?;
    // Names of types are not compared here.
    let here = identity::as_role(relation.owner, Restriction::SecurityRestricted, || {
        settings::with(&[settings::SEARCH_PATH], read)
    })?;
    // SAFETY: two analyzed expressions in the current memory context.
    if unsafe { pg_sys::equal(exact.cast(), here.cast()) } {
        return Ok(());
    }
    Err(Report::new(
        SqlState::InvalidParameter,
        "argument \"condition\": this session's TimeZone, DateStyle or IntervalStyle gives it another meaning than a guard does",
    )
    .hint("Write dates as in ISO 8601, and times with their zone: '2026-01-31 12:00+00'."))
}

/// Turns PostgreSQL's error into ours, which names the argument.
fn caught<T>(f: impl FnOnce() -> T) -> Result<T, Report> {
    PgTryBuilder::new(AssertUnwindSafe(|| Ok(f())))
        .catch_others(|error| match error {
            pg_sys::panic::CaughtError::PostgresError(report)
                if savepoint::is_of_the_value(report.sql_error_code()) =>
            {
                use pgrx::PgSqlErrorCode as Code;
                let state = match report.sql_error_code() {
                    Code::ERRCODE_UNDEFINED_COLUMN | Code::ERRCODE_UNDEFINED_TABLE => {
                        SqlState::UndefinedColumn
                    }
                    Code::ERRCODE_SYNTAX_ERROR => SqlState::Syntax,
                    _ => SqlState::InvalidParameter,
                };
                // We add IS NOT FALSE around the condition; the user has not written it.
                let message = report.message().replace("argument of IS NOT FALSE", "it");
                Err(refuse(state, message))
            }
            other => other.rethrow(),
        })
        .execute()
}

fn parse_expression(text: &str) -> Result<*mut Node, Report> {
    if text.len() > TEXT_CAP {
        return Err(refuse(
            SqlState::InvalidParameter,
            format!("it has {} bytes, and may have {TEXT_CAP}", text.len()),
        )
        .hint("Keep the fact in a column of the table, such as the kind of a room, and test that column."));
    }
    let c = text::c_string(text);
    let list = caught(|| {
        // SAFETY: NUL-terminated; parsing looks at no catalog.
        unsafe { pg_sys::raw_parser(c.as_ptr(), pg_sys::RawParseMode::RAW_PARSE_PLPGSQL_EXPR) }
    })?;
    // SAFETY: the grammar returns one RawStmt around a SelectStmt; everything except a single bare
    // target is refused.
    unsafe {
        let statements = PgList::<pg_sys::RawStmt>::from_pg(list);
        let select = statements
            .get_ptr(0)
            .map(|statement| (*statement).stmt.cast::<pg_sys::SelectStmt>());
        let one_expression = |select: *mut pg_sys::SelectStmt| {
            let select = &*select;
            let lists = [
                select.distinctClause,
                select.fromClause,
                select.groupClause,
                select.windowClause,
                select.valuesLists,
                select.sortClause,
                select.lockingClause,
            ];
            let nodes = [
                select.whereClause,
                select.havingClause,
                select.limitOffset,
                select.limitCount,
            ];
            let targets = PgList::<pg_sys::ResTarget>::from_pg(select.targetList);
            let target = targets.get_ptr(0).filter(|_| targets.len() == 1)?;
            let bare = (*target).name.is_null() && (*target).indirection.is_null();
            (lists.iter().all(|list| list.is_null())
                && nodes.iter().all(|node| node.is_null())
                && select.intoClause.is_null()
                && select.withClause.is_null()
                && select.op == pg_sys::SetOperation::SETOP_NONE
                && bare)
                .then_some((*target).val)
        };
        select
            .filter(|select| (**select).type_ == pg_sys::NodeTag::T_SelectStmt)
            .and_then(one_expression)
            .ok_or_else(|| refuse(SqlState::Syntax, "it must be one expression"))
    }
}

/// # Safety
///
/// `raw` is a raw expression in the current memory context.
unsafe fn analyzed(relation: &Relation, raw: *mut Node) -> Result<*mut Node, Report> {
    // SAFETY: the relation is open meanwhile.
    unsafe {
        let rel = pg_sys::table_open(relation.oid, pg_sys::AccessShareLock as i32);
        let analyzed = caught(|| analyze(rel, raw));
        pg_sys::table_close(rel, pg_sys::NoLock as i32);
        analyzed
    }
}

/// # Safety
///
/// `rel` is open; `raw` is a raw expression.
unsafe fn analyze(rel: pg_sys::Relation, raw: *mut Node) -> *mut Node {
    // SAFETY: a parse state with NEW as its only relation.
    unsafe {
        let pstate = pg_sys::make_parsestate(std::ptr::null_mut());
        let alias = pg_sys::makeAlias(c"new".as_ptr(), std::ptr::null_mut());
        let item = pg_sys::addRangeTableEntryForRelation(
            pstate,
            rel,
            pg_sys::AccessShareLock as i32,
            alias,
            false,
            false,
        );
        pg_sys::addNSItemToQuery(pstate, item, false, true, false);
        let copy = pg_sys::copyObjectImpl(raw.cast()).cast::<Node>();
        let expression = pg_sys::ffi::pg_guard_ffi_boundary(|| {
            native::transformWhereClause(
                pstate,
                copy,
                pg_sys::ParseExprKind::EXPR_KIND_TRIGGER_WHEN,
                c"WHEN".as_ptr(),
            )
        });
        pg_sys::assign_expr_collations(pstate, expression);
        expression
    }
}

/// # Safety
///
/// `expression` is an analyzed expression over one relation.
unsafe fn checked_columns(
    expression: *mut Node,
    relation: &Relation,
) -> Result<Vec<String>, Report> {
    // SAFETY: walkers over a node tree.
    unsafe {
        let uses = catching_longjmp(|plain| expression::uses(expression, plain));
        if let Some(problem) = uses.problem() {
            let report = refuse(SqlState::InvalidParameter, problem.what);
            return Err(match problem.instead {
                Some(instead) => report.hint(format!("Write instead: {instead}")),
                None => report,
            });
        }
        let mut set = std::ptr::null_mut();
        pg_sys::pull_varattnos(expression, 1, &mut set);
        let mut columns = Vec::new();
        let mut member = -1;
        loop {
            member = pg_sys::bms_next_member(set, member);
            if member < 0 {
                break;
            }
            let attnum = member + pg_sys::FirstLowInvalidHeapAttributeNumber;
            let column = relation
                .columns
                .iter()
                .find(|column| i32::from(column.attnum) == attnum);
            columns.push(column.map(|column| column.name.clone()).ok_or_else(|| {
                refuse(
                    SqlState::InvalidParameter,
                    "it uses a whole row or a system column: name the columns",
                )
            })?);
        }
        if columns.is_empty() || columns.len() > COLUMNS_CAP {
            return Err(refuse(
                SqlState::InvalidParameter,
                format!("it must use 1 to {COLUMNS_CAP} columns of NEW"),
            ));
        }
        Ok(columns)
    }
}
