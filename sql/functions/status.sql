CREATE FUNCTION verdict.status(
    hook pg_catalog.text,
    subject pg_catalog.text,
    OUT accepted pg_catalog.bool,
    OUT finding pg_catalog.text,
    OUT id pg_catalog.int8,
    OUT outcome pg_catalog.text,
    OUT failed_because pg_catalog.text,
    OUT err_code pg_catalog.int4,
    OUT err_msg pg_catalog.text,
    OUT recorded_at pg_catalog.timestamptz,
    OUT expires_at pg_catalog.timestamptz
)
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'verdict_status';
REVOKE ALL ON FUNCTION verdict.status(pg_catalog.text, pg_catalog.text) FROM PUBLIC;
COMMENT ON FUNCTION verdict.status(pg_catalog.text, pg_catalog.text) IS 'Whether a subject is approved now, whatever its content, and by which verdict';
