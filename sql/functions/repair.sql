CREATE FUNCTION verdict.repair(relation pg_catalog.regclass)
    RETURNS TABLE (guard pg_catalog.text, part pg_catalog.text, mended pg_catalog.text)
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'repair_wrapper';
REVOKE ALL ON FUNCTION verdict.repair(pg_catalog.regclass) FROM PUBLIC;
COMMENT ON FUNCTION verdict.repair(pg_catalog.regclass) IS 'Makes the triggers of a table''s guards again as they are registered; returns what had drifted';

CREATE FUNCTION verdict.forget(
    relation pg_catalog.text,
    hook pg_catalog.text,
    reason pg_catalog.text
) RETURNS pg_catalog.void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'forget_wrapper';
REVOKE ALL ON FUNCTION verdict.forget(pg_catalog.text, pg_catalog.text, pg_catalog.text) FROM PUBLIC;
COMMENT ON FUNCTION verdict.forget(pg_catalog.text, pg_catalog.text, pg_catalog.text) IS 'Takes a guard out of the registry when its table no longer exists';
