CREATE FUNCTION verdict.guard_row() RETURNS pg_catalog.trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'verdict_guard_row';
-- PUBLIC keeps EXECUTE: a role that makes a partition clones the trigger, and needs this right. Without USAGE on the schema
-- nobody else can name the function. On a table that is not in the registry it raises VD009.
GRANT EXECUTE ON FUNCTION verdict.guard_row() TO PUBLIC;
COMMENT ON FUNCTION verdict.guard_row() IS 'The trigger of every guard';
