CREATE FUNCTION verdict.alter_hook(
    name pg_catalog.text,
    dialect pg_catalog.text DEFAULT NULL,
    failed_continue pg_catalog.bool DEFAULT NULL,
    valid_for pg_catalog.interval DEFAULT NULL,
    subject pg_catalog.text DEFAULT NULL,
    fields pg_catalog.jsonb DEFAULT NULL,
    server pg_catalog.text DEFAULT NULL,
    legal_hold pg_catalog.bool DEFAULT NULL
) RETURNS pg_catalog.void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'alter_hook_wrapper';
REVOKE ALL ON FUNCTION verdict.alter_hook(pg_catalog.text, pg_catalog.text, pg_catalog.bool, pg_catalog.interval, pg_catalog.text, pg_catalog.jsonb, pg_catalog.text, pg_catalog.bool) FROM PUBLIC;
COMMENT ON FUNCTION verdict.alter_hook(pg_catalog.text, pg_catalog.text, pg_catalog.bool, pg_catalog.interval, pg_catalog.text, pg_catalog.jsonb, pg_catalog.text, pg_catalog.bool) IS 'Changes a hook; NULL keeps the present value';
