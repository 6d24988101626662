CREATE FUNCTION verdict.refuse(
    id pg_catalog.int8,
    reason pg_catalog.text,
    deny pg_catalog.bool DEFAULT true
) RETURNS pg_catalog.int8
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'verdict_refuse';
REVOKE ALL ON FUNCTION verdict.refuse(pg_catalog.int8, pg_catalog.text, pg_catalog.bool) FROM PUBLIC;
COMMENT ON FUNCTION verdict.refuse(pg_catalog.int8, pg_catalog.text, pg_catalog.bool) IS 'Denies a held row, so that it is never stored; returns the id of the denial, or NULL if the row has no subject or its hook was dropped';

CREATE FUNCTION verdict.refuse_all(
    relation pg_catalog.regclass,
    reason pg_catalog.text,
    finding pg_catalog.text DEFAULT NULL,
    subject pg_catalog.text DEFAULT NULL,
    held_before pg_catalog.timestamptz DEFAULT NULL,
    at_most pg_catalog.int4 DEFAULT 1000,
    deny pg_catalog.bool DEFAULT true
) RETURNS TABLE (id pg_catalog.int8, decided pg_catalog.bool, problem pg_catalog.text)
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'refuse_all_wrapper';
REVOKE ALL ON FUNCTION verdict.refuse_all(pg_catalog.regclass, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.timestamptz, pg_catalog.int4, pg_catalog.bool) FROM PUBLIC;
COMMENT ON FUNCTION verdict.refuse_all(pg_catalog.regclass, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.timestamptz, pg_catalog.int4, pg_catalog.bool) IS 'Refuses held rows by filter, oldest first';
