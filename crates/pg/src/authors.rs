//! Whose code a statement on a table can run.
//!
//! Our statements on a user's table run as the table's owner. They also run code that belongs to
//! the table: functions of triggers, constraints, defaults and indexes, checks of domains, casts,
//! functions of ranges. That code could use the owner's rights. So its authors must already have
//! these rights: the role itself, superusers, and roles that may act as it. Otherwise, when a
//! superuser owns a table, the owner of one of its columns' types could become a superuser.
//!
//! There is one exception. When an ordinary owner has put a function of somebody else on the table,
//! and that author could not have done so, the function may run: it also runs with each of the
//! owner's statements.

use crate::backend::sql;
use crate::catalogs::catalog::{self, Relation};
use crate::catalogs::identity;
use crate::frame::savepoint;
use crate::report::{Report, SqlState};
use crate::row::trigger;
use pgrx::pg_sys::{self, Oid};
use std::cell::Cell;

/// The membership that lets a role act as another one.
#[cfg(feature = "pg15")]
const MEMBERSHIP: &str = "MEMBER";
#[cfg(not(feature = "pg15"))]
const MEMBERSHIP: &str = "USAGE, SET";

/// $1: tables, $2: the role, $3: types, $4: membership.
const SOMEBODY_ELSES: &str = "
    WITH RECURSIVE roots (classid, objid) AS (
        SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid, r.oid FROM pg_catalog.unnest($1) AS r (oid)
        UNION ALL SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, i.indexrelid FROM pg_catalog.pg_index AS i
            WHERE i.indrelid = ANY ($1)
        UNION ALL SELECT c.tableoid, c.oid FROM pg_catalog.pg_constraint AS c WHERE c.conrelid = ANY ($1)
        UNION ALL SELECT a.tableoid, a.oid FROM pg_catalog.pg_attrdef AS a WHERE a.adrelid = ANY ($1)
        UNION ALL SELECT t.tableoid, t.oid FROM pg_catalog.pg_trigger AS t WHERE t.tgrelid = ANY ($1)
        UNION ALL SELECT p.tableoid, p.oid FROM pg_catalog.pg_policy AS p WHERE p.polrelid = ANY ($1)
        UNION ALL SELECT w.tableoid, w.oid FROM pg_catalog.pg_rewrite AS w WHERE w.ev_class = ANY ($1)
    ), used (classid, objid) AS (
        SELECT d.refclassid, d.refobjid FROM roots AS r JOIN pg_catalog.pg_depend AS d
            ON d.classid = r.classid AND d.objid = r.objid
        WHERE d.refobjid >= 16384::pg_catalog.oid
    ), types (oid, why) AS (
        SELECT a.atttypid, pg_catalog.format('column %I', a.attname) FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = ANY ($1) AND a.attnum > 0::pg_catalog.int2 AND NOT a.attisdropped
        UNION SELECT t.oid, NULL FROM pg_catalog.unnest($3) AS t (oid)
        UNION SELECT u.objid, NULL FROM used AS u WHERE u.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
        UNION SELECT n.oid, y.why FROM types AS y JOIN pg_catalog.pg_type AS t ON t.oid = y.oid
        CROSS JOIN LATERAL (
            SELECT t.typelem UNION ALL SELECT t.typbasetype
            UNION ALL SELECT g.rngsubtype FROM pg_catalog.pg_range AS g WHERE g.rngtypid = t.oid
            UNION ALL SELECT g.rngtypid FROM pg_catalog.pg_range AS g WHERE g.rngmultitypid = t.oid
            UNION ALL SELECT a.atttypid FROM pg_catalog.pg_attribute AS a
            WHERE a.attrelid = t.typrelid AND a.attnum > 0::pg_catalog.int2 AND NOT a.attisdropped
        ) AS n (oid)
        WHERE t.oid >= 16384::pg_catalog.oid AND n.oid <> 0::pg_catalog.oid
    ), checks (classid, objid, why) AS (
        SELECT d.refclassid, d.refobjid, y.why FROM types AS y
        JOIN pg_catalog.pg_constraint AS c ON c.contypid = y.oid AND y.oid >= 16384::pg_catalog.oid
        JOIN pg_catalog.pg_depend AS d ON d.classid = c.tableoid AND d.objid = c.oid
        UNION
        -- A domain's default.
        SELECT d.refclassid, d.refobjid, y.why FROM types AS y JOIN pg_catalog.pg_depend AS d
            ON d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.objid = y.oid
    ), functions (oid, why, hung) AS (
        SELECT u.objid, NULL, true FROM used AS u WHERE u.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
        UNION SELECT o.oprcode::pg_catalog.oid, NULL, true FROM used AS u JOIN pg_catalog.pg_operator AS o ON o.oid = u.objid
        WHERE u.classid = 'pg_catalog.pg_operator'::pg_catalog.regclass
        UNION SELECT k.objid, k.why, false FROM checks AS k WHERE k.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
        UNION SELECT o.oprcode::pg_catalog.oid, k.why, false FROM checks AS k JOIN pg_catalog.pg_operator AS o ON o.oid = k.objid
        WHERE k.classid = 'pg_catalog.pg_operator'::pg_catalog.regclass
        UNION SELECT c.castfunc, y.why, false FROM types AS y JOIN pg_catalog.pg_cast AS c
            ON (c.castsource = y.oid OR c.casttarget = y.oid)
            AND y.oid >= 16384::pg_catalog.oid
        UNION SELECT f.oid, y.why, false FROM types AS y JOIN pg_catalog.pg_range AS g ON g.rngtypid = y.oid
        CROSS JOIN LATERAL (VALUES (g.rngcanonical::pg_catalog.oid), (g.rngsubdiff::pg_catalog.oid)) AS f (oid)
        UNION SELECT f.oid, y.why, false FROM types AS y JOIN pg_catalog.pg_type AS t ON t.oid = y.oid
        CROSS JOIN LATERAL (VALUES (t.typinput::pg_catalog.oid), (t.typoutput::pg_catalog.oid), (t.typreceive::pg_catalog.oid),
            (t.typsend::pg_catalog.oid), (t.typmodin::pg_catalog.oid), (t.typmodout::pg_catalog.oid)) AS f (oid)
    ), code (what, why, owner, hung) AS (
        SELECT pg_catalog.format('table %s', c.oid::pg_catalog.regclass), NULL, c.relowner, false
        FROM pg_catalog.pg_class AS c WHERE c.oid = ANY ($1)
        UNION ALL SELECT pg_catalog.format('type %s', pg_catalog.format_type(t.oid, NULL)), y.why, t.typowner, false
        FROM types AS y JOIN pg_catalog.pg_type AS t ON t.oid = y.oid
        UNION ALL SELECT pg_catalog.format('function %s', p.oid::pg_catalog.regprocedure), f.why, p.proowner, f.hung
        FROM functions AS f JOIN pg_catalog.pg_proc AS p ON p.oid = f.oid
        WHERE p.pronamespace <> 'verdict'::pg_catalog.regnamespace
    )
    SELECT c.what, c.why, pg_catalog.pg_get_userbyid(c.owner)::pg_catalog.text FROM code AS c
    WHERE c.owner <> $2 AND NOT pg_catalog.pg_has_role(c.owner, $2, $4)
        AND (NOT c.hung OR (SELECT r.rolsuper FROM pg_catalog.pg_roles AS r WHERE r.oid = $2)
            OR EXISTS (SELECT 1 FROM pg_catalog.unnest($1) AS t (oid) WHERE pg_catalog.has_table_privilege(c.owner, t.oid, 'TRIGGER')))
    ORDER BY c.why NULLS LAST, c.what COLLATE pg_catalog.\"C\" LIMIT 1";

/// Refuses to run statements on the table as `role` when they could run code of an author who may
/// not act as that role. Locks the table and its partitions against new triggers and constraints.
///
/// # Errors
///
/// 42501, naming the code, its owner and the way out.
pub fn must_be_trusted(relation: &Relation, role: Oid) -> Result<(), Report> {
    let parts = catalog::parts(relation, pg_sys::RowExclusiveLock);
    if CHECKED.get() == Some((relation.oid, role)) {
        return Ok(());
    }
    check(&relation.name.to_string(), parts.clone(), Vec::new(), role)?;
    check_conditions(relation, &parts, role)
}

/// Checks the WHEN of triggers. A WHEN may call built-in functions that run any statement
/// (`query_to_xml`), and PostgreSQL does not record who made the trigger. So when a role that is
/// not trusted may make triggers, a WHEN may call immutable functions only.
fn check_conditions(relation: &Relation, parts: &[Oid], role: Oid) -> Result<(), Report> {
    let mut suspects = parts.iter().flat_map(|part| {
        let names = trigger::with_code_in_condition(*part);
        names.into_iter().map(|name| (*part, name))
    });
    let Some((part, name)) = suspects.next() else {
        return Ok(());
    };
    let query = || {
        sql::rows(
            SOMEBODY_MAY_HANG,
            &[parts.to_vec().into(), role.into(), MEMBERSHIP.into()],
            |row| row.get::<String>(1),
        )
    };
    let found = savepoint::trial(query).map_err(|failure| untold(relation, &failure))??;
    let Some(author) = found.into_iter().flatten().next() else {
        return Ok(());
    };
    let role = identity::role_name(role);
    let table = catalog::relation(part)?.name;
    Err(Report::new(
        SqlState::InsufficientPrivilege,
        format!("a statement on table {table} could run code of {author} with the rights of {role}"),
    )
    .detail(format!(
        "Trigger {} has a WHEN that calls a function which is not immutable, and {author} may make triggers there.",
        catalog::quote(&name)
    ))
    .hint(format!(
        "Revoke that right (REVOKE TRIGGER ON {table} FROM {author}) once you have read what the trigger does, or drop the trigger."
    )))
}

fn untold(relation: &Relation, failure: &savepoint::Failure) -> Report {
    Report::new(
        SqlState::NotInPrerequisiteState,
        format!(
            "what statements on table {} would run cannot be told: {failure}",
            relation.name
        ),
    )
}

/// $1: tables, $2: the role, $3: membership.
const SOMEBODY_MAY_HANG: &str = "
    SELECT CASE WHEN a.grantee = 0::pg_catalog.oid THEN 'PUBLIC'
        ELSE pg_catalog.pg_get_userbyid(a.grantee)::pg_catalog.text END
    FROM pg_catalog.pg_class AS c CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) AS a
    WHERE c.oid = ANY ($1) AND a.privilege_type = 'TRIGGER'
        AND a.grantee <> $2
        AND (a.grantee = 0::pg_catalog.oid OR NOT pg_catalog.pg_has_role(a.grantee, $2, $3))
    ORDER BY 1 LIMIT 1";

thread_local! {
    /// The table and the role that [`once`] has checked.
    static CHECKED: Cell<Option<(Oid, Oid)>> = const { Cell::new(None) };
}

/// Checks once, and then runs `f`, which runs many statements on the table as `role`. The lock
/// stays until the transaction ends, and so nobody can add code to the table meanwhile. If the
/// check fails, each statement checks again and raises the error.
pub fn once<T>(relation: &Relation, role: Oid, f: impl FnOnce() -> T) -> T {
    struct Forget;
    impl Drop for Forget {
        fn drop(&mut self) {
            CHECKED.set(None);
        }
    }
    let _forget = Forget;
    if must_be_trusted(relation, role).is_ok() {
        CHECKED.set(Some((relation.oid, role)));
    }
    f()
}

/// The same check for reading a value of a type.
///
/// # Errors
///
/// 42501.
pub fn must_be_trusted_to_read(
    relation: &Relation,
    type_oid: Oid,
    role: Oid,
) -> Result<(), Report> {
    check(&relation.name.to_string(), Vec::new(), vec![type_oid], role)
}

fn check(table: &str, tables: Vec<Oid>, types: Vec<Oid>, role: Oid) -> Result<(), Report> {
    // A savepoint releases the locks on about twenty catalogs and their indexes.
    let query = || {
        sql::rows(
            SOMEBODY_ELSES,
            &[tables.into(), role.into(), types.into(), MEMBERSHIP.into()],
            |row| {
                Ok((
                    row.required::<String>(1)?,
                    row.get::<String>(2)?,
                    row.required::<String>(3)?,
                ))
            },
        )
    };
    let found = savepoint::trial(query).map_err(|failure| {
        Report::new(
            SqlState::NotInPrerequisiteState,
            format!("what statements on table {table} would run cannot be told: {failure}"),
        )
    })??;
    let Some((what, why, author)) = found.into_iter().next() else {
        return Ok(());
    };
    let role = identity::role_name(role);
    let via = why.map_or(String::new(), |why| format!(", which {why} needs"));
    Err(Report::new(
        SqlState::InsufficientPrivilege,
        format!("a statement on table {table} would run code of {author} with the rights of {role}"),
    )
    .detail(format!("It is {what}{via}."))
    .hint(format!(
        "Let it belong to {role} (ALTER … OWNER TO), or to a superuser, once you have read what it does; or let {author} act as {role} (GRANT)."
    )))
}
