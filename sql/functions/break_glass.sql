CREATE FUNCTION verdict.break_glass(
    relation pg_catalog.regclass,
    reason pg_catalog.text,
    duration pg_catalog.interval
) RETURNS pg_catalog.timestamptz
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'break_glass_wrapper';
REVOKE ALL ON FUNCTION verdict.break_glass(pg_catalog.regclass, pg_catalog.text, pg_catalog.interval) FROM PUBLIC;
COMMENT ON FUNCTION verdict.break_glass(pg_catalog.regclass, pg_catalog.text, pg_catalog.interval) IS 'Opens the guards of a table for a while; every row that passes with a finding is an incident; returns when the guards close';

CREATE FUNCTION verdict.restore_glass(relation pg_catalog.regclass) RETURNS pg_catalog.void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'restore_glass_wrapper';
REVOKE ALL ON FUNCTION verdict.restore_glass(pg_catalog.regclass) FROM PUBLIC;
COMMENT ON FUNCTION verdict.restore_glass(pg_catalog.regclass) IS 'Closes the guards of a table again before their time';
