CREATE FUNCTION verdict.record(
    hook pg_catalog.text,
    request pg_catalog.text,
    response pg_catalog.text,
    http_status pg_catalog.int4 DEFAULT 200,
    OUT id pg_catalog.int8,
    OUT outcome pg_catalog.text,
    OUT failed_because pg_catalog.text,
    OUT recorded_subject pg_catalog.text,
    OUT digest pg_catalog.bytea,
    OUT recorded_at pg_catalog.timestamptz,
    OUT expires_at pg_catalog.timestamptz
)
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'verdict_record';
REVOKE ALL ON FUNCTION verdict.record(pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.int4) FROM PUBLIC;
COMMENT ON FUNCTION verdict.record(pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.int4) IS 'Records a webhook''s answer to a request';

CREATE FUNCTION verdict.record(
    hook pg_catalog.text,
    request pg_catalog.bytea,
    response pg_catalog.bytea,
    http_status pg_catalog.int4 DEFAULT 200,
    OUT id pg_catalog.int8,
    OUT outcome pg_catalog.text,
    OUT failed_because pg_catalog.text,
    OUT recorded_subject pg_catalog.text,
    OUT digest pg_catalog.bytea,
    OUT recorded_at pg_catalog.timestamptz,
    OUT expires_at pg_catalog.timestamptz
)
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'verdict_record';
REVOKE ALL ON FUNCTION verdict.record(pg_catalog.text, pg_catalog.bytea, pg_catalog.bytea, pg_catalog.int4) FROM PUBLIC;
COMMENT ON FUNCTION verdict.record(pg_catalog.text, pg_catalog.bytea, pg_catalog.bytea, pg_catalog.int4) IS 'Records a webhook''s answer, whatever its bytes';
