CREATE FUNCTION verdict.drop_hook(
    name pg_catalog.text
) RETURNS pg_catalog.void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'drop_hook_wrapper';
REVOKE ALL ON FUNCTION verdict.drop_hook(pg_catalog.text) FROM PUBLIC;
COMMENT ON FUNCTION verdict.drop_hook(pg_catalog.text) IS 'Drops a hook that no guard uses';
