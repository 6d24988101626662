CREATE SEQUENCE verdict.verdict_id AS pg_catalog.int8 CACHE 1;
REVOKE ALL ON SEQUENCE verdict.verdict_id FROM PUBLIC;
COMMENT ON SEQUENCE verdict.verdict_id IS 'Order of the verdicts: of one subject the highest id is the newest';
-- Without this, a restored database would assign old ids again, and an old approval would count as newer than a new denial.
SELECT pg_catalog.pg_extension_config_dump('verdict.verdict_id', '');

-- No index, key or default partition here, and no leaf: leaves are made at run time and are dumped as separate tables.
-- A restore would make an index on the parent twice.
CREATE TABLE verdict.verdicts (
    id pg_catalog.int8 NOT NULL,
    subject_hash pg_catalog.int8 NOT NULL,
    recorded_at pg_catalog.timestamptz NOT NULL,
    expires_at pg_catalog.timestamptz NOT NULL,
    horizon pg_catalog.timestamptz NOT NULL,
    superseded_by pg_catalog.int8,
    consumed_at pg_catalog.timestamptz,
    revokes pg_catalog.int8,
    hook_id pg_catalog.int4 NOT NULL,
    consumed_by pg_catalog.int4,
    err_code pg_catalog.int4,
    http_status pg_catalog.int4,
    response_bytes pg_catalog.int4,
    outcome pg_catalog.text NOT NULL,
    cause pg_catalog.text,
    via pg_catalog.text NOT NULL,
    subject pg_catalog.text NOT NULL,
    digest pg_catalog.bytea,
    err_msg pg_catalog.text,
    err_detail pg_catalog.text,
    reason pg_catalog.text,
    response pg_catalog.bytea,
    recorded_by pg_catalog.text NOT NULL
) PARTITION BY RANGE (recorded_at);
REVOKE ALL ON TABLE verdict.verdicts FROM PUBLIC;
-- When verdicts are published as one table, a subscriber finds a marked verdict by this identity. Leaves have it, too.
ALTER TABLE verdict.verdicts REPLICA IDENTITY FULL;
COMMENT ON TABLE verdict.verdicts IS 'Every recorded answer. Append-only, except for the marks superseded_by and consumed_*';
COMMENT ON COLUMN verdict.verdicts.horizon IS 'The verdict, or one that it superseded, can decide something until then';
COMMENT ON COLUMN verdict.verdicts.response IS 'The answer''s bytes, at most 64 KiB; response_bytes says how many there were';
