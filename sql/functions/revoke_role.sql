CREATE FUNCTION verdict.revoke_role(
    kind pg_catalog.text,
    role pg_catalog.regrole
) RETURNS pg_catalog.void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'revoke_role_wrapper';
REVOKE ALL ON FUNCTION verdict.revoke_role(pg_catalog.text, pg_catalog.regrole) FROM PUBLIC;
COMMENT ON FUNCTION verdict.revoke_role(pg_catalog.text, pg_catalog.regrole) IS 'Revokes what grant_role has granted: recorder, reviewer, auditor or admin';
