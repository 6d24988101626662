-- 0.2.0: soft actions, incidents, quarantine, break-glass, and the watch over guards.
-- Lines "-- include FILE" stand for the file of sql/ of that name; scripts/package-sql puts it there.

ALTER DOMAIN verdict.action DROP CONSTRAINT action_check;
ALTER DOMAIN verdict.action ADD CONSTRAINT action_check
    CHECK (VALUE OPERATOR(pg_catalog.=) ANY (ARRAY['reject', 'quarantine', 'discard', 'flag', 'allow']::pg_catalog.text[]));

-- A parallel pg_restore may load guards before hooks.
ALTER TABLE verdict.guards DROP CONSTRAINT guards_hook_id_fkey;
ALTER TABLE verdict.guards
    ADD COLUMN when_clause pg_catalog.text,
    ADD COLUMN legacy pg_catalog.text NOT NULL DEFAULT 'enforce',
    ADD COLUMN replica_role pg_catalog.text NOT NULL DEFAULT 'client',
    ADD COLUMN flag_column pg_catalog.text,
    ADD COLUMN flag_value pg_catalog.text,
    ADD COLUMN redact pg_catalog.jsonb NOT NULL DEFAULT '[]';
ALTER TABLE verdict.guards ALTER COLUMN legacy DROP DEFAULT, ALTER COLUMN replica_role DROP DEFAULT;
COMMENT ON COLUMN verdict.guards.when_clause IS 'The condition as PostgreSQL wrote it into the triggers';
COMMENT ON COLUMN verdict.guards.redact IS 'Columns whose values incidents do not show';

-- include tables/baselines.sql
-- include tables/incidents.sql
-- include tables/quarantine.sql
-- include tables/glass.sql
-- include tables/observed.sql
CREATE TRIGGER invalidate AFTER INSERT OR UPDATE OR DELETE ON verdict.glass
    FOR EACH ROW EXECUTE FUNCTION verdict.invalidate();
ALTER TABLE verdict.glass ENABLE ALWAYS TRIGGER invalidate;
CREATE TRIGGER invalidate AFTER INSERT OR UPDATE OR DELETE ON verdict.baselines
    FOR EACH ROW EXECUTE FUNCTION verdict.invalidate();
ALTER TABLE verdict.baselines ENABLE ALWAYS TRIGGER invalidate;

-- include triggers/follow_leaf.sql

DROP FUNCTION verdict.guard(pg_catalog.regclass, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text);
DROP FUNCTION verdict.alter_guard(pg_catalog.regclass, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text);
-- include functions/guard.sql
-- include functions/alter_guard.sql
COMMENT ON TABLE verdict.verdicts IS 'Every recorded answer. Append-only, except for the marks superseded_by and consumed_*';
COMMENT ON FUNCTION verdict.alter_hook(pg_catalog.text, pg_catalog.text, pg_catalog.bool, pg_catalog.interval, pg_catalog.text, pg_catalog.jsonb, pg_catalog.text, pg_catalog.bool) IS 'Changes a hook; NULL keeps the present value';
COMMENT ON FUNCTION verdict.approve(pg_catalog.text, pg_catalog.text, pg_catalog.jsonb, pg_catalog.interval) IS 'Records an approval that a person gives';
COMMENT ON FUNCTION verdict.deny(pg_catalog.text, pg_catalog.text, pg_catalog.int4, pg_catalog.text) IS 'Records a denial that a person gives';
COMMENT ON FUNCTION verdict.revoke(pg_catalog.text, pg_catalog.text, pg_catalog.text) IS 'Revokes an approval';
COMMENT ON FUNCTION verdict.status(pg_catalog.text, pg_catalog.text) IS 'Whether a subject is approved now, whatever its content, and by which verdict';
COMMENT ON FUNCTION verdict.grant_role(pg_catalog.text, pg_catalog.regrole) IS 'Lets a role record, review, audit or administer: recorder, reviewer, auditor or admin';
COMMENT ON FUNCTION verdict.revoke_role(pg_catalog.text, pg_catalog.regrole) IS 'Revokes what grant_role has granted: recorder, reviewer, auditor or admin';
COMMENT ON FUNCTION verdict.retire() IS 'Drops the leaves that can decide nothing any more and are past verdict.retention_days, and incidents past verdict.incident_retention_days';
-- The row is read as it is: to turn it into JSON would run casts of its types' owners.
DROP FUNCTION verdict.explain(pg_catalog.anyelement);
DROP FUNCTION verdict.relation_of(pg_catalog.oid);
-- include functions/explain_of_row.sql
-- include functions/break_glass.sql
-- include functions/release.sql
-- include functions/refuse.sql
-- include functions/settle.sql
-- include functions/readiness.sql
-- include functions/reconcile.sql
-- include functions/flag_leaks.sql
-- include functions/coverage_guards.sql
-- include functions/coverage.sql
-- include functions/repair.sql
-- include functions/rehome.sql
-- include functions/self_test.sql
-- include triggers/watch.sql

ALTER TABLE verdict.verdicts REPLICA IDENTITY FULL;
-- Existing leaves get what new leaves have.
DO $$
DECLARE
    leaf record;
BEGIN
    FOR leaf IN SELECT c.oid::pg_catalog.regclass AS name FROM pg_catalog.pg_inherits AS h
        JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) h.inhrelid
        WHERE h.inhparent OPERATOR(pg_catalog.=) 'verdict.verdicts'::pg_catalog.regclass
    LOOP
        EXECUTE pg_catalog.format('ALTER TABLE %s REPLICA IDENTITY FULL', leaf.name);
    END LOOP;
END
$$;

-- Existing guards get the text that the watch compares with: the condition, written the same under all session settings.
SET LOCAL timezone TO 'UTC';
SET LOCAL datestyle TO 'ISO, YMD';
SET LOCAL intervalstyle TO 'postgres';
SET LOCAL extra_float_digits TO 3;
SET LOCAL bytea_output TO 'hex';
SET LOCAL lc_monetary TO 'C';
SET LOCAL quote_all_identifiers TO off;
UPDATE verdict.guards AS g SET when_clause = (
    SELECT pg_catalog.substring(pg_catalog.pg_get_triggerdef(t.oid), ' WHEN \((.*)\) EXECUTE FUNCTION ')
    FROM pg_catalog.pg_trigger AS t
    JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) t.tgrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
    WHERE n.nspname OPERATOR(pg_catalog.=) g.relation_schema::pg_catalog.name
        AND c.relname OPERATOR(pg_catalog.=) g.relation_name::pg_catalog.name
        AND t.tgname OPERATOR(pg_catalog.=) ('verdict_guard_' OPERATOR(pg_catalog.||) g.id::pg_catalog.text)::pg_catalog.name);
-- On partitioned tables, a guard with a condition also sees rows that leave the condition by a move to another partition.
DO $$
DECLARE
    made record;
BEGIN
    FOR made IN
        SELECT c.oid::pg_catalog.regclass AS relation, t.tgname AS name
        FROM verdict.guards AS g
        JOIN pg_catalog.pg_namespace AS n ON n.nspname OPERATOR(pg_catalog.=) g.relation_schema::pg_catalog.name
        JOIN pg_catalog.pg_class AS c ON c.relnamespace OPERATOR(pg_catalog.=) n.oid
            AND c.relname OPERATOR(pg_catalog.=) g.relation_name::pg_catalog.name
        JOIN pg_catalog.pg_trigger AS t ON t.tgrelid OPERATOR(pg_catalog.=) c.oid
            AND t.tgname OPERATOR(pg_catalog.=) pg_catalog.format('verdict_guard_%s_move', g.id)::pg_catalog.name
            AND t.tgenabled OPERATOR(pg_catalog.=) 'A'
        WHERE g.condition IS NOT NULL
    LOOP
        EXECUTE pg_catalog.format(
            'CREATE OR REPLACE TRIGGER %I AFTER INSERT OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION verdict.guard_row()',
            made.name, made.relation);
        EXECUTE pg_catalog.format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', made.relation, made.name);
    END LOOP;
END $$;
INSERT INTO verdict.baselines (guard_id, relation, columns, seen_at)
SELECT g.id, c.oid,
    (SELECT coalesce(pg_catalog.jsonb_object_agg(a.attname, a.attnum), '{}') FROM pg_catalog.pg_attribute AS a
     WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid AND g.columns OPERATOR(pg_catalog.?) a.attname::pg_catalog.text),
    pg_catalog.clock_timestamp()
FROM verdict.guards AS g
JOIN pg_catalog.pg_namespace AS n ON n.nspname OPERATOR(pg_catalog.=) g.relation_schema::pg_catalog.name
JOIN pg_catalog.pg_class AS c ON c.relnamespace OPERATOR(pg_catalog.=) n.oid
    AND c.relname OPERATOR(pg_catalog.=) g.relation_name::pg_catalog.name
WHERE NOT EXISTS (
    SELECT 1 FROM verdict.coverage_guards() AS e
    WHERE e.guard OPERATOR(pg_catalog.=) g.name AND e.state OPERATOR(pg_catalog.<>) 'ok'
        AND e.relation OPERATOR(pg_catalog.=) pg_catalog.format('%I.%I', g.relation_schema, g.relation_name))
ON CONFLICT (guard_id) DO NOTHING; -- the watch has seen it already

-- The functions that were made again have lost their grants: each role gets the grants of its kind again. The functions that
-- mark a kind were not made again.
DO $$
DECLARE
    made record;
BEGIN
    FOR made IN
        SELECT k.kind, a.grantee
        FROM (VALUES ('auditor', 'explain_row'), ('admin', 'create_hook')) AS k (kind, function)
        JOIN pg_catalog.pg_proc AS p ON p.pronamespace OPERATOR(pg_catalog.=) 'verdict'::pg_catalog.regnamespace
            AND p.proname OPERATOR(pg_catalog.=) k.function::pg_catalog.name
        CROSS JOIN LATERAL pg_catalog.aclexplode(p.proacl) AS a
        WHERE a.grantee OPERATOR(pg_catalog.<>) p.proowner
    LOOP
        PERFORM verdict.grant_role(made.kind, made.grantee::pg_catalog.regrole);
    END LOOP;
END
$$;
