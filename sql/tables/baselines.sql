-- Not dumped: in a database that is being restored, no guard stands yet, and a restore must be able to make it in steps.
CREATE TABLE verdict.baselines (
    guard_id pg_catalog.int4 PRIMARY KEY,
    relation pg_catalog.oid NOT NULL,
    columns pg_catalog.jsonb NOT NULL,
    seen_at pg_catalog.timestamptz NOT NULL,
    weakened_at pg_catalog.timestamptz
);
REVOKE ALL ON TABLE verdict.baselines FROM PUBLIC;
COMMENT ON TABLE verdict.baselines IS 'Guards that stood as installed when they were last looked at: no statement may weaken them';
COMMENT ON COLUMN verdict.baselines.columns IS 'Guarded column -> attribute number: names alone do not show that two columns have swapped their names';
COMMENT ON COLUMN verdict.baselines.weakened_at IS 'When an admin weakened the guard; it is not watched until it stands as installed again';
CREATE INDEX baselines_relation ON verdict.baselines (relation);
