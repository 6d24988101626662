CREATE FUNCTION verdict.follow_leaf() RETURNS pg_catalog.trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'verdict_follow_leaf';
REVOKE ALL ON FUNCTION verdict.follow_leaf() FROM PUBLIC;
COMMENT ON FUNCTION verdict.follow_leaf() IS 'Makes the table of a leaf that logical replication brings';

CREATE TRIGGER follow_leaf AFTER INSERT ON verdict.leaves
    FOR EACH ROW EXECUTE FUNCTION verdict.follow_leaf();
ALTER TABLE verdict.leaves ENABLE ALWAYS TRIGGER follow_leaf;
