CREATE FUNCTION verdict.coverage_guards() RETURNS TABLE (
    relation pg_catalog.text,
    part pg_catalog.text,
    guard pg_catalog.text,
    state pg_catalog.text,
    differs pg_catalog.text,
    mend pg_catalog.text
)
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'coverage_guards_wrapper';
REVOKE ALL ON FUNCTION verdict.coverage_guards() FROM PUBLIC;
COMMENT ON FUNCTION verdict.coverage_guards() IS 'Private: each guard on each table of its tree';
