CREATE FUNCTION verdict.coverage() RETURNS TABLE (
    relation pg_catalog.text,
    part pg_catalog.text,
    guard pg_catalog.text,
    state pg_catalog.text,
    differs pg_catalog.text,
    mend pg_catalog.text
)
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp SET quote_all_identifiers TO off SET standard_conforming_strings TO on
AS $$
    WITH roots AS (
        SELECT DISTINCT c.oid, pg_catalog.format('%I.%I', g.relation_schema, g.relation_name) AS name, c.relowner
        FROM verdict.guards AS g
        JOIN pg_catalog.pg_namespace AS n ON n.nspname OPERATOR(pg_catalog.=) g.relation_schema::pg_catalog.name
        JOIN pg_catalog.pg_class AS c ON c.relnamespace OPERATOR(pg_catalog.=) n.oid
            AND c.relname OPERATOR(pg_catalog.=) g.relation_name::pg_catalog.name
    ), parts AS (
        SELECT r.name, t.relid::pg_catalog.oid AS oid, pg_catalog.format('%I.%I', n.nspname, c.relname) AS part
        FROM roots AS r CROSS JOIN LATERAL pg_catalog.pg_partition_tree(r.oid::pg_catalog.regclass) AS t
        JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) t.relid::pg_catalog.oid
        JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
        UNION
        SELECT r.name, r.oid, r.name FROM roots AS r
    ), guards AS MATERIALIZED (SELECT e.* FROM verdict.coverage_guards() AS e)
    SELECT e.relation, e.part, e.guard, e.state, e.differs, e.mend FROM guards AS e
    UNION ALL
    -- The guard stands, but has no baseline: it came with a restore of parts, or an admin has repaired it by hand.
    SELECT r.name, NULL, g.name, 'risk', 'it has no baseline, and so it is not watched: a statement may weaken it',
        pg_catalog.format('SELECT * FROM verdict.repair(%L)', r.name)
    FROM roots AS r JOIN verdict.guards AS g ON pg_catalog.format('%I.%I', g.relation_schema, g.relation_name) OPERATOR(pg_catalog.=) r.name
    WHERE NOT EXISTS (SELECT 1 FROM verdict.baselines AS w
        WHERE w.guard_id OPERATOR(pg_catalog.=) g.id AND w.relation OPERATOR(pg_catalog.=) r.oid AND w.weakened_at IS NULL)
        AND NOT EXISTS (SELECT 1 FROM guards AS e WHERE e.guard OPERATOR(pg_catalog.=) g.name
            AND e.relation OPERATOR(pg_catalog.=) r.name AND e.state OPERATOR(pg_catalog.<>) 'ok')
    UNION ALL
    SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), NULL, NULL, 'risk',
        pg_catalog.format('trigger %I belongs to no guard that is registered for this table: it refuses every row (VD009)', t.tgname),
        pg_catalog.format('DROP TRIGGER %I ON %I.%I', t.tgname, n.nspname, c.relname)
    FROM pg_catalog.pg_trigger AS t
    JOIN pg_catalog.pg_proc AS f ON f.oid OPERATOR(pg_catalog.=) t.tgfoid
        AND f.proname OPERATOR(pg_catalog.=) 'guard_row' AND f.pronamespace OPERATOR(pg_catalog.=) 'verdict'::pg_catalog.regnamespace
    JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) t.tgrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
    WHERE t.tgparentid OPERATOR(pg_catalog.=) 0::pg_catalog.oid AND NOT EXISTS (SELECT 1 FROM verdict.guards AS g
        WHERE g.id::pg_catalog.text OPERATOR(pg_catalog.=) pg_catalog.substring(t.tgname, 'verdict_guard_([0-9]+)')
            AND (g.relation_schema OPERATOR(pg_catalog.=) n.nspname::pg_catalog.text
                AND g.relation_name OPERATOR(pg_catalog.=) c.relname::pg_catalog.text
            OR EXISTS (SELECT 1 FROM verdict.baselines AS w
                WHERE w.guard_id OPERATOR(pg_catalog.=) g.id AND w.relation OPERATOR(pg_catalog.=) c.oid)))
    UNION ALL
    SELECT NULL, NULL, NULL, 'risk',
        pg_catalog.format('trigger %I on verdict.%I does not fire always: what replication or a session in replica role changes there is not noticed',
            t.tgname, c.relname),
        pg_catalog.format('ALTER TABLE verdict.%I ENABLE ALWAYS TRIGGER %I', c.relname, t.tgname)
    FROM pg_catalog.pg_trigger AS t JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) t.tgrelid
    WHERE c.relnamespace OPERATOR(pg_catalog.=) 'verdict'::pg_catalog.regnamespace
        AND t.tgname OPERATOR(pg_catalog.=) ANY (ARRAY['invalidate', 'follow_leaf']::pg_catalog.name[])
        AND t.tgenabled OPERATOR(pg_catalog.<>) 'A'
    UNION ALL
    SELECT NULL, NULL, NULL, 'risk',
        pg_catalog.format('verdict.%I has no index on subject_hash: each look for a verdict reads it whole', c.relname),
        pg_catalog.format('CREATE INDEX CONCURRENTLY ON verdict.%I (subject_hash, id)', c.relname)
    FROM verdict.leaves AS l JOIN pg_catalog.pg_class AS c ON c.relname OPERATOR(pg_catalog.=) l.name::pg_catalog.name
        AND c.relnamespace OPERATOR(pg_catalog.=) 'verdict'::pg_catalog.regnamespace
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) c.oid AND a.attname OPERATOR(pg_catalog.=) 'subject_hash'
    WHERE l.horizon OPERATOR(pg_catalog.>) pg_catalog.now() AND NOT EXISTS (
        SELECT 1 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS x ON x.oid OPERATOR(pg_catalog.=) i.indexrelid
        JOIN pg_catalog.pg_am AS m ON m.oid OPERATOR(pg_catalog.=) x.relam
        WHERE i.indrelid OPERATOR(pg_catalog.=) c.oid AND i.indkey[0] OPERATOR(pg_catalog.=) a.attnum
            AND i.indisvalid AND i.indpred IS NULL AND m.amname OPERATOR(pg_catalog.=) 'btree')
    UNION ALL
    SELECT p.name, p.part, NULL, 'note',
        pg_catalog.format('trigger %I fires before rows are stored, after the guard''s own: what it changes is judged, and refused, when they are', t.tgname),
        NULL
    FROM parts AS p JOIN pg_catalog.pg_trigger AS t ON t.tgrelid OPERATOR(pg_catalog.=) p.oid
    WHERE NOT t.tgisinternal AND t.tgtype::pg_catalog.int4 OPERATOR(pg_catalog.&) 3 OPERATOR(pg_catalog.=) 3
        AND t.tgname OPERATOR(pg_catalog.>) 'zz_verdict_guard_'
        AND NOT t.tgname OPERATOR(pg_catalog.~) '^zz_verdict_guard_[0-9]+_(insert|update)$'
    UNION ALL
    SELECT p.name, p.part, NULL, 'risk', pg_catalog.format('rule %I can keep rows away from the table', w.rulename),
        pg_catalog.format('DROP RULE %I ON %s', w.rulename, p.part)
    FROM parts AS p JOIN pg_catalog.pg_rewrite AS w ON w.ev_class OPERATOR(pg_catalog.=) p.oid
    UNION ALL
    SELECT r.name, NULL, g.name, 'risk', pg_catalog.format('column %I, which incidents must not show, does not exist', c.name),
        pg_catalog.format('SELECT verdict.alter_guard(%L, …, redact => …)', r.name)
    FROM roots AS r JOIN verdict.guards AS g ON pg_catalog.format('%I.%I', g.relation_schema, g.relation_name) OPERATOR(pg_catalog.=) r.name
    CROSS JOIN LATERAL pg_catalog.jsonb_array_elements_text(g.redact) AS c (name)
    WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid OPERATOR(pg_catalog.=) r.oid AND a.attname OPERATOR(pg_catalog.=) c.name::pg_catalog.name)
    UNION ALL
    SELECT p.name, p.part, NULL, 'risk', 'it is a foreign table: no guard here judges what is written on the foreign server', NULL
    FROM parts AS p JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) p.oid
    WHERE c.relkind OPERATOR(pg_catalog.=) 'f'
    UNION ALL
    SELECT r.name, pg_catalog.format('%I.%I', n.nspname, c.relname), NULL, 'risk',
        'it inherits from the guarded table: queries on that table show its rows, but no guard judges them',
        pg_catalog.format('SELECT verdict.guard(%L, …)', pg_catalog.format('%I.%I', n.nspname, c.relname))
    FROM roots AS r JOIN pg_catalog.pg_inherits AS h ON h.inhparent OPERATOR(pg_catalog.=) r.oid
    JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) h.inhrelid AND NOT c.relispartition
    JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
    UNION ALL
    SELECT pg_catalog.format('%I.%I', g.relation_schema, g.relation_name), NULL, NULL, 'note',
        'no guard judges rows that are under none of these conditions: '
            OPERATOR(pg_catalog.||) pg_catalog.string_agg(g.condition, ' | ' ORDER BY g.id), NULL
    FROM verdict.guards AS g
    GROUP BY g.relation_schema, g.relation_name HAVING pg_catalog.bool_and(g.condition IS NOT NULL)
    UNION ALL
    SELECT pg_catalog.format('%I.%I', g.relation_schema, g.relation_name), NULL, g.name, 'note',
        pg_catalog.concat_ws('; ',
            CASE WHEN g.mode OPERATOR(pg_catalog.=) 'observe' THEN 'it only observes' END,
            CASE WHEN g.edits OPERATOR(pg_catalog.=) 'allow' THEN 'edits are not judged' END,
            CASE WHEN g.legacy OPERATOR(pg_catalog.=) 'allow' THEN 'edits of rows without any verdict pass' END,
            CASE WHEN g.replica_role OPERATOR(pg_catalog.=) 'apply' THEN 'sessions in replica role are not refused' END,
            CASE WHEN g.locking OPERATOR(pg_catalog.=) 'none' THEN 'a verdict can be revoked while a row is being stored' END),
        NULL
    FROM verdict.guards AS g
    WHERE g.mode OPERATOR(pg_catalog.=) 'observe' OR g.edits OPERATOR(pg_catalog.=) 'allow'
        OR g.legacy OPERATOR(pg_catalog.=) 'allow' OR g.replica_role OPERATOR(pg_catalog.=) 'apply'
        OR g.locking OPERATOR(pg_catalog.=) 'none'
    UNION ALL
    SELECT pg_catalog.format('%I.%I', b.relation_schema, b.relation_name), NULL, NULL, 'risk',
        pg_catalog.format('glass is broken until %s by %s: %s', b.until, b.broken_by, b.reason),
        pg_catalog.format('SELECT verdict.restore_glass(%L)', pg_catalog.format('%I.%I', b.relation_schema, b.relation_name))
    FROM verdict.glass AS b
    WHERE b.restored_at IS NULL AND b.until OPERATOR(pg_catalog.>) pg_catalog.clock_timestamp()
    UNION ALL
    SELECT r.name, NULL, NULL, 'risk',
        pg_catalog.format(CASE WHEN o.oid OPERATOR(pg_catalog.=) r.relowner
                THEN 'role %1$I owns the table and can log in: it can drop the table%3$s'
                ELSE 'role %1$I can log in and act as %2$I, which owns the table: it can drop the table%3$s' END,
            o.rolname, r.relowner::pg_catalog.regrole,
            CASE WHEN a.is_admin THEN ', and as a verdict admin take its guards off' END),
        'Let the application use a role that cannot act as the owner of the table'
    FROM roots AS r JOIN pg_catalog.pg_roles AS o ON pg_catalog.pg_has_role(o.oid, r.relowner, 'MEMBER')
    CROSS JOIN LATERAL (SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_proc AS p
        WHERE p.pronamespace OPERATOR(pg_catalog.=) 'verdict'::pg_catalog.regnamespace
            AND p.proname OPERATOR(pg_catalog.=) 'create_hook'
            AND pg_catalog.has_function_privilege(o.oid, p.oid, 'EXECUTE'))) AS a (is_admin)
    WHERE o.rolcanlogin AND NOT o.rolsuper
    UNION ALL
    SELECT NULL, NULL, NULL, 'risk', pg_catalog.format('role %I is a superuser and can remove any guard', s.rolname), NULL
    FROM pg_catalog.pg_roles AS s WHERE s.rolsuper
    UNION ALL
    -- Roles that give rights on our tables and on all others, without a grant on any of them.
    SELECT NULL, NULL, NULL, 'risk', pg_catalog.format('role %I is a member of %I: %s', s.rolname, d.rolname, m.means),
        pg_catalog.format('REVOKE %I FROM …', d.rolname)
    FROM pg_catalog.pg_roles AS s CROSS JOIN (VALUES
        ('pg_write_all_data', 'it may write every table, and so approve for itself'),
        ('pg_read_all_data', 'it reads verdicts, held rows and incidents'),
        ('pg_maintain', 'it may lock and rewrite every table, ours too'),
        ('pg_execute_server_program', 'it can do what the server can do, as a superuser'),
        ('pg_write_server_files', 'it can do what the server can do, as a superuser'),
        ('pg_read_server_files', 'it reads all that is stored'),
        ('pg_create_subscription', 'unapproved rows that a subscription brings are incidents, and are not refused')) AS m (name, means)
    JOIN pg_catalog.pg_roles AS d ON d.rolname OPERATOR(pg_catalog.=) m.name::pg_catalog.name
    WHERE s.rolcanlogin AND NOT s.rolsuper AND s.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
        AND pg_catalog.pg_has_role(s.oid, d.oid, 'MEMBER')
    UNION ALL
    SELECT NULL, NULL, NULL, 'risk', pg_catalog.format('role %I can act as %I, which is a superuser and can remove any guard', s.rolname, d.rolname),
        pg_catalog.format('REVOKE %I FROM …', d.rolname)
    FROM pg_catalog.pg_roles AS s JOIN pg_catalog.pg_roles AS d ON d.rolsuper AND pg_catalog.pg_has_role(s.oid, d.oid, 'MEMBER')
    WHERE s.rolcanlogin AND NOT s.rolsuper
    UNION ALL
    SELECT NULL, NULL, NULL, 'risk', pg_catalog.format('role %I has %s: %s', s.rolname, a.attribute, a.means),
        pg_catalog.format('ALTER ROLE %I NO%s', s.rolname, a.attribute)
    FROM pg_catalog.pg_roles AS s CROSS JOIN LATERAL (VALUES
        ('CREATEROLE', s.rolcreaterole AND pg_catalog.current_setting('server_version_num')::pg_catalog.int4 OPERATOR(pg_catalog.<) 160000,
            'it can make itself a member of every role that is no superuser'),
        ('REPLICATION', s.rolreplication, 'it reads all that is stored')) AS a (attribute, is_given, means)
    WHERE s.rolcanlogin AND NOT s.rolsuper AND a.is_given
    UNION ALL
    SELECT NULL, NULL, NULL, 'risk', pg_catalog.format('%s belongs to role %I, which is no superuser', o.what, r.rolname),
        pg_catalog.format('ALTER %s OWNER TO …', o.what)
    FROM (
        SELECT pg_catalog.format(CASE c.relkind WHEN 'S' THEN 'SEQUENCE verdict.%I' ELSE 'TABLE verdict.%I' END, c.relname), c.relowner FROM pg_catalog.pg_class AS c
        WHERE c.relnamespace OPERATOR(pg_catalog.=) 'verdict'::pg_catalog.regnamespace
            AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p', 'v', 'S']::pg_catalog."char"[])
        UNION ALL
        SELECT pg_catalog.format('FUNCTION %s', p.oid::pg_catalog.regprocedure), p.proowner FROM pg_catalog.pg_proc AS p
        WHERE p.pronamespace OPERATOR(pg_catalog.=) 'verdict'::pg_catalog.regnamespace
        UNION ALL
        SELECT 'SCHEMA verdict', n.nspowner FROM pg_catalog.pg_namespace AS n WHERE n.nspname OPERATOR(pg_catalog.=) 'verdict'
    ) AS o (what, owner) JOIN pg_catalog.pg_roles AS r ON r.oid OPERATOR(pg_catalog.=) o.owner AND NOT r.rolsuper
    UNION ALL
    SELECT NULL, NULL, NULL, 'risk', pg_catalog.format('role %I may set %s: %s', s.rolname, m.parameter, m.means),
        pg_catalog.format('REVOKE SET, ALTER SYSTEM ON PARAMETER %s FROM …', m.parameter)
    FROM pg_catalog.pg_roles AS s CROSS JOIN (VALUES
        ('verdict.enforce', 'it can make all guards observe only'),
        ('session_replication_role', 'guards fire all the same, other triggers do not'),
        ('event_triggers', 'it can weaken guards of its tables, and only coverage() sees it')) AS m (parameter, means)
    WHERE NOT s.rolsuper AND s.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
        AND pg_catalog.has_parameter_privilege(s.oid, m.parameter, 'SET, ALTER SYSTEM')
    UNION ALL
    SELECT NULL, NULL, NULL, 'risk',
        pg_catalog.format('verdict.enforce is %s here (%s): guards refuse nothing', s.setting, s.source),
        CASE WHEN s.source OPERATOR(pg_catalog.=) 'session' THEN 'RESET verdict.enforce' ELSE 'ALTER SYSTEM RESET verdict.enforce' END
    FROM pg_catalog.pg_settings AS s
    WHERE s.name OPERATOR(pg_catalog.=) 'verdict.enforce' AND s.setting OPERATOR(pg_catalog.<>) 'on'
        AND s.source OPERATOR(pg_catalog.!~) '^(database|user)'
    UNION ALL
    SELECT NULL, NULL, NULL, 'risk', pg_catalog.format('%s has the setting %s: guards refuse nothing there', d.whose, c.setting),
        pg_catalog.format('ALTER %s RESET verdict.enforce', d.whose)
    FROM pg_catalog.pg_db_role_setting AS s CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS c (setting)
    CROSS JOIN LATERAL (SELECT pg_catalog.concat_ws(' IN ',
        CASE WHEN s.setrole OPERATOR(pg_catalog.<>) 0::pg_catalog.oid THEN pg_catalog.format('ROLE %s', s.setrole::pg_catalog.regrole)
            WHEN s.setdatabase OPERATOR(pg_catalog.=) 0::pg_catalog.oid THEN 'ROLE ALL' END,
        CASE WHEN s.setdatabase OPERATOR(pg_catalog.<>) 0::pg_catalog.oid
            THEN pg_catalog.format('DATABASE %I', pg_catalog.current_database()) END)) AS d (whose)
    WHERE c.setting OPERATOR(pg_catalog.~*) '^verdict\.enforce=' AND c.setting OPERATOR(pg_catalog.!~*) '=on$'
        AND s.setdatabase OPERATOR(pg_catalog.=) ANY (ARRAY[0::pg_catalog.oid,
            (SELECT b.oid FROM pg_catalog.pg_database AS b WHERE b.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())])
    UNION ALL
    SELECT NULL, NULL, NULL, 'risk',
        pg_catalog.format('role %s may change verdict.%I by itself (%s)',
            CASE WHEN a.grantee OPERATOR(pg_catalog.=) 0::pg_catalog.oid THEN 'PUBLIC' ELSE a.grantee::pg_catalog.regrole::pg_catalog.text END,
            c.relname, pg_catalog.string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type)),
        pg_catalog.format('REVOKE ALL ON verdict.%I FROM …', c.relname)
    FROM pg_catalog.pg_class AS c CROSS JOIN LATERAL (
        SELECT * FROM pg_catalog.aclexplode(c.relacl)
        UNION SELECT e.* FROM pg_catalog.pg_attribute AS t CROSS JOIN LATERAL pg_catalog.aclexplode(t.attacl) AS e
        WHERE t.attrelid OPERATOR(pg_catalog.=) c.oid) AS a
    WHERE c.relnamespace OPERATOR(pg_catalog.=) 'verdict'::pg_catalog.regnamespace
        AND a.grantee OPERATOR(pg_catalog.<>) c.relowner
        AND a.privilege_type OPERATOR(pg_catalog.=) ANY (ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER', 'MAINTAIN']::pg_catalog.text[])
    GROUP BY a.grantee, c.relname
    UNION ALL
    SELECT NULL, NULL, NULL, 'risk',
        pg_catalog.format('subscription %I is taken for one of Citus'' own: what it brings is not judged', s.subname),
        pg_catalog.format('ALTER SUBSCRIPTION %I RENAME TO …', s.subname)
    FROM pg_catalog.pg_subscription AS s JOIN pg_catalog.pg_roles AS o ON o.oid OPERATOR(pg_catalog.=) s.subowner AND o.rolsuper
    WHERE s.subname OPERATOR(pg_catalog.~) '^citus_shard_(move|split)_subscription_'
        AND s.subdbid OPERATOR(pg_catalog.=)
            (SELECT b.oid FROM pg_catalog.pg_database AS b WHERE b.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
        AND EXISTS (SELECT 1 FROM pg_catalog.pg_extension AS e WHERE e.extname OPERATOR(pg_catalog.=) 'citus')
    UNION ALL
    SELECT NULL, NULL, NULL, 'risk', pg_catalog.format('event trigger %I does not fire always', e.evtname),
        pg_catalog.format('ALTER EVENT TRIGGER %I ENABLE ALWAYS', e.evtname)
    FROM pg_catalog.pg_event_trigger AS e
    WHERE e.evtname OPERATOR(pg_catalog.=) ANY (ARRAY['verdict_watch_ddl', 'verdict_watch_drop', 'verdict_watch_rewrite']::pg_catalog.name[])
        AND e.evtenabled OPERATOR(pg_catalog.<>) 'A'
$$;
REVOKE ALL ON FUNCTION verdict.coverage() FROM PUBLIC;
COMMENT ON FUNCTION verdict.coverage() IS 'Each guard on each table: ok, drifted, missing or formerly guarded, and what repairs it; then everything else, and every role, that could keep rows from being judged';
