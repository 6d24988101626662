CREATE FUNCTION verdict.settle(relation pg_catalog.regclass)
    RETURNS TABLE (id pg_catalog.int8, subject pg_catalog.text, decision pg_catalog.text, detail pg_catalog.text)
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'settle_wrapper';
REVOKE ALL ON FUNCTION verdict.settle(pg_catalog.regclass) FROM PUBLIC;
COMMENT ON FUNCTION verdict.settle(pg_catalog.regclass) IS 'Releases held rows that have been approved since, and refuses those that have been denied or revoked since';
