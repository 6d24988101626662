CREATE FUNCTION verdict.explain_row(
    relation pg_catalog.regclass,
    r pg_catalog.jsonb
) RETURNS pg_catalog.text
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'verdict_explain_row';
REVOKE ALL ON FUNCTION verdict.explain_row(pg_catalog.regclass, pg_catalog.jsonb) FROM PUBLIC;
COMMENT ON FUNCTION verdict.explain_row(pg_catalog.regclass, pg_catalog.jsonb) IS 'Private: the steps of all guards as JSON';

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
    SELECT s.guard, s.step, s.question, s.answer, s.detail
    FROM pg_catalog.jsonb_to_recordset(verdict.explain_row($1, $2)::pg_catalog.jsonb) AS s (
        guard pg_catalog.text, step pg_catalog.int4, question pg_catalog.text, answer pg_catalog.text,
        detail pg_catalog.text
    )
$$;
REVOKE ALL ON FUNCTION verdict.explain(pg_catalog.regclass, pg_catalog.jsonb) FROM PUBLIC;
COMMENT ON FUNCTION verdict.explain(pg_catalog.regclass, pg_catalog.jsonb) IS 'Every step of every guard''s decision for one row';
