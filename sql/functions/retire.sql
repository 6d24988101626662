CREATE FUNCTION verdict.retire() RETURNS TABLE (
    leaf pg_catalog.text,
    retired pg_catalog.bool,
    reason pg_catalog.text
)
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'retire_wrapper';
REVOKE ALL ON FUNCTION verdict.retire() FROM PUBLIC;
COMMENT ON FUNCTION verdict.retire() IS 'Drops the leaves that can decide nothing any more and are past verdict.retention_days, and incidents past verdict.incident_retention_days';
