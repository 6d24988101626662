CREATE FUNCTION verdict.deny(
    hook pg_catalog.text,
    subject pg_catalog.text,
    err_code pg_catalog.int4 DEFAULT NULL,
    err_msg pg_catalog.text DEFAULT NULL,
    OUT id pg_catalog.int8,
    OUT outcome pg_catalog.text,
    OUT failed_because pg_catalog.text,
    OUT recorded_subject pg_catalog.text,
    OUT digest pg_catalog.bytea,
    OUT recorded_at pg_catalog.timestamptz,
    OUT expires_at pg_catalog.timestamptz
)
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'verdict_deny';
REVOKE ALL ON FUNCTION verdict.deny(pg_catalog.text, pg_catalog.text, pg_catalog.int4, pg_catalog.text) FROM PUBLIC;
COMMENT ON FUNCTION verdict.deny(pg_catalog.text, pg_catalog.text, pg_catalog.int4, pg_catalog.text) IS 'Records a denial that a person gives';
