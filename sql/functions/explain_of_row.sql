CREATE FUNCTION verdict.explain_value(r pg_catalog.anyelement) RETURNS pg_catalog.text
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'verdict_explain_value';
REVOKE ALL ON FUNCTION verdict.explain_value(pg_catalog.anyelement) FROM PUBLIC;
COMMENT ON FUNCTION verdict.explain_value(pg_catalog.anyelement) IS 'Private: as explain_row, for a row of the table';

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
    SELECT s.guard, s.step, s.question, s.answer, s.detail
    FROM pg_catalog.jsonb_to_recordset(verdict.explain_value($1)::pg_catalog.jsonb) AS s (
        guard pg_catalog.text, step pg_catalog.int4, question pg_catalog.text, answer pg_catalog.text,
        detail pg_catalog.text
    )
$$;
REVOKE ALL ON FUNCTION verdict.explain(pg_catalog.anyelement) FROM PUBLIC;
COMMENT ON FUNCTION verdict.explain(pg_catalog.anyelement) IS 'As explain(relation, r), for a row of the table';
