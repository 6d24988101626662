CREATE FUNCTION verdict.approve(
    hook pg_catalog.text,
    subject pg_catalog.text,
    content pg_catalog.jsonb DEFAULT NULL,
    valid_for pg_catalog.interval DEFAULT NULL,
    OUT id pg_catalog.int8,
    OUT outcome pg_catalog.text,
    OUT failed_because pg_catalog.text,
    OUT recorded_subject pg_catalog.text,
    OUT digest pg_catalog.bytea,
    OUT recorded_at pg_catalog.timestamptz,
    OUT expires_at pg_catalog.timestamptz
)
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'verdict_approve';
REVOKE ALL ON FUNCTION verdict.approve(pg_catalog.text, pg_catalog.text, pg_catalog.jsonb, pg_catalog.interval) FROM PUBLIC;
COMMENT ON FUNCTION verdict.approve(pg_catalog.text, pg_catalog.text, pg_catalog.jsonb, pg_catalog.interval) IS 'Records an approval that a person gives';
