CREATE FUNCTION verdict.create_hook(
    name pg_catalog.text,
    dialect pg_catalog.text DEFAULT 'openim',
    failed_continue pg_catalog.bool DEFAULT false,
    valid_for pg_catalog.interval DEFAULT '1 day',
    subject pg_catalog.text DEFAULT NULL,
    fields pg_catalog.jsonb DEFAULT NULL,
    server pg_catalog.text DEFAULT NULL
) RETURNS pg_catalog.int4
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'create_hook_wrapper';
REVOKE ALL ON FUNCTION verdict.create_hook(pg_catalog.text, pg_catalog.text, pg_catalog.bool, pg_catalog.interval, pg_catalog.text, pg_catalog.jsonb, pg_catalog.text) FROM PUBLIC;
COMMENT ON FUNCTION verdict.create_hook(pg_catalog.text, pg_catalog.text, pg_catalog.bool, pg_catalog.interval, pg_catalog.text, pg_catalog.jsonb, pg_catalog.text) IS 'Names a pre-send webhook; returns its id';
