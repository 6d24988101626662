CREATE FUNCTION verdict.flag_leaks(
    relation pg_catalog.regclass,
    hook pg_catalog.text,
    since pg_catalog.timestamptz DEFAULT NULL,
    time_column pg_catalog.text DEFAULT NULL,
    dry_run pg_catalog.bool DEFAULT true
) RETURNS TABLE (problem pg_catalog.text, found pg_catalog.int8, flagged pg_catalog.int8)
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'flag_leaks_wrapper';
REVOKE ALL ON FUNCTION verdict.flag_leaks(pg_catalog.regclass, pg_catalog.text, pg_catalog.timestamptz, pg_catalog.text, pg_catalog.bool) FROM PUBLIC;
COMMENT ON FUNCTION verdict.flag_leaks(pg_catalog.regclass, pg_catalog.text, pg_catalog.timestamptz, pg_catalog.text, pg_catalog.bool) IS 'Sets the guard''s flag on stored rows without an approval; a dry run only counts them';
