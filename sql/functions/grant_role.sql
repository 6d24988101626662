CREATE FUNCTION verdict.grant_role(
    kind pg_catalog.text,
    role pg_catalog.regrole
) RETURNS pg_catalog.void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'grant_role_wrapper';
REVOKE ALL ON FUNCTION verdict.grant_role(pg_catalog.text, pg_catalog.regrole) FROM PUBLIC;
COMMENT ON FUNCTION verdict.grant_role(pg_catalog.text, pg_catalog.regrole) IS 'Lets a role record, review, audit or administer: recorder, reviewer, auditor or admin';
