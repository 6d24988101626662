-- coverage: what else could keep rows from being judged, and who
CREATE EXTENSION pg_verdict;
CREATE ROLE cov_owner;
CREATE ROLE cov_app LOGIN;
CREATE ROLE cov_member LOGIN;
CREATE ROLE cov_admin LOGIN;
CREATE ROLE "cov ""odd" LOGIN;
CREATE TABLE msgs (id text, body text, kind int);
CREATE TABLE child () INHERITS (msgs);
CREATE TABLE "other "" table" (id text, body text, day int) PARTITION BY LIST (day);
CREATE TABLE leaf PARTITION OF "other "" table" FOR VALUES IN (1);
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', condition => 'NEW.kind = 1', on_missing => 'quarantine');
SELECT verdict.guard('"other "" table"', 'h', key => 'id', content => '{"body":"body"}');

-- as it is made: nothing but the condition, the child, and the superuser
\pset expanded on
SELECT relation, part, guard, state, differs, mend FROM verdict.coverage();
CREATE VIEW other AS SELECT relation, part, guard, state, differs, mend FROM verdict.coverage()
WHERE state NOT IN ('ok', 'drifted') AND differs !~ 'superuser|under none of|inherits from';
SELECT * FROM other;

-- what stands on the tables
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER zzz BEFORE INSERT ON msgs FOR EACH ROW EXECUTE FUNCTION nothing();
CREATE TRIGGER aaa BEFORE INSERT ON msgs FOR EACH ROW EXECUTE FUNCTION nothing();
CREATE TABLE stray (id text);
CREATE TRIGGER verdict_guard_77 AFTER INSERT ON stray FOR EACH ROW EXECUTE FUNCTION verdict.guard_row();
CREATE RULE away AS ON INSERT TO leaf DO INSTEAD NOTHING;
SELECT * FROM other;
DROP TRIGGER zzz ON msgs;
DROP TABLE stray;
DROP RULE away ON leaf;
SELECT guard, mended FROM verdict.repair('"other "" table"');

-- how the guards are set
SELECT verdict.alter_guard('msgs', 'h', mode => 'observe', edits => 'allow', legacy => 'allow', replica_role => 'apply', locking => 'none');
SELECT verdict.break_glass('"other "" table"', 'on fire', '1 hour') > now() AS broken;
SELECT relation, guard, regexp_replace(differs, 'until \S+ \S+', 'until …') AS differs, mend FROM other;
SELECT verdict.restore_glass('"other "" table"');
SELECT verdict.alter_guard('msgs', 'h', mode => 'enforce', edits => 'enforce', legacy => 'enforce', replica_role => 'client', locking => 'share');
SELECT * FROM other;

-- who could
ALTER TABLE msgs OWNER TO cov_owner;
ALTER TABLE "other "" table" OWNER TO cov_app;
GRANT cov_owner TO cov_member, cov_admin;
SELECT verdict.grant_role('admin', 'cov_admin');
GRANT SET ON PARAMETER session_replication_role TO "cov ""odd";
GRANT ALTER SYSTEM ON PARAMETER verdict.enforce TO "cov ""odd";
GRANT INSERT, DELETE ON verdict.verdicts TO "cov ""odd";
SELECT relation, differs, mend FROM other ORDER BY differs;
REVOKE SET ON PARAMETER session_replication_role FROM "cov ""odd";
REVOKE ALTER SYSTEM ON PARAMETER verdict.enforce FROM "cov ""odd";
REVOKE ALL ON verdict.verdicts FROM "cov ""odd";
ALTER TABLE msgs OWNER TO CURRENT_USER;
ALTER TABLE "other "" table" OWNER TO CURRENT_USER;
SELECT * FROM other;

-- the switch, wherever it is thrown
SET verdict.enforce = observe;
SELECT differs, mend FROM other;
SET verdict.enforce = on;
SELECT * FROM other;
RESET verdict.enforce;
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET verdict.enforce = observe', current_database()); END $$;
DO $$ BEGIN EXECUTE format('ALTER ROLE "cov ""odd" IN DATABASE %I SET verdict.enforce = observe', current_database()); END $$;
ALTER ROLE cov_app SET verdict.enforce = 'OBSERVE';
ALTER ROLE cov_member SET verdict.enforce = 'on';
ALTER ROLE cov_member SET work_mem = '8MB';
SELECT replace(differs, current_database(), 'this') AS differs, replace(mend, current_database(), 'this') AS mend FROM other ORDER BY differs;
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET verdict.enforce', current_database()); END $$;
DO $$ BEGIN EXECUTE format('ALTER ROLE "cov ""odd" IN DATABASE %I RESET verdict.enforce', current_database()); END $$;
ALTER ROLE cov_app RESET verdict.enforce;
SELECT * FROM other;

-- our own triggers
ALTER EVENT TRIGGER verdict_watch_ddl DISABLE;
ALTER EVENT TRIGGER verdict_watch_drop ENABLE;
ALTER TABLE verdict.guards ENABLE TRIGGER invalidate;
DELETE FROM verdict.baselines WHERE guard_id = 1;
SELECT relation, guard, state, differs, mend FROM other ORDER BY differs;
ALTER EVENT TRIGGER verdict_watch_ddl ENABLE ALWAYS;
ALTER EVENT TRIGGER verdict_watch_drop ENABLE ALWAYS;
ALTER TABLE verdict.guards ENABLE ALWAYS TRIGGER invalidate;
SELECT * FROM verdict.repair('msgs');
SELECT * FROM other;
