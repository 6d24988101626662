-- Releases that cannot be: the row stays held, says why, and nothing is half done. And refusals.
CREATE EXTENSION pg_verdict;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
SELECT verdict.create_hook('h2', subject => '/id', fields => '{"body":"/body"}');
CREATE TABLE msgs (id text PRIMARY KEY, body text, n int CHECK (n < 10), strict int NOT NULL DEFAULT 0, parent text REFERENCES msgs DEFERRABLE INITIALLY DEFERRED);
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', on_missing => 'quarantine', on_denied => 'quarantine');
CREATE VIEW held AS SELECT id, state, subject, decided_by, reason, verdict_id IS NOT NULL AS verdict FROM verdict.quarantine ORDER BY id;
CREATE VIEW verdicts AS SELECT subject, outcome, via, err_code, err_msg, reason, digest IS NOT NULL AS bound, superseded_by IS NOT NULL AS superseded FROM verdict.verdicts ORDER BY id;
INSERT INTO msgs (id, body, n) VALUES ('a', 'hi', 1), ('b', 'hi', 1), (NULL, 'hi', 1), ('check', 'hi', 99), ('fk', 'hi', 1), ('gone', 'hi', 1), ('dup', 'hi', 1);
UPDATE verdict.quarantine SET row_values[5] = 'nobody' WHERE subject = 'fk';

-- arguments
SELECT verdict.release(NULL, 'why');
SELECT verdict.release(1, NULL);
SELECT verdict.release(1, '');
SELECT verdict.release(1, E' \n');
SELECT verdict.release(1, 'why', NULL);
SELECT verdict.release(99, 'why');
SELECT verdict.release(-1, 'why');
SELECT verdict.refuse(NULL, 'why');
SELECT verdict.refuse(1, NULL);
SELECT verdict.refuse(1, ' ');
SELECT verdict.refuse(99, 'why');
-- decided once
SELECT verdict.release(1, 'fine') > 0 AS released;
SELECT sqlstate, regexp_replace(message, ' at .*', ' at …') AS message FROM t.error($$SELECT verdict.release(1, 'again')$$);
SELECT sqlstate, regexp_replace(message, ' at .*', ' at …') AS message FROM t.error($$SELECT verdict.refuse(1, 'again')$$);
SELECT verdict.refuse(2, 'no') > 0 AS refused;
SELECT sqlstate, regexp_replace(message, ' at .*', ' at …') AS message FROM t.error($$SELECT verdict.release(2, 'after all')$$);
-- without a subject there is nothing to approve
SELECT verdict.release(3, 'fine');
SELECT verdict.refuse(3, 'no');
TABLE held;
TABLE verdicts;
-- refused is denied: sent again it is held again, as the guard says
INSERT INTO msgs (id, body) VALUES ('b', 'hi');
SELECT finding, state, subject FROM verdict.quarantine ORDER BY id DESC LIMIT 1;

-- constraints, as PostgreSQL says it
SELECT verdict.release(4, 'fine');
SELECT verdict.release(5, 'fine');
INSERT INTO msgs (id, body) SELECT 'dup', 'hi' FROM verdict.approve('h', 'dup', '{"body":"hi"}');
SELECT verdict.release(7, 'fine');
ALTER TABLE msgs ADD CHECK (body <> 'hi') NOT VALID;
SELECT verdict.release(6, 'fine');
ALTER TABLE msgs DROP CONSTRAINT msgs_body_check;
ALTER TABLE msgs ADD COLUMN late int;
ALTER TABLE msgs ALTER late SET DEFAULT NULL;
TABLE held;
-- no verdict of a release that failed
TABLE verdicts;

-- the table is not what it was
SELECT verdict.release(6, 'fine');
ALTER TABLE msgs DROP COLUMN late;
ALTER TABLE msgs RENAME COLUMN n TO m;
SELECT verdict.release(6, 'fine');
ALTER TABLE msgs RENAME COLUMN m TO n;
ALTER TABLE msgs ALTER COLUMN n TYPE bigint;
SELECT verdict.release(6, 'fine');
ALTER TABLE msgs ALTER COLUMN n TYPE text USING 'x';
SELECT verdict.release(6, 'fine');
ALTER TABLE msgs DROP COLUMN n, ADD COLUMN "New ""col""" int DEFAULT 7, ADD COLUMN needed int;
SELECT verdict.release(6, 'fine');
ALTER TABLE msgs RENAME TO posts;
SELECT verdict.release(6, 'fine');
CREATE VIEW msgs AS SELECT * FROM posts;
SELECT verdict.release(6, 'fine');
DROP VIEW msgs;
ALTER TABLE posts RENAME TO msgs;
-- with adapt, new columns get their defaults and the values of columns that are gone are given up
ALTER TABLE msgs ALTER COLUMN needed SET NOT NULL;
UPDATE msgs SET needed = 0;
ALTER TABLE msgs ALTER COLUMN needed SET NOT NULL;
SELECT verdict.release(6, 'fine', adapt => true);
ALTER TABLE msgs ALTER COLUMN needed SET DEFAULT 3;
SELECT verdict.release(6, 'fine', adapt => true) > 0 AS released;
TABLE msgs;
-- a type that the old text does not fit
CREATE TABLE small (id text, body text, n int);
SELECT verdict.guard('small', 'h', key => 'id', content => '{"body":"body"}', on_missing => 'quarantine');
INSERT INTO small VALUES ('s', 'hi', 70000);
ALTER TABLE small ALTER n TYPE int2;
SELECT verdict.release(id, 'fine', adapt => true) FROM verdict.quarantine WHERE subject = 's';
ALTER TABLE small ALTER n TYPE text;
SELECT verdict.release(id, 'fine', adapt => true) > 0 AS released FROM verdict.quarantine WHERE subject = 's';
TABLE small;
-- a guarded column that is renamed is the guard's own affair
INSERT INTO small VALUES ('s2', 'hi', 1);
ALTER TABLE small RENAME body TO text;
SELECT verdict.release(id, 'fine', adapt => true) FROM verdict.quarantine WHERE subject = 's2';
ALTER TABLE small RENAME text TO body;
-- the guard is gone, the hook is gone, the table is gone
SELECT verdict.unguard('small', 'h', 'enough');
SELECT verdict.release(id, 'fine') > 0 AS released FROM verdict.quarantine WHERE subject = 's2';
CREATE TABLE short (id text, body text);
SELECT verdict.guard('short', 'h2', key => 'id', content => '{"body":"body"}', on_missing => 'quarantine');
INSERT INTO short VALUES ('h1', 'hi'), ('h2', 'hi'), ('h3', 'hi');
SELECT verdict.unguard('short', 'h2', 'enough');
SELECT verdict.drop_hook('h2');
SELECT verdict.release(id, 'fine') FROM verdict.quarantine WHERE subject = 'h1';
SELECT verdict.refuse(id, 'no') FROM verdict.quarantine WHERE subject = 'h1';
SELECT verdict.create_hook('h2', subject => '/id', fields => '{"body":"/body"}');
SELECT verdict.release(id, 'fine') FROM verdict.quarantine WHERE subject = 'h2';
SELECT verdict.guard('short', 'h2', key => 'id', content => '{"body":"body"}', on_missing => 'quarantine');
INSERT INTO short VALUES ('h4', 'hi');
DROP TABLE short;
SELECT verdict.release(id, 'fine') FROM verdict.quarantine WHERE subject = 'h4';
SELECT verdict.refuse(id, 'no') > 0 AS refused FROM verdict.quarantine WHERE subject = 'h4';
SELECT subject, state, verdict_id IS NOT NULL AS verdict FROM verdict.quarantine WHERE relation = 'public.short' ORDER BY id;

-- another guard, and a trigger that leaves rows out
CREATE TABLE two (id text, body text);
SELECT verdict.guard('two', 'h', key => 'id', content => '{"body":"body"}', on_missing => 'quarantine', name => 'first');
INSERT INTO two VALUES ('t1', 'hi'), ('t2', 'hi');
SELECT verdict.guard('two', 'h2', key => 'id', content => '{"body":"body"}', on_missing => 'quarantine', name => 'second');
SELECT verdict.release(id, 'fine') FROM verdict.quarantine WHERE subject = 't1';
-- that one has not held it either: all of the failed release is undone
SELECT guard, state, subject FROM verdict.quarantine WHERE subject LIKE 't_' ORDER BY id;
SELECT verdict.alter_guard('two', 'h2', on_missing => 'reject');
SELECT verdict.release(id, 'fine') FROM verdict.quarantine WHERE subject = 't1';
SELECT verdict.alter_guard('two', 'h2', on_missing => 'discard');
SELECT verdict.release(id, 'fine') FROM verdict.quarantine WHERE subject = 't1';
SELECT verdict.alter_guard('two', 'h2', on_missing => 'allow');
CREATE FUNCTION leave_out() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER leave_out BEFORE INSERT ON two FOR EACH ROW EXECUTE FUNCTION leave_out();
SELECT verdict.release(id, 'fine') FROM verdict.quarantine WHERE subject = 't1';
DROP TRIGGER leave_out ON two;
-- a trigger that changes the content: what was approved is what was held
CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.body := 'changed'; RETURN NEW; END $$;
CREATE TRIGGER change BEFORE INSERT ON two FOR EACH ROW EXECUTE FUNCTION change();
SELECT verdict.release(id, 'fine') FROM verdict.quarantine WHERE subject = 't1';
DROP TRIGGER change ON two;
SELECT verdict.release(id, 'fine') > 0 AS released FROM verdict.quarantine WHERE subject = 't1';
TABLE two;
SELECT guard, subject, finding, done FROM verdict.incidents WHERE relation = 'public.two' ORDER BY id;
-- what its own guard leaves out, whatever is approved
CREATE TABLE never (id text, doc json);
SELECT verdict.guard('never', 'h', key => 'id', content => '{"body":"doc"}', on_missing => 'quarantine', on_altered => 'quarantine');
INSERT INTO never VALUES ('n1', '{"a":1,"a":2}');
SELECT verdict.release(id, 'fine') FROM verdict.quarantine WHERE subject = 'n1';
SELECT verdict.refuse(id, 'no') IS NOT NULL AS denied FROM verdict.quarantine WHERE subject = 'n1';
