//! The functions, types and collations that an expression uses.
//!
//! The walkers' callbacks are plain C, written in Rust. What they call raises by `longjmp` through
//! PostgreSQL's frames to the one boundary at the root. The callbacks cannot panic, do not allocate
//! on Rust's heap, and have no boundary themselves.

use super::catalog;
use crate::frame::native;
use crate::frame::plain::PlainFrame;
use pgrx::pg_sys::{self, Node, NodeTag, Oid};
use std::collections::{HashMap, HashSet};
use std::ffi::{c_int, c_void};
use std::sync::OnceLock;

/// The deepest nesting that a condition may have. `a OR b OR c` is one level, `a + b + c` are two.
pub const DEPTH_CAP: c_int = 64;

/// What [`uses`] has found, in palloc'ed memory.
#[derive(Clone, Copy)]
pub(crate) struct Uses {
    functions: *mut pg_sys::List,
    /// The types of constants, and of the results of functions and casts.
    types: *mut pg_sys::List,
    collations: *mut pg_sys::List,
    /// Whether there is a node of an unknown kind.
    other_node: bool,
    /// Whether there is a function that PostgreSQL itself does not declare immutable.
    mutable: bool,
    depth: c_int,
    deepest: c_int,
}

/// Looks at an analyzed expression.
pub(crate) fn uses(expression: *mut Node, _plain: PlainFrame) -> Uses {
    let mut found = Uses {
        functions: std::ptr::null_mut(),
        types: std::ptr::null_mut(),
        collations: std::ptr::null_mut(),
        other_node: false,
        mutable: false,
        depth: 0,
        deepest: 0,
    };
    // SAFETY: the walker's context is a `Uses`; frames are plain.
    unsafe {
        collect(expression, (&raw mut found).cast());
        if !found.other_node {
            found.mutable = native::contain_mutable_functions(expression);
        }
    }
    found
}

/// # Safety
///
/// A walker for PostgreSQL: `node` is NULL or a node of an analyzed expression, `context` a `Uses`.
unsafe extern "C-unwind" fn collect(node: *mut Node, context: *mut c_void) -> bool {
    // SAFETY: see above; the tag tells the node's type.
    unsafe {
        if node.is_null() {
            return false;
        }
        let found = context.cast::<Uses>();
        match (*node).type_ {
            NodeTag::T_List
            | NodeTag::T_Var
            | NodeTag::T_OpExpr
            | NodeTag::T_DistinctExpr
            | NodeTag::T_NullIfExpr
            | NodeTag::T_ScalarArrayOpExpr
            | NodeTag::T_BoolExpr
            | NodeTag::T_CaseExpr
            | NodeTag::T_CaseWhen
            | NodeTag::T_CaseTestExpr
            | NodeTag::T_ArrayCoerceExpr
            | NodeTag::T_ArrayExpr
            | NodeTag::T_CoalesceExpr
            | NodeTag::T_MinMaxExpr
            | NodeTag::T_NullTest
            | NodeTag::T_BooleanTest
            | NodeTag::T_SubscriptingRef => {}
            NodeTag::T_RelabelType => {
                let relabel = node.cast::<pg_sys::RelabelType>();
                (*found).types = native::lappend_oid((*found).types, (*relabel).resulttype);
            }
            NodeTag::T_Const => {
                let constant = node.cast::<pg_sys::Const>();
                (*found).types = native::lappend_oid((*found).types, (*constant).consttype);
            }
            NodeTag::T_FuncExpr => {
                let call = node.cast::<pg_sys::FuncExpr>();
                (*found).types = native::lappend_oid((*found).types, (*call).funcresulttype);
            }
            NodeTag::T_CoerceViaIO => {
                let cast = node.cast::<pg_sys::CoerceViaIO>();
                (*found).types = native::lappend_oid((*found).types, (*cast).resulttype);
            }
            NodeTag::T_CollateExpr => {
                let collation = (*node.cast::<pg_sys::CollateExpr>()).collOid;
                (*found).collations = native::lappend_oid((*found).collations, collation);
            }
            // Whole rows, fields of composites, domains, subqueries, XML, SQL/JSON …
            _ => {
                (*found).other_node = true;
                return true;
            }
        }
        let collation = native::exprInputCollation(node);
        if collation != pg_sys::InvalidOid {
            (*found).collations = native::lappend_oid((*found).collations, collation);
        }
        native::check_functions_in_node(node, collect_function, context);
        let level = c_int::from((*node).type_ != NodeTag::T_List);
        (*found).depth += level;
        (*found).deepest = (*found).deepest.max((*found).depth);
        let stopped = native::walk_expression(node, collect, context);
        (*found).depth -= level;
        stopped
    }
}

/// # Safety
///
/// As [`collect`].
unsafe extern "C-unwind" fn collect_function(function: Oid, context: *mut c_void) -> bool {
    // SAFETY: see above.
    unsafe {
        let found = context.cast::<Uses>();
        (*found).functions = native::lappend_oid((*found).functions, function);
    }
    false
}

impl Uses {
    /// Whether the expression may run code that is not PostgreSQL's own, or may read anything
    /// except its arguments.
    ///
    /// The frame is plain: no Rust value is alive.
    pub(crate) fn runs_foreign_code(&self, plain: PlainFrame) -> bool {
        let is_built_in = |oid: Oid| oid.to_u32() < pg_sys::FirstNormalObjectId;
        self.other_node
            || self.mutable
            || !all(self.functions, is_built_in)
            || !all(self.types, |oid| {
                // SAFETY: a syscache look-up.
                is_built_in(oid) || unsafe { is_enum_or_array_of_one(oid, plain) }
            })
    }

    /// Why a guard cannot rely on the expression, or `None`. Runs inside a step.
    pub(crate) fn problem(&self) -> Option<Problem> {
        let problem = |what: &str| {
            Some(Problem {
                what: what.to_owned(),
                instead: None,
            })
        };
        if self.other_node {
            return problem(
                "it uses a domain, the attribute of a composite, a whole row, a subquery or another construct that is not built in, and could be replaced later",
            );
        }
        let names: Vec<(Oid, String)> = oids(self.functions)
            .map(|function| (function, catalog::function_signature(function)))
            .collect();
        let refused = |(_, name): &(Oid, String)| {
            let (why, instead) = reviewed().refused.get(name.as_str())?;
            Some(Problem {
                what: format!("it uses {name}: {why}"),
                instead: Some((*instead).to_owned()),
            })
        };
        if let Some(problem) = names.iter().find_map(refused) {
            return Some(problem);
        }
        if names
            .iter()
            .any(|(function, _)| function.to_u32() >= pg_sys::FirstNormalObjectId)
        {
            return problem(
                "it uses a function or an operator that is not built in, and could be replaced later",
            );
        }
        if self.mutable {
            return problem("it uses a function that is not immutable");
        }
        let unknown = |name: &str| !reviewed().allowed.contains(name);
        if let Some((_, name)) = names.iter().find(|(_, name)| unknown(name)) {
            return problem(&format!(
                "it uses {name}, which is not on the list of functions whose result depends only on their arguments"
            ));
        }
        if let Some(oid) = oids(self.types).find(|oid| !is_plain_value(*oid)) {
            return problem(&format!(
                "it uses a value of type {}, which users can change, or which names an object that users can change",
                catalog::type_name(oid)
            ));
        }
        for collation in oids(self.collations) {
            if collation.to_u32() >= pg_sys::FirstNormalObjectId {
                return Some(Problem {
                    what: "it uses a collation that is not built in".to_owned(),
                    instead: Some("column COLLATE \"C\"".to_owned()),
                });
            }
        }
        (self.deepest > DEPTH_CAP)
            .then(|| problem(&format!("it is nested deeper than {DEPTH_CAP} levels")))
            .flatten()
    }
}

/// Why a guard cannot rely on an expression, and what the user could write instead.
pub struct Problem {
    pub what: String,
    pub instead: Option<String>,
}

/// # Safety
///
/// Frames are plain.
unsafe fn is_enum_or_array_of_one(oid: Oid, _plain: PlainFrame) -> bool {
    // SAFETY: syscache look-ups, which may raise by longjmp.
    unsafe { native::type_is_enum(oid) || native::type_is_enum(native::get_base_element_type(oid)) }
}

/// Types whose values can neither change nor name an object. A user's type could be changed.
pub(crate) fn is_plain_value(oid: Oid) -> bool {
    const PLAIN: [Oid; 34] = [
        pg_sys::BOOLOID,
        pg_sys::INT2OID,
        pg_sys::INT4OID,
        pg_sys::INT8OID,
        pg_sys::NUMERICOID,
        pg_sys::FLOAT4OID,
        pg_sys::FLOAT8OID,
        pg_sys::TEXTOID,
        pg_sys::VARCHAROID,
        pg_sys::BPCHAROID,
        pg_sys::NAMEOID,
        pg_sys::CHAROID,
        pg_sys::UUIDOID,
        pg_sys::DATEOID,
        pg_sys::TIMEOID,
        pg_sys::TIMESTAMPOID,
        pg_sys::TIMESTAMPTZOID,
        pg_sys::INTERVALOID,
        pg_sys::BYTEAOID,
        pg_sys::JSONOID,
        pg_sys::JSONBOID,
        pg_sys::INETOID,
        pg_sys::CIDROID,
        pg_sys::MACADDROID,
        pg_sys::BITOID,
        pg_sys::VARBITOID,
        pg_sys::OIDOID,
        pg_sys::INT4RANGEOID,
        pg_sys::INT8RANGEOID,
        pg_sys::NUMRANGEOID,
        pg_sys::DATERANGEOID,
        pg_sys::TSRANGEOID,
        pg_sys::TSTZRANGEOID,
        // A NULL without a type.
        pg_sys::UNKNOWNOID,
    ];
    let element = catalog::element_type(oid);
    // The labels of an enum in a condition cannot be renamed (VD010), and the tree keeps a label's
    // OID.
    PLAIN.contains(&element) || catalog::is_enum(element)
}

fn all(list: *mut pg_sys::List, is: impl Fn(Oid) -> bool) -> bool {
    (0..length(list)).all(|i| is(nth(list, i)))
}

fn oids(list: *mut pg_sys::List) -> impl Iterator<Item = Oid> {
    (0..length(list)).map(move |i| nth(list, i))
}

fn length(list: *mut pg_sys::List) -> usize {
    // SAFETY: NIL or a list.
    unsafe { list.as_ref() }.map_or(0, |list| list.length as usize)
}

fn nth(list: *mut pg_sys::List, i: usize) -> Oid {
    // SAFETY: a list of OIDs, and i is below its length.
    unsafe { (*(*list).elements.add(i)).oid_value }
}

/// The file crates/pg/src/catalogs/condition_allowed.txt, read once.
struct Reviewed {
    allowed: HashSet<&'static str>,
    /// Function → the reason, and what to write instead.
    refused: HashMap<&'static str, (&'static str, &'static str)>,
}

fn reviewed() -> &'static Reviewed {
    static REVIEWED: OnceLock<Reviewed> = OnceLock::new();
    REVIEWED.get_or_init(|| {
        let mut reviewed = Reviewed {
            allowed: HashSet::new(),
            refused: HashMap::new(),
        };
        for line in include_str!("condition_allowed.txt").lines() {
            if let Some(refused) = line.strip_prefix("- ") {
                let mut parts = refused.splitn(3, " | ");
                let mut part = || parts.next().unwrap_or_default();
                let (name, why, instead) = (part(), part(), part());
                reviewed.refused.insert(name, (why, instead));
            } else if !line.is_empty() && !line.starts_with('#') {
                reviewed.allowed.insert(line);
            }
        }
        reviewed
    })
}
