CREATE FUNCTION verdict.parse(
    dialect pg_catalog.text,
    response pg_catalog.text,
    http_status pg_catalog.int4 DEFAULT 200
) RETURNS TABLE (
    outcome pg_catalog.text,
    cause pg_catalog.text,
    err_code pg_catalog.int4,
    err_msg pg_catalog.text,
    err_detail pg_catalog.text
)
    ROWS 1 LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'parse_wrapper';
REVOKE ALL ON FUNCTION verdict.parse(pg_catalog.text, pg_catalog.text, pg_catalog.int4) FROM PUBLIC;
COMMENT ON FUNCTION verdict.parse(pg_catalog.text, pg_catalog.text, pg_catalog.int4) IS 'What an answer means in a dialect: a dry run of record';

CREATE FUNCTION verdict.parse(
    dialect pg_catalog.text,
    response pg_catalog.bytea,
    http_status pg_catalog.int4 DEFAULT 200
) RETURNS TABLE (
    outcome pg_catalog.text,
    cause pg_catalog.text,
    err_code pg_catalog.int4,
    err_msg pg_catalog.text,
    err_detail pg_catalog.text
)
    ROWS 1 LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'parse_wrapper';
REVOKE ALL ON FUNCTION verdict.parse(pg_catalog.text, pg_catalog.bytea, pg_catalog.int4) FROM PUBLIC;
COMMENT ON FUNCTION verdict.parse(pg_catalog.text, pg_catalog.bytea, pg_catalog.int4) IS 'What an answer means in a dialect: a dry run of record';
