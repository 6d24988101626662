-- As whom a release runs: as the table's owner, restricted. And what a reviewer may do, and nobody else.
CREATE EXTENSION pg_verdict;
CREATE ROLE review_owner;
CREATE ROLE review_reviewer;
CREATE ROLE review_app;
GRANT CREATE ON SCHEMA public TO review_owner;
GRANT CREATE ON DATABASE golden_review_rights TO review_owner;
SELECT verdict.grant_role('reviewer', 'review_reviewer');
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
CREATE SCHEMA app AUTHORIZATION review_owner;
SET ROLE review_owner;
CREATE TABLE app.msgs (id text PRIMARY KEY, body text, by text, secret int DEFAULT 1);
CREATE TABLE app.log (who text, session text, path text, restricted text);
GRANT USAGE ON SCHEMA app TO review_app;
GRANT INSERT (id, body), SELECT (id) ON app.msgs TO review_app;
RESET ROLE;
SELECT verdict.guard('app.msgs', 'h', key => 'id', content => '{"body":"body"}', on_missing => 'quarantine');
SET SESSION AUTHORIZATION review_app;
INSERT INTO app.msgs (id, body) SELECT 'r' || i, 'hi' FROM generate_series(1, 9) AS i;
-- nothing to see, and nothing to decide
SELECT * FROM verdict.quarantine;
SELECT verdict.release(1, 'why');
RESET SESSION AUTHORIZATION;
SELECT subject, session_role, acting_role FROM verdict.quarantine ORDER BY id LIMIT 1;

-- the owner's trigger functions run as the owner, under PostgreSQL's restrictions, with the table's schema in the path
SET ROLE review_owner;
CREATE FUNCTION app.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.by := current_user;
  INSERT INTO log VALUES (current_user, session_user, current_setting('search_path'), current_setting('role'));
  RETURN NEW;
END $$;
CREATE TRIGGER note BEFORE INSERT ON app.msgs FOR EACH ROW EXECUTE FUNCTION app.note();
RESET ROLE;
SET SESSION AUTHORIZATION review_reviewer;
SELECT count(*) FROM verdict.quarantine;
SELECT count(*) FROM app.msgs;
SELECT verdict.release(1, 'fine') > 0 AS released;
SELECT current_user, session_user, current_setting('search_path') AS path;
RESET SESSION AUTHORIZATION;
SELECT id, by FROM app.msgs;
SELECT who, session, path FROM app.log;
SELECT decided_by FROM verdict.quarantine WHERE id = 1;
SELECT recorded_by, via FROM verdict.verdicts;

-- what such a function cannot do
CREATE PROCEDURE attempt(body text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE OR REPLACE FUNCTION app.note() RETURNS trigger LANGUAGE plpgsql AS %L', 'BEGIN ' || body || '; RETURN NEW; END');
END $$;
SET SESSION AUTHORIZATION review_owner;
CALL attempt('SET ROLE postgres');
CALL attempt('SET LOCAL SESSION AUTHORIZATION postgres');
RESET SESSION AUTHORIZATION;
CALL attempt('SET ROLE postgres');
SELECT verdict.release(2, 'fine');
CALL attempt('SET SESSION AUTHORIZATION postgres');
SELECT verdict.release(2, 'fine');
CALL attempt('RESET ROLE');
SELECT verdict.release(2, 'fine');
CALL attempt('PERFORM set_config(''role'', ''postgres'', false)');
SELECT verdict.release(2, 'fine');
CALL attempt('CREATE TEMP TABLE t (id int)');
SELECT verdict.release(2, 'fine');
CALL attempt('EXECUTE ''PREPARE p AS SELECT 1''');
SELECT verdict.release(2, 'fine');
CALL attempt('LISTEN x');
SELECT verdict.release(2, 'fine');
CALL attempt('DELETE FROM verdict.guards');
SELECT verdict.release(2, 'fine');
CALL attempt('PERFORM verdict.unguard(''app.msgs'', ''h'', ''why'')');
SELECT verdict.release(2, 'fine');
CALL attempt('SET row_security = on; NEW.by := current_user');
SELECT verdict.release(2, 'fine') > 0 AS released;
SHOW row_security;
-- a deferred trigger would run as whoever commits: it is not deferred
CALL attempt('NEW.by := current_user');
CREATE FUNCTION app.late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO app.log VALUES (current_user); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON app.msgs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION app.late();
TRUNCATE app.log;
BEGIN;
SELECT verdict.release(3, 'fine') > 0 AS released, verdict.release(4, 'fine') > 0 AS released;
SELECT who FROM app.log;
-- and what the transaction had deferred itself is checked then, too
COMMIT;
SELECT who FROM app.log;
CALL attempt('SET CONSTRAINTS ALL DEFERRED');
SELECT verdict.release(5, 'fine');
CALL attempt('NEW.by := current_user');
DROP TRIGGER late ON app.msgs;
-- functions in defaults, checks, indexes and policies are the owner's, too
SET ROLE review_owner;
CREATE FUNCTION app.who(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE NOTICE 'asked as %', current_user; RETURN $1; END $$;
CREATE INDEX ON app.msgs (app.who(body));
RESET ROLE;
SELECT verdict.release(5, 'fine') > 0 AS released;
DROP INDEX app.msgs_who_idx;
-- row level security binds the owner when it is forced
ALTER TABLE app.msgs ENABLE ROW LEVEL SECURITY;
CREATE POLICY none ON app.msgs WITH CHECK (false);
SELECT verdict.release(6, 'fine') > 0 AS released;
ALTER TABLE app.msgs FORCE ROW LEVEL SECURITY;
SELECT verdict.release(7, 'fine');
ALTER TABLE app.msgs NO FORCE ROW LEVEL SECURITY;
-- an owner without the right to insert
REVOKE INSERT ON app.msgs FROM review_owner;
SELECT verdict.release(7, 'fine');
GRANT INSERT ON app.msgs TO review_owner;
REVOKE USAGE ON SCHEMA app FROM review_owner;
ALTER SCHEMA app OWNER TO postgres;
REVOKE ALL ON SCHEMA app FROM review_owner;
SELECT verdict.release(7, 'fine');
GRANT USAGE ON SCHEMA app TO review_owner;
SELECT verdict.release(7, 'fine') > 0 AS released;
-- the table has another owner now
ALTER TABLE app.msgs OWNER TO review_app;
SELECT verdict.release(8, 'fine') > 0 AS released;
SELECT id, by FROM app.msgs ORDER BY id;
-- a reviewer who is one no more
SELECT verdict.revoke_role('reviewer', 'review_reviewer');
SET SESSION AUTHORIZATION review_reviewer;
SELECT count(*) FROM verdict.quarantine;
SELECT verdict.refuse(9, 'no');
SELECT * FROM verdict.settle('app.msgs');
RESET SESSION AUTHORIZATION;
-- read only
BEGIN READ ONLY;
SELECT verdict.release(9, 'fine');
ROLLBACK;
BEGIN READ ONLY;
INSERT INTO app.msgs (id, body) VALUES ('x', 'hi');
ROLLBACK;
