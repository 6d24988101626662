CREATE FUNCTION verdict.alter_guard(
    relation pg_catalog.regclass,
    hook pg_catalog.text,
    key pg_catalog.text DEFAULT NULL,
    content pg_catalog.jsonb DEFAULT NULL,
    condition pg_catalog.text DEFAULT NULL,
    on_missing pg_catalog.text DEFAULT NULL,
    on_denied pg_catalog.text DEFAULT NULL,
    on_failed pg_catalog.text DEFAULT NULL,
    on_expired pg_catalog.text DEFAULT NULL,
    on_altered pg_catalog.text DEFAULT NULL,
    on_reused pg_catalog.text DEFAULT NULL,
    on_revoked pg_catalog.text DEFAULT NULL,
    flag_column pg_catalog.text DEFAULT NULL,
    flag_value pg_catalog.text DEFAULT NULL,
    locking pg_catalog.text DEFAULT NULL,
    mode pg_catalog.text DEFAULT NULL,
    edits pg_catalog.text DEFAULT NULL,
    legacy pg_catalog.text DEFAULT NULL,
    replica_role pg_catalog.text DEFAULT NULL,
    name pg_catalog.text DEFAULT NULL,
    redact pg_catalog.text[] DEFAULT NULL
) RETURNS pg_catalog.void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'change_guard_wrapper';
REVOKE ALL ON FUNCTION verdict.alter_guard(pg_catalog.regclass, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text[]) FROM PUBLIC;
COMMENT ON FUNCTION verdict.alter_guard(pg_catalog.regclass, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text[]) IS 'Changes a guard; NULL keeps what stands, an empty condition or content takes that off';
