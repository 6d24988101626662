CREATE FUNCTION verdict.self_test(
    relation pg_catalog.regclass,
    role pg_catalog.regrole DEFAULT NULL,
    sample pg_catalog.jsonb DEFAULT NULL
) RETURNS TABLE (attempt pg_catalog.text, as_role pg_catalog.text, result pg_catalog.text, why pg_catalog.text)
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'self_test_wrapper';
REVOKE ALL ON FUNCTION verdict.self_test(pg_catalog.regclass, pg_catalog.regrole, pg_catalog.jsonb) FROM PUBLIC;
COMMENT ON FUNCTION verdict.self_test(pg_catalog.regclass, pg_catalog.regrole, pg_catalog.jsonb) IS 'Tries known bypasses of a guard on your table, as the role and as the table''s owner, and rolls each back';
