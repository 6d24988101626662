-- Refuse what would make the extension unsafe from the first day.
DO $$
BEGIN
    IF pg_catalog.current_setting('server_encoding') OPERATOR(pg_catalog.<>) 'UTF8' THEN
        RAISE EXCEPTION 'pg_verdict needs a database with encoding UTF8, not %', pg_catalog.current_setting('server_encoding')
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'Digests are taken over UTF-8 text.';
    END IF;
    -- The owner of the schema can drop it, and with it every verdict.
    IF EXISTS (
        SELECT 1
        FROM pg_catalog.pg_namespace AS n
        JOIN pg_catalog.pg_roles AS r ON r.oid OPERATOR(pg_catalog.=) n.nspowner
        WHERE n.nspname OPERATOR(pg_catalog.=) 'verdict' AND NOT r.rolsuper
    ) THEN
        RAISE EXCEPTION 'schema "verdict" belongs to a role that is not a superuser'
            USING ERRCODE = 'insufficient_privilege',
                  HINT = 'Look at what is in it, then drop or rename it, and create the extension again.';
    END IF;
END
$$;

REVOKE ALL ON SCHEMA verdict FROM PUBLIC;
COMMENT ON SCHEMA verdict IS 'pg_verdict: verdicts of pre-send webhooks, and the guards that enforce them';
