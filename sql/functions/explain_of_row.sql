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
        verdict.row_as_json($1)
    ) AS e
$$;
REVOKE ALL ON FUNCTION verdict.explain(pg_catalog.anyelement) FROM PUBLIC;
COMMENT ON FUNCTION verdict.explain(pg_catalog.anyelement) IS 'As explain(relation, r), for a row of the table';
