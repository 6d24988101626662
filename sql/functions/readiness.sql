CREATE FUNCTION verdict.readiness(
    relation pg_catalog.regclass,
    since pg_catalog.timestamptz DEFAULT NULL
) RETURNS TABLE (
    guard pg_catalog.text,
    judged pg_catalog.int8,
    finding pg_catalog.text,
    action pg_catalog.text,
    found pg_catalog.int8,
    percent pg_catalog.numeric,
    example pg_catalog.int8
)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path TO pg_catalog, pg_temp
AS $$
    SELECT g.name, j.judged, i.finding, i.action, coalesce(i.found, 0),
        pg_catalog.round(100 OPERATOR(pg_catalog.*) coalesce(i.found, 0)::pg_catalog.numeric
            OPERATOR(pg_catalog./) nullif(j.judged, 0), 2),
        i.example
    FROM verdict.guards AS g
    JOIN pg_catalog.pg_namespace AS n ON n.nspname OPERATOR(pg_catalog.=) g.relation_schema::pg_catalog.name
    JOIN pg_catalog.pg_class AS c ON c.relnamespace OPERATOR(pg_catalog.=) n.oid
        AND c.relname OPERATOR(pg_catalog.=) g.relation_name::pg_catalog.name
    CROSS JOIN LATERAL (
        SELECT coalesce(pg_catalog.sum(o.judged), 0)::pg_catalog.int8 AS judged FROM verdict.observed AS o
        WHERE o.guard_id OPERATOR(pg_catalog.=) g.id
            AND (since IS NULL OR o.at OPERATOR(pg_catalog.>=) since)
    ) AS j
    LEFT JOIN LATERAL (
        SELECT w.finding, w.action, pg_catalog.count(*) AS found, pg_catalog.max(w.id) AS example
        FROM verdict.incidents AS w
        WHERE w.guard_id OPERATOR(pg_catalog.=) g.id AND w.done OPERATOR(pg_catalog.=) 'observed'
            AND (since IS NULL OR w.at OPERATOR(pg_catalog.>=) since)
        GROUP BY w.finding, w.action
    ) AS i ON true
    WHERE c.oid OPERATOR(pg_catalog.=) relation::pg_catalog.oid
    ORDER BY g.id, 5 DESC, i.finding
$$;
REVOKE ALL ON FUNCTION verdict.readiness(pg_catalog.regclass, pg_catalog.timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION verdict.readiness(pg_catalog.regclass, pg_catalog.timestamptz) IS 'How many rows an observing guard has judged, and how many of them had a finding, by finding';
