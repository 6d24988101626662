CREATE FUNCTION verdict.release(
    id pg_catalog.int8,
    reason pg_catalog.text,
    adapt pg_catalog.bool DEFAULT false
) RETURNS pg_catalog.int8
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'verdict_release';
REVOKE ALL ON FUNCTION verdict.release(pg_catalog.int8, pg_catalog.text, pg_catalog.bool) FROM PUBLIC;
COMMENT ON FUNCTION verdict.release(pg_catalog.int8, pg_catalog.text, pg_catalog.bool) IS 'Approves a held row and stores it; returns the id of the approval';

CREATE FUNCTION verdict.release_all(
    relation pg_catalog.regclass,
    reason pg_catalog.text,
    finding pg_catalog.text DEFAULT NULL,
    subject pg_catalog.text DEFAULT NULL,
    held_before pg_catalog.timestamptz DEFAULT NULL,
    at_most pg_catalog.int4 DEFAULT 1000,
    adapt pg_catalog.bool DEFAULT false
) RETURNS TABLE (id pg_catalog.int8, decided pg_catalog.bool, problem pg_catalog.text)
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'release_all_wrapper';
REVOKE ALL ON FUNCTION verdict.release_all(pg_catalog.regclass, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.timestamptz, pg_catalog.int4, pg_catalog.bool) FROM PUBLIC;
COMMENT ON FUNCTION verdict.release_all(pg_catalog.regclass, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.timestamptz, pg_catalog.int4, pg_catalog.bool) IS 'Releases held rows by filter, oldest first; a row that cannot be stored stays held, with the reason';
