-- coverage: rights on our tables that stand on none of them, and code that CLUSTER and VACUUM FULL run
CREATE EXTENSION pg_verdict;
CREATE ROLE cr_app LOGIN;
CREATE ROLE "cr ""odd" LOGIN;
CREATE ROLE cr_group;
CREATE ROLE cr_nologin;
CREATE ROLE cr_super SUPERUSER;
CREATE TABLE msgs (id text, body text, kind int);
CREATE TABLE parts (id text, body text, kind int) PARTITION BY LIST (kind);
CREATE TABLE parts1 PARTITION OF parts FOR VALUES IN (1);
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}');
SELECT verdict.guard('parts', 'h', key => 'id', content => '{"body":"body"}');
CREATE VIEW risks AS SELECT relation, differs, mend FROM verdict.coverage() WHERE state = 'risk' AND differs ~ 'cr_|cr "|indexes';
SELECT * FROM risks;

GRANT pg_write_all_data TO cr_group;
GRANT cr_group TO cr_app;
GRANT pg_read_all_data, pg_execute_server_program, pg_write_server_files, pg_read_server_files TO "cr ""odd";
GRANT pg_write_all_data TO cr_nologin;
GRANT cr_super TO cr_app;
ALTER ROLE "cr ""odd" REPLICATION;
GRANT UPDATE (superseded_by) ON verdict.verdicts TO cr_app;
GRANT UPDATE ON SEQUENCE verdict.verdict_id TO cr_app;
ALTER FUNCTION verdict.parse(text, bytea, int) OWNER TO cr_nologin;
ALTER TABLE verdict.glass OWNER TO cr_nologin;
\pset expanded on
SELECT * FROM risks ORDER BY differs;
\pset expanded off
-- what PostgreSQL has from 16 and 17 on
DO $$ DECLARE r text; BEGIN
    FOR r IN SELECT rolname FROM pg_roles WHERE rolname IN ('pg_maintain', 'pg_create_subscription') LOOP EXECUTE format('GRANT %I TO cr_nologin', r); END LOOP;
END $$;
ALTER ROLE cr_nologin LOGIN;
SELECT count(*) FILTER (WHERE differs ~ 'pg_maintain') = (SELECT count(*) FROM pg_roles WHERE rolname = 'pg_maintain') AS maintain,
    count(*) FILTER (WHERE differs ~ 'pg_create_subscription') = (SELECT count(*) FROM pg_roles WHERE rolname = 'pg_create_subscription') AS subscription
FROM risks;
ALTER ROLE cr_nologin CREATEROLE;
SELECT count(*) FILTER (WHERE differs ~ 'CREATEROLE') = CASE WHEN current_setting('server_version_num')::int < 160000 THEN 1 ELSE 0 END AS createrole FROM risks;
-- what is right gives no line
REVOKE pg_write_all_data FROM cr_group, cr_nologin;
REVOKE pg_read_all_data, pg_execute_server_program, pg_write_server_files, pg_read_server_files FROM "cr ""odd";
DO $$ DECLARE r text; BEGIN
    FOR r IN SELECT rolname FROM pg_roles WHERE rolname IN ('pg_maintain', 'pg_create_subscription') LOOP EXECUTE format('REVOKE %I FROM cr_nologin', r); END LOOP;
END $$;
REVOKE cr_super FROM cr_app;
ALTER ROLE "cr ""odd" NOREPLICATION;
ALTER ROLE cr_nologin NOCREATEROLE;
REVOKE UPDATE (superseded_by) ON verdict.verdicts FROM cr_app;
REVOKE UPDATE ON SEQUENCE verdict.verdict_id FROM cr_app;
ALTER FUNCTION verdict.parse(text, bytea, int) OWNER TO CURRENT_USER;
ALTER TABLE verdict.glass OWNER TO CURRENT_USER;
SELECT * FROM risks;

-- code in indexes: whose, and that it came
CREATE FUNCTION mine(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE FUNCTION theirs(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
ALTER FUNCTION theirs(int) OWNER TO cr_app;
CREATE FUNCTION "their ""op"(int, int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 = $2';
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = "their ""op");
ALTER FUNCTION "their ""op"(int, int) OWNER TO cr_app;
CREATE DOMAIN "their ""domain" AS int;
ALTER DOMAIN "their ""domain" OWNER TO cr_app;
CREATE INDEX ON msgs (mine(kind), lower(body));
SELECT * FROM risks;
CREATE INDEX theirs ON msgs (theirs(kind));
CREATE INDEX part ON msgs (id) WHERE kind === 1;
CREATE INDEX domain ON msgs ((kind::"their ""domain"));
CREATE INDEX theirs2 ON parts1 (theirs(kind));
\pset expanded on
SELECT * FROM risks;
SELECT guard, done, detail FROM verdict.incidents;
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET session_preload_libraries = pg_verdict', current_database()); END $$;
\connect -
SELECT * FROM risks;
