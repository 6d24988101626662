CREATE FUNCTION verdict.guard(
    relation pg_catalog.regclass,
    hook pg_catalog.text,
    key pg_catalog.text DEFAULT NULL,
    content pg_catalog.jsonb DEFAULT NULL,
    condition pg_catalog.text DEFAULT NULL,
    on_missing pg_catalog.text DEFAULT 'reject',
    on_denied pg_catalog.text DEFAULT 'reject',
    on_failed pg_catalog.text DEFAULT 'reject',
    on_expired pg_catalog.text DEFAULT 'reject',
    on_altered pg_catalog.text DEFAULT 'reject',
    on_reused pg_catalog.text DEFAULT 'reject',
    on_revoked pg_catalog.text DEFAULT 'reject',
    flag_column pg_catalog.text DEFAULT NULL,
    flag_value pg_catalog.text DEFAULT NULL,
    locking pg_catalog.text DEFAULT 'share',
    mode pg_catalog.text DEFAULT 'enforce',
    edits pg_catalog.text DEFAULT 'enforce',
    legacy pg_catalog.text DEFAULT 'enforce',
    replica_role pg_catalog.text DEFAULT 'client',
    name pg_catalog.text DEFAULT NULL,
    redact pg_catalog.text[] DEFAULT NULL
) RETURNS pg_catalog.int4
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'put_guard_wrapper';
REVOKE ALL ON FUNCTION verdict.guard(pg_catalog.regclass, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text[]) FROM PUBLIC;
COMMENT ON FUNCTION verdict.guard(pg_catalog.regclass, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text[]) IS 'Puts a guard on a table; returns its id';
