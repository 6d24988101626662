CREATE FUNCTION verdict.rename(
    relation pg_catalog.regclass,
    new_name pg_catalog.text
) RETURNS pg_catalog.void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'rename_wrapper';
REVOKE ALL ON FUNCTION verdict.rename(pg_catalog.regclass, pg_catalog.text) FROM PUBLIC;
COMMENT ON FUNCTION verdict.rename(pg_catalog.regclass, pg_catalog.text) IS 'Renames a guarded table; its guards and held rows follow the name';

CREATE FUNCTION verdict.rehome(
    old pg_catalog.regclass,
    new pg_catalog.regclass
) RETURNS pg_catalog.void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'rehome_wrapper';
REVOKE ALL ON FUNCTION verdict.rehome(pg_catalog.regclass, pg_catalog.regclass) FROM PUBLIC;
COMMENT ON FUNCTION verdict.rehome(pg_catalog.regclass, pg_catalog.regclass) IS 'Puts a table in the place of a guarded one: the tables exchange their names, and the guards move to the new one';
