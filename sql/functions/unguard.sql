CREATE FUNCTION verdict.unguard(
    relation pg_catalog.regclass,
    hook pg_catalog.text,
    reason pg_catalog.text
) RETURNS pg_catalog.void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'unguard_wrapper';
REVOKE ALL ON FUNCTION verdict.unguard(pg_catalog.regclass, pg_catalog.text, pg_catalog.text) FROM PUBLIC;
COMMENT ON FUNCTION verdict.unguard(pg_catalog.regclass, pg_catalog.text, pg_catalog.text) IS 'Takes a guard off a table';
