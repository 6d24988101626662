-- Not dumped: a restored database has not seen its guards whole yet, and must be able to put them together piece by piece.
CREATE TABLE verdict.baselines (
    guard_id pg_catalog.int4 PRIMARY KEY,
    relation pg_catalog.oid NOT NULL,
    columns pg_catalog.jsonb NOT NULL,
    seen_at pg_catalog.timestamptz NOT NULL,
    weakened_at pg_catalog.timestamptz
);
REVOKE ALL ON TABLE verdict.baselines FROM PUBLIC;
COMMENT ON TABLE verdict.baselines IS 'Guards that stood as installed when they were last looked at: from here on no statement may weaken them';
COMMENT ON COLUMN verdict.baselines.columns IS 'Guarded column -> attribute number: names alone do not show that two columns have changed places';
COMMENT ON COLUMN verdict.baselines.weakened_at IS 'When an admin has weakened it; it is not watched until it is whole again';
CREATE INDEX baselines_relation ON verdict.baselines (relation);
