CREATE FUNCTION verdict.explain_guard(
    relation pg_catalog.regclass,
    guard_id pg_catalog.int4,
    r pg_catalog.jsonb
) RETURNS pg_catalog.text
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'verdict_explain_guard';
REVOKE ALL ON FUNCTION verdict.explain_guard(pg_catalog.regclass, pg_catalog.int4, pg_catalog.jsonb) FROM PUBLIC;
COMMENT ON FUNCTION verdict.explain_guard(pg_catalog.regclass, pg_catalog.int4, pg_catalog.jsonb) IS 'Private: the steps of one guard as JSON';

CREATE FUNCTION verdict.relation_of(row_type pg_catalog.oid) RETURNS pg_catalog.oid
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'relation_of_wrapper';
REVOKE ALL ON FUNCTION verdict.relation_of(pg_catalog.oid) FROM PUBLIC;
COMMENT ON FUNCTION verdict.relation_of(pg_catalog.oid) IS 'Private: the table whose row type this is';

CREATE FUNCTION verdict.explain(
    relation pg_catalog.regclass,
    r pg_catalog.jsonb
) RETURNS TABLE (
    guard pg_catalog.text,
    step pg_catalog.int4,
    question pg_catalog.text,
    answer pg_catalog.text,
    detail pg_catalog.text
)
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp
AS $$
    SELECT g.name, s.step, s.question, s.answer, s.detail
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
    JOIN verdict.guards AS g
        ON g.relation_schema OPERATOR(pg_catalog.=) n.nspname::pg_catalog.text
        AND g.relation_name OPERATOR(pg_catalog.=) c.relname::pg_catalog.text
    CROSS JOIN LATERAL pg_catalog.jsonb_to_recordset(
        verdict.explain_guard($1, g.id, $2)::pg_catalog.jsonb
    ) AS s (step pg_catalog.int4, question pg_catalog.text, answer pg_catalog.text, detail pg_catalog.text)
    WHERE c.oid OPERATOR(pg_catalog.=) coalesce(pg_catalog.pg_partition_root($1), $1)::pg_catalog.oid
    ORDER BY g.id, s.step
$$;
REVOKE ALL ON FUNCTION verdict.explain(pg_catalog.regclass, pg_catalog.jsonb) FROM PUBLIC;
COMMENT ON FUNCTION verdict.explain(pg_catalog.regclass, pg_catalog.jsonb) IS 'Every step of every guard''s decision for one row; no row when the table has no guard';

CREATE FUNCTION verdict.explain(
    r pg_catalog.anyelement
) RETURNS TABLE (
    guard pg_catalog.text,
    step pg_catalog.int4,
    question pg_catalog.text,
    answer pg_catalog.text,
    detail pg_catalog.text
)
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp
AS $$
    SELECT e.guard, e.step, e.question, e.answer, e.detail
    FROM verdict.explain(
        verdict.relation_of(pg_catalog.pg_typeof($1)::pg_catalog.oid)::pg_catalog.regclass,
        pg_catalog.to_jsonb($1)
    ) AS e
$$;
REVOKE ALL ON FUNCTION verdict.explain(pg_catalog.anyelement) FROM PUBLIC;
COMMENT ON FUNCTION verdict.explain(pg_catalog.anyelement) IS 'As explain(relation, r), for a row of the table';
