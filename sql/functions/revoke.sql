CREATE FUNCTION verdict.revoke(
    hook pg_catalog.text,
    subject pg_catalog.text,
    reason pg_catalog.text,
    OUT id pg_catalog.int8,
    OUT outcome pg_catalog.text,
    OUT failed_because pg_catalog.text,
    OUT recorded_subject pg_catalog.text,
    OUT digest pg_catalog.bytea,
    OUT recorded_at pg_catalog.timestamptz,
    OUT expires_at pg_catalog.timestamptz
)
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'verdict_revoke';
REVOKE ALL ON FUNCTION verdict.revoke(pg_catalog.text, pg_catalog.text, pg_catalog.text) FROM PUBLIC;
COMMENT ON FUNCTION verdict.revoke(pg_catalog.text, pg_catalog.text, pg_catalog.text) IS 'Revokes an approval';
