CREATE DOMAIN verdict.action AS pg_catalog.text
    CHECK (VALUE OPERATOR(pg_catalog.=) ANY (ARRAY['reject', 'quarantine', 'discard', 'flag', 'allow']::pg_catalog.text[]));
COMMENT ON DOMAIN verdict.action IS 'What a guard does on a finding';
