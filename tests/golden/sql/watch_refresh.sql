-- DDL inside REFRESH MATERIALIZED VIEW: PostgreSQL tells event triggers of no command there
CREATE EXTENSION pg_verdict;
CREATE ROLE wr_owner;
CREATE ROLE wr_trigger;
CREATE ROLE wr_admin;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO wr_owner', current_database()); END $$;
CREATE SCHEMA wr AUTHORIZATION wr_owner;
CREATE SCHEMA wr2 AUTHORIZATION wr_owner;
GRANT ALL ON SCHEMA wr TO wr_trigger, wr_admin;
CREATE TYPE wr.kind AS ENUM ('chat', 'system');
CREATE TYPE wr.colour AS ENUM ('red', 'blue');
ALTER TYPE wr.kind OWNER TO wr_owner;
ALTER TYPE wr.colour OWNER TO wr_owner;
CREATE TABLE wr.msgs (id text, body text, kind wr.kind, day int) PARTITION BY RANGE (day);
CREATE TABLE wr.msgs1 PARTITION OF wr.msgs FOR VALUES FROM (0) TO (10);
CREATE TABLE wr.plain (id text, body text, kind wr.kind);
CREATE TABLE wr.unguarded (a int, note text);
CREATE TABLE wr.filled (id text, body text, kind wr.kind, day int);
INSERT INTO wr.filled VALUES ('evil', 'x', 'chat', 15);
CREATE TABLE wr.empty (id text, body text, kind wr.kind, day int);
ALTER TABLE wr.msgs OWNER TO wr_owner;
ALTER TABLE wr.msgs1 OWNER TO wr_owner;
ALTER TABLE wr.plain OWNER TO wr_owner;
ALTER TABLE wr.unguarded OWNER TO wr_owner;
ALTER TABLE wr.filled OWNER TO wr_owner;
ALTER TABLE wr.empty OWNER TO wr_owner;
GRANT TRIGGER ON wr.plain TO wr_trigger;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
SELECT verdict.guard('wr.msgs', 'h', key => 'id', content => '{"body":"body"}');
SELECT verdict.guard('wr.plain', 'h', key => 'id', content => '{"body":"body"}', condition => $$NEW.kind = 'chat'$$);
SELECT id AS guard FROM verdict.guards WHERE relation_name = 'plain' \gset
CREATE TABLE wr.statement (text text);
GRANT SELECT, INSERT, DELETE ON wr.statement TO wr_owner, wr_trigger, wr_admin;

-- Each attempt is a statement that a materialized view's function runs when the view is filled anew.
CREATE FUNCTION wr.run() RETURNS int LANGUAGE plpgsql AS $$
DECLARE statement text;
BEGIN
    FOR statement IN SELECT s.text FROM wr.statement AS s LOOP EXECUTE statement; END LOOP;
    RETURN 1;
END $$;
CREATE FUNCTION wr.attempt(statement text) RETURNS TABLE (attempt text, sqlstate text, message text, detail text) LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM wr.statement;
    INSERT INTO wr.statement VALUES (statement);
    RETURN QUERY SELECT statement, e.sqlstate, e.message, e.detail FROM t.error(pg_catalog.format('REFRESH MATERIALIZED VIEW wr.%I', 'of_' || current_user)) AS e;
END $$;
SET ROLE wr_owner;
CREATE MATERIALIZED VIEW wr.of_wr_owner AS SELECT wr.run();
SET ROLE wr_trigger;
CREATE MATERIALIZED VIEW wr.of_wr_trigger AS SELECT wr.run();
SET ROLE wr_admin;
CREATE MATERIALIZED VIEW wr.of_wr_admin AS SELECT wr.run();

\t on
\a
SET ROLE wr_owner;
SELECT a.* FROM (VALUES
    ('ALTER TABLE wr.plain DISABLE TRIGGER ALL'),
    ('ALTER TABLE wr.msgs DISABLE TRIGGER USER'),
    ('ALTER TABLE wr.msgs1 DISABLE TRIGGER ALL'),
    ('ALTER TABLE wr.msgs ATTACH PARTITION wr.filled FOR VALUES FROM (10) TO (20)'),
    ('ALTER TABLE wr.plain RENAME TO other'),
    ('ALTER TABLE wr.plain RENAME COLUMN body TO other'),
    ('ALTER TABLE wr.plain SET SCHEMA wr2'),
    ('ALTER SCHEMA wr RENAME TO other'),
    ('ALTER TYPE wr.kind RENAME VALUE ''chat'' TO ''x'''),
    ('ALTER TRIGGER verdict_guard_' || :'guard' || ' ON wr.plain RENAME TO other'),
    ('ALTER TRIGGER verdict_guard_' || :'guard' || ' ON wr.plain DEPENDS ON EXTENSION plpgsql'),
    ('CREATE RULE r AS ON INSERT TO wr.plain DO INSTEAD NOTHING'),
    ('DROP TRIGGER verdict_guard_' || :'guard' || ' ON wr.plain'),
    ('CREATE OR REPLACE TRIGGER verdict_guard_' || :'guard' || ' AFTER INSERT ON wr.plain FOR EACH STATEMENT EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger()')
    ) AS s (statement) CROSS JOIN LATERAL wr.attempt(s.statement) AS a;
SET ROLE wr_trigger;
SELECT a.* FROM wr.attempt('CREATE OR REPLACE TRIGGER verdict_guard_' || :'guard' || '_update AFTER UPDATE ON wr.plain FOR EACH ROW EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger()') AS a;
\t off
\a
SET ROLE wr_owner;
-- what changes nothing for a guard
SELECT sqlstate, message FROM wr.attempt('ALTER TABLE wr.plain ADD COLUMN more int');
SELECT sqlstate, message FROM wr.attempt('ALTER TABLE wr.unguarded ADD COLUMN more int');
SELECT sqlstate, message FROM wr.attempt('CREATE TABLE wr.msgs3 PARTITION OF wr.msgs FOR VALUES FROM (20) TO (30)');
SELECT sqlstate, message FROM wr.attempt('ALTER TABLE wr.msgs ATTACH PARTITION wr.empty FOR VALUES FROM (30) TO (40)');
SELECT sqlstate, message FROM wr.attempt('CREATE RULE r AS ON INSERT TO wr.unguarded DO INSTEAD NOTHING');
SELECT sqlstate, message FROM wr.attempt('SELECT');
SELECT sqlstate, message FROM wr.attempt('ALTER TYPE wr.colour RENAME VALUE ''red'' TO ''green''');
SELECT sqlstate, message FROM wr.attempt('ALTER TABLE wr.msgs DETACH PARTITION wr.empty');
INSERT INTO wr.msgs VALUES ('x', 'y', 'chat', 25);
RESET ROLE;
SELECT part, state, differs FROM verdict.coverage() WHERE guard IS NOT NULL AND part IS NOT NULL;
SELECT done, detail FROM verdict.incidents;

-- an admin may, and it is written down
SELECT verdict.grant_role('admin', 'wr_admin');
GRANT wr_owner TO wr_admin;
SET ROLE wr_admin;
SELECT sqlstate, message FROM wr.attempt('ALTER TABLE wr.plain DISABLE TRIGGER ALL');
RESET ROLE;
SELECT part, state FROM verdict.coverage() WHERE guard IS NOT NULL AND part = 'wr.plain';
SELECT done, detail FROM verdict.incidents;
