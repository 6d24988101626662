CREATE FUNCTION verdict.watch_ddl() RETURNS pg_catalog.event_trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'verdict_watch_ddl';
REVOKE ALL ON FUNCTION verdict.watch_ddl() FROM PUBLIC;
COMMENT ON FUNCTION verdict.watch_ddl() IS 'Refuses statements that would weaken a guard';

CREATE FUNCTION verdict.watch_drop() RETURNS pg_catalog.event_trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'verdict_watch_drop';
REVOKE ALL ON FUNCTION verdict.watch_drop() FROM PUBLIC;
COMMENT ON FUNCTION verdict.watch_drop() IS 'Refuses drops that would weaken a guard';

CREATE FUNCTION verdict.watch_rewrite() RETURNS pg_catalog.event_trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'verdict_watch_rewrite';
REVOKE ALL ON FUNCTION verdict.watch_rewrite() FROM PUBLIC;
COMMENT ON FUNCTION verdict.watch_rewrite() IS 'Loads the library, which lets no other code write into a guarded table''s new table while it is rewritten';

CREATE EVENT TRIGGER verdict_watch_ddl ON ddl_command_end EXECUTE FUNCTION verdict.watch_ddl();
ALTER EVENT TRIGGER verdict_watch_ddl ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER verdict_watch_ddl IS 'pg_verdict: refuses statements that would weaken a guard';
CREATE EVENT TRIGGER verdict_watch_drop ON sql_drop EXECUTE FUNCTION verdict.watch_drop();
ALTER EVENT TRIGGER verdict_watch_drop ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER verdict_watch_drop IS 'pg_verdict: refuses drops that would weaken a guard';
CREATE EVENT TRIGGER verdict_watch_rewrite ON table_rewrite EXECUTE FUNCTION verdict.watch_rewrite();
ALTER EVENT TRIGGER verdict_watch_rewrite ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER verdict_watch_rewrite IS 'pg_verdict: lets no other code write while a guarded table is rewritten';
