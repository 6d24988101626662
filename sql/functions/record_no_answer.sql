CREATE FUNCTION verdict.record_no_answer(
    hook pg_catalog.text,
    request pg_catalog.text,
    cause pg_catalog.text,
    OUT id pg_catalog.int8,
    OUT outcome pg_catalog.text,
    OUT failed_because pg_catalog.text,
    OUT recorded_subject pg_catalog.text,
    OUT digest pg_catalog.bytea,
    OUT recorded_at pg_catalog.timestamptz,
    OUT expires_at pg_catalog.timestamptz
)
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'verdict_record_no_answer';
REVOKE ALL ON FUNCTION verdict.record_no_answer(pg_catalog.text, pg_catalog.text, pg_catalog.text) FROM PUBLIC;
COMMENT ON FUNCTION verdict.record_no_answer(pg_catalog.text, pg_catalog.text, pg_catalog.text) IS 'Records that the webhook gave no answer: timeout or transport';

CREATE FUNCTION verdict.record_no_answer(
    hook pg_catalog.text,
    request pg_catalog.bytea,
    cause pg_catalog.text,
    OUT id pg_catalog.int8,
    OUT outcome pg_catalog.text,
    OUT failed_because pg_catalog.text,
    OUT recorded_subject pg_catalog.text,
    OUT digest pg_catalog.bytea,
    OUT recorded_at pg_catalog.timestamptz,
    OUT expires_at pg_catalog.timestamptz
)
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'verdict_record_no_answer';
REVOKE ALL ON FUNCTION verdict.record_no_answer(pg_catalog.text, pg_catalog.bytea, pg_catalog.text) FROM PUBLIC;
COMMENT ON FUNCTION verdict.record_no_answer(pg_catalog.text, pg_catalog.bytea, pg_catalog.text) IS 'Records that the webhook gave no answer: timeout or transport';
