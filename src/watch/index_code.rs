//! The code that runs while CLUSTER or VACUUM FULL rewrites a guarded table: the code of its
//! indexes.
//!
//! No event trigger fires for these statements. In a session that has loaded the library, nobody
//! can write into the new table (`pg::making`). In another session, the code of an index could.

use pg::catalog::Relation;
use pg::report::Report;
use pg::{catalog, identity, sql};
use pgrx::pg_sys::{NoLock, Oid};

/// Functions and domains that are used by these indexes, or by the indexes of these tables, and
/// that are not owned by superusers. For each table, their names.
///
/// # Errors
///
/// SPI's own.
pub fn in_indexes(of: &[Oid]) -> Result<Vec<(Oid, String)>, Report> {
    identity::as_extension_owner(|| {
        sql::with_latest_snapshot(|| {
            sql::rows(
                "SELECT i.indrelid, pg_catalog.string_agg(DISTINCT u.name, ', ' ORDER BY u.name)
                 FROM pg_catalog.pg_index AS i
                 JOIN pg_catalog.pg_depend AS d ON d.objid = i.indexrelid
                     AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                 CROSS JOIN LATERAL (
                     SELECT f.oid::pg_catalog.regprocedure::pg_catalog.text, f.proowner FROM pg_catalog.pg_proc AS f
                     WHERE d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
                         AND f.oid = d.refobjid
                     UNION ALL
                     SELECT f.oid::pg_catalog.regprocedure::pg_catalog.text, f.proowner
                     FROM pg_catalog.pg_operator AS o JOIN pg_catalog.pg_proc AS f ON f.oid = o.oprcode::pg_catalog.oid
                     WHERE d.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass
                         AND o.oid = d.refobjid
                     UNION ALL
                     SELECT pg_catalog.format_type(t.oid, NULL), t.typowner FROM pg_catalog.pg_type AS t
                     WHERE d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass
                         AND t.oid = d.refobjid AND t.typtype = 'd') AS u (name, owner)
                 JOIN pg_catalog.pg_roles AS r ON r.oid = u.owner AND NOT r.rolsuper
                 WHERE i.indrelid = ANY ($1) OR i.indexrelid = ANY ($1)
                 GROUP BY i.indrelid ORDER BY i.indrelid",
                &[of.to_vec().into()],
                |row| {
                    let table = row.required(1)?;
                    Ok((table, row.required(2)?))
                },
            )
        })
    })
}

/// The names of such code on all indexes of a guarded table and its partitions, each name once.
///
/// # Errors
///
/// SPI's own.
pub fn foreign_code_on(root: &Relation) -> Result<Option<String>, Report> {
    let found = in_indexes(&catalog::parts(root, NoLock))?;
    let mut names: Vec<String> = found.into_iter().map(|(_, names)| names).collect();
    names.sort();
    names.dedup();
    Ok((!names.is_empty()).then(|| names.join(", ")))
}

/// Whether every session of this database loads the library when it starts.
///
/// # Errors
///
/// SPI's own.
pub fn is_loaded_everywhere() -> Result<bool, Report> {
    let found = identity::as_extension_owner(|| {
        // `one` would take a transaction id, and a standby cannot assign one.
        sql::rows(
            "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_settings AS s
                 WHERE s.name = ANY (ARRAY['shared_preload_libraries', 'session_preload_libraries']::pg_catalog.text[])
                     AND s.setting ~ 'pg_verdict' AND s.source !~ 'user'
                     AND s.source <> 'session')",
            &[],
            |row| row.get::<bool>(1),
        )
    })?;
    Ok(found.contains(&Some(true)))
}

/// The risk, in words.
pub fn means(names: &str) -> String {
    format!(
        "its indexes run code of roles that are not superusers ({names}): in a session that has not loaded the library, CLUSTER and VACUUM FULL let that code write past the guard"
    )
}
