CREATE FUNCTION verdict.reconcile(
    hook pg_catalog.text,
    relation pg_catalog.regclass,
    since pg_catalog.timestamptz DEFAULT NULL,
    time_column pg_catalog.text DEFAULT NULL
) RETURNS TABLE (
    problem pg_catalog.text,
    subject pg_catalog.text,
    verdict_id pg_catalog.int8,
    leaf pg_catalog.regclass,
    row_at pg_catalog.tid
)
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'reconcile_wrapper';
REVOKE ALL ON FUNCTION verdict.reconcile(pg_catalog.text, pg_catalog.regclass, pg_catalog.timestamptz, pg_catalog.text) FROM PUBLIC;
COMMENT ON FUNCTION verdict.reconcile(pg_catalog.text, pg_catalog.regclass, pg_catalog.timestamptz, pg_catalog.text) IS 'Compares verdicts and stored rows: approved but never stored; stored without an approval';
