CREATE TABLE verdict.leaves (
    name pg_catalog.text PRIMARY KEY,
    starts pg_catalog.timestamptz NOT NULL UNIQUE,
    ends pg_catalog.timestamptz NOT NULL,
    horizon pg_catalog.timestamptz NOT NULL
);
REVOKE ALL ON TABLE verdict.leaves FROM PUBLIC;
COMMENT ON TABLE verdict.leaves IS 'The leaves of verdict.verdicts';
COMMENT ON COLUMN verdict.leaves.horizon IS 'Latest moment at which one of its verdicts, or one that it superseded, could still decide something';
SELECT pg_catalog.pg_extension_config_dump('verdict.leaves', '');
