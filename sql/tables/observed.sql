CREATE TABLE verdict.observed (
    guard_id pg_catalog.int4 NOT NULL,
    at pg_catalog.timestamptz NOT NULL,
    judged pg_catalog.int8 NOT NULL
);
REVOKE ALL ON TABLE verdict.observed FROM PUBLIC;
COMMENT ON TABLE verdict.observed IS 'How many rows an observing guard has judged: one row per transaction; verdict.readiness adds them up';
SELECT pg_catalog.pg_extension_config_dump('verdict.observed', '');
-- It has no key: without this, PostgreSQL would refuse to delete from it when a publication publishes all tables.
ALTER TABLE verdict.observed REPLICA IDENTITY FULL;
CREATE INDEX observed_guard ON verdict.observed (guard_id, at);
