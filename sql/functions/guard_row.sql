CREATE FUNCTION verdict.guard_row() RETURNS pg_catalog.trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'verdict_guard_row';
-- PUBLIC keeps EXECUTE: whoever makes a partition clones the trigger and needs it. Without USAGE on the schema nobody
-- else can name the function, and on a table that the registry does not know it raises VD009.
GRANT EXECUTE ON FUNCTION verdict.guard_row() TO PUBLIC;
COMMENT ON FUNCTION verdict.guard_row() IS 'The trigger of every guard';
