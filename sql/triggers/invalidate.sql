CREATE FUNCTION verdict.invalidate() RETURNS pg_catalog.trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'verdict_invalidate';
REVOKE ALL ON FUNCTION verdict.invalidate() FROM PUBLIC;
COMMENT ON FUNCTION verdict.invalidate() IS 'Makes every backend read a changed configuration table again';

CREATE TRIGGER invalidate AFTER INSERT OR UPDATE OR DELETE ON verdict.hooks
    FOR EACH ROW EXECUTE FUNCTION verdict.invalidate();
ALTER TABLE verdict.hooks ENABLE ALWAYS TRIGGER invalidate;
CREATE TRIGGER invalidate AFTER INSERT OR UPDATE OR DELETE ON verdict.guards
    FOR EACH ROW EXECUTE FUNCTION verdict.invalidate();
ALTER TABLE verdict.guards ENABLE ALWAYS TRIGGER invalidate;
CREATE TRIGGER invalidate AFTER INSERT OR UPDATE OR DELETE ON verdict.leaves
    FOR EACH ROW EXECUTE FUNCTION verdict.invalidate();
ALTER TABLE verdict.leaves ENABLE ALWAYS TRIGGER invalidate;
CREATE TRIGGER invalidate AFTER INSERT OR UPDATE OR DELETE ON verdict.glass
    FOR EACH ROW EXECUTE FUNCTION verdict.invalidate();
ALTER TABLE verdict.glass ENABLE ALWAYS TRIGGER invalidate;
CREATE TRIGGER invalidate AFTER INSERT OR UPDATE OR DELETE ON verdict.baselines
    FOR EACH ROW EXECUTE FUNCTION verdict.invalidate();
ALTER TABLE verdict.baselines ENABLE ALWAYS TRIGGER invalidate;
