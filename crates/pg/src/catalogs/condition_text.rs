//! Checks the raw parse tree of a condition, before PostgreSQL analyzes it.
//!
//! The analysis gives each literal its type by the type's input function. For domains in
//! composites, ranges and arrays, this runs code of the domain's owner. So this check refuses all
//! names that could lead to such a type.

use super::catalog::{self, Relation};
use super::expression;
use crate::frame::native;
use crate::frame::plain::{PlainFrame, catching_longjmp};
use crate::frame::text;
use crate::report::{Report, SqlState};
use pgrx::PgList;
use pgrx::pg_sys::{self, Node, NodeTag};
use std::ffi::{CStr, c_void};

/// The names in a raw expression, in palloc'ed memory.
#[derive(Clone, Copy)]
struct Named {
    /// ColumnRefs whose values are compared, or passed to something else.
    columns: *mut pg_sys::List,
    types: *mut pg_sys::List,
    other_schema: bool,
    other_node: NodeTag,
}

/// Refuses a raw expression that names types, functions or operators of a user. Refuses columns
/// whose types have literals that would run a user's code.
///
/// # Errors
///
/// 22023.
pub(crate) fn check(raw: *mut Node, relation: &Relation) -> Result<(), Report> {
    let named = catching_longjmp(|plain| named(raw, plain));
    let refuse = |what: String| Err(refuse(SqlState::InvalidParameter, what));
    match named.other_node {
        NodeTag::T_Invalid => {}
        NodeTag::T_SubLink => {
            return refuse("cannot use subquery in trigger WHEN condition".to_owned());
        }
        _ => {
            return refuse(
                "it uses something else than columns of NEW (not their attributes), constants, casts, operators, CASE and functions".to_owned(),
            );
        }
    }
    if named.other_schema {
        return refuse(
            "it uses a function, operator, domain, collation or attribute that is not built in, and could be replaced later".to_owned(),
        );
    }
    // SAFETY: lists of such nodes.
    unsafe {
        for column in PgList::<pg_sys::ColumnRef>::from_pg(named.columns).iter_ptr() {
            check_column(column, relation)?;
        }
        for type_name in PgList::<pg_sys::TypeName>::from_pg(named.types).iter_ptr() {
            check_type(type_name)?;
        }
    }
    Ok(())
}

/// # Safety
///
/// `column` is a node of the grammar.
unsafe fn check_column(column: *mut pg_sys::ColumnRef, relation: &Relation) -> Result<(), Report> {
    // SAFETY: a list of String and A_Star nodes.
    let names = unsafe { PgList::<Node>::from_pg((*column).fields) };
    for (i, field) in names.iter_ptr().enumerate() {
        // SAFETY: the tag tells the node's type.
        let name = unsafe {
            match (*field).type_ {
                NodeTag::T_String => text::owned((*field.cast::<pg_sys::String>()).sval),
                _ => String::new(),
            }
        };
        let found = relation.column(&name);
        if found.is_none() && i + 1 == names.len() && (name.is_empty() || i == 0 && name == "new") {
            return Err(refuse(
                SqlState::InvalidParameter,
                "it uses a whole row or a system column: name the columns",
            ));
        }
        if let Some(column) = found
            && !catalog::is_read_without_users_code(column.base_type)
        {
            return Err(refuse(
                SqlState::InvalidParameter,
                format!(
                    "column \"{name}\" is of type {}, whose values may be read by code of that type's owner: it can only be asked whether it IS NULL",
                    catalog::type_name(column.type_oid)
                ),
            ));
        }
    }
    Ok(())
}

/// # Safety
///
/// `type_name` is a node of the grammar.
unsafe fn check_type(type_name: *mut pg_sys::TypeName) -> Result<(), Report> {
    // SAFETY: missing_ok; uses the present search_path.
    let found = unsafe { pg_sys::LookupTypeNameOid(std::ptr::null_mut(), type_name, true) };
    // For a type that does not exist, the analysis raises the error.
    if found == pg_sys::InvalidOid || expression::is_plain_value(found) {
        return Ok(());
    }
    Err(refuse(
        SqlState::InvalidParameter,
        format!(
            "it uses a value of type {}, which users can change, or which names an object that users can change",
            catalog::type_name(found)
        ),
    ))
}

fn named(raw: *mut Node, _plain: PlainFrame) -> Named {
    let mut named = Named {
        columns: std::ptr::null_mut(),
        types: std::ptr::null_mut(),
        other_schema: false,
        other_node: NodeTag::T_Invalid,
    };
    // SAFETY: the walker's context is a `Named`; frames are plain.
    unsafe { collect(raw, (&raw mut named).cast()) };
    named
}

/// # Safety
///
/// A walker for PostgreSQL: `node` is NULL or a node of the grammar, `context` a `Named`.
unsafe extern "C-unwind" fn collect(node: *mut Node, context: *mut c_void) -> bool {
    // SAFETY: see above; the tag tells the node's type.
    unsafe {
        if node.is_null() {
            return false;
        }
        let named = context.cast::<Named>();
        match (*node).type_ {
            NodeTag::T_List
            | NodeTag::T_A_Const
            | NodeTag::T_BoolExpr
            | NodeTag::T_BooleanTest
            | NodeTag::T_CaseExpr
            | NodeTag::T_CaseWhen
            | NodeTag::T_CoalesceExpr
            | NodeTag::T_MinMaxExpr
            | NodeTag::T_A_ArrayExpr
            | NodeTag::T_A_Indirection
            | NodeTag::T_A_Indices
            | NodeTag::T_RowExpr
            | NodeTag::T_CollateClause
            | NodeTag::T_TypeCast => {}
            NodeTag::T_NullTest => {
                // A column of any type can be NULL.
                let tested = (*node.cast::<pg_sys::NullTest>()).arg.cast::<Node>();
                if (*tested).type_ == NodeTag::T_ColumnRef
                    && length((*tested.cast::<pg_sys::ColumnRef>()).fields) == 2
                {
                    return false;
                }
            }
            NodeTag::T_A_Expr => {
                let name = (*node.cast::<pg_sys::A_Expr>()).name;
                (*named).other_schema |= !is_built_in_name(name);
            }
            NodeTag::T_FuncCall => {
                let name = (*node.cast::<pg_sys::FuncCall>()).funcname;
                (*named).other_schema |= !is_built_in_name(name);
            }
            NodeTag::T_ColumnRef => {
                (*named).columns = native::lappend((*named).columns, node.cast());
                return false;
            }
            NodeTag::T_TypeName => {
                (*named).types = native::lappend((*named).types, node.cast());
                return false;
            }
            other => {
                (*named).other_node = other;
                return true;
            }
        }
        native::walk_raw(node, collect, context)
    }
}

/// Whether the name has no schema (then it is looked up in pg_catalog alone), or the schema
/// pg_catalog.
///
/// # Safety
///
/// `name` is NIL or a list of String nodes.
unsafe fn is_built_in_name(name: *mut pg_sys::List) -> bool {
    // SAFETY: see above.
    unsafe {
        match length(name) {
            0 | 1 => true,
            2 => {
                let schema = (*(*name).elements).ptr_value.cast::<pg_sys::String>();
                CStr::from_ptr((*schema).sval) == c"pg_catalog"
            }
            _ => false,
        }
    }
}

/// # Safety
///
/// `list` is NIL or a list.
unsafe fn length(list: *mut pg_sys::List) -> i32 {
    // SAFETY: see above.
    unsafe { list.as_ref() }.map_or(0, |list| list.length)
}

pub(crate) fn refuse(state: SqlState, what: impl std::fmt::Display) -> Report {
    Report::new(state, format!("argument \"condition\": {what}"))
        .hint("One expression over NEW with built-in immutable functions and operators only, such as 'NEW.session_type = 1'; types of your own with their schema.")
}
