CREATE FUNCTION verdict.row_as_json(r pg_catalog.anyelement) RETURNS pg_catalog.jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'row_as_json_wrapper';
REVOKE ALL ON FUNCTION verdict.row_as_json(pg_catalog.anyelement) FROM PUBLIC;
COMMENT ON FUNCTION verdict.row_as_json(pg_catalog.anyelement) IS 'Private: a row of a table as JSON, as the owner of the table would write it';
