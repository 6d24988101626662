-- Statements that would weaken a guard: refused for a table's owner, written down for an admin; honest ones are not hindered.
CREATE EXTENSION pg_verdict;
CREATE ROLE watch_owner;
CREATE ROLE watch_admin;
GRANT CREATE, USAGE ON SCHEMA public TO watch_owner;
SELECT verdict.create_hook('h', fields => '{"body":"/body"}', subject => '/id');
SET ROLE watch_owner;
CREATE TABLE msgs (id text, body text, k int, status int) PARTITION BY RANGE (k);
CREATE TABLE m1 PARTITION OF msgs FOR VALUES FROM (0) TO (10);
CREATE TABLE m2 PARTITION OF msgs FOR VALUES FROM (10) TO (20);
CREATE TABLE plain (id text, body text, k int, status int);
RESET ROLE;
-- the owner needs no right on our schema for its table to be guarded
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', condition => 'NEW.k < 100', on_denied => 'quarantine');
SELECT verdict.guard('plain', 'h', key => 'id', content => '{"body":"body"}');
CREATE VIEW whole AS SELECT relation, part, guard, state, differs, mend FROM verdict.coverage() WHERE guard IS NOT NULL;
TABLE whole;

-- triggers
SET ROLE watch_owner;
ALTER TABLE msgs DISABLE TRIGGER verdict_guard_1;
ALTER TABLE m1 DISABLE TRIGGER verdict_guard_1;
ALTER TABLE m1 DISABLE TRIGGER ALL;
ALTER TABLE plain DISABLE TRIGGER USER;
ALTER TABLE msgs ENABLE TRIGGER verdict_guard_1;
ALTER TABLE msgs ENABLE REPLICA TRIGGER verdict_guard_1;
DROP TRIGGER verdict_guard_1 ON msgs;
DROP TRIGGER zz_verdict_guard_1_insert ON msgs;
ALTER TRIGGER verdict_guard_1 ON msgs RENAME TO x;
ALTER TRIGGER verdict_guard_2 ON plain DEPENDS ON EXTENSION plpgsql;
CREATE OR REPLACE TRIGGER verdict_guard_2 AFTER INSERT ON plain FOR EACH ROW WHEN (false) EXECUTE FUNCTION suppress_redundant_updates_trigger();
-- the table and its columns
ALTER TABLE msgs RENAME TO other;
RESET ROLE;
CREATE SCHEMA elsewhere AUTHORIZATION watch_owner;
SET ROLE watch_owner;
ALTER TABLE plain SET SCHEMA elsewhere;
ALTER TABLE msgs RENAME COLUMN body TO body_old;
ALTER TABLE msgs DROP COLUMN body CASCADE;
ALTER TABLE plain DROP COLUMN body;
ALTER TABLE plain ALTER COLUMN body TYPE varchar(10);
-- a swap, in one statement after the other
BEGIN;
CREATE TABLE new_plain (LIKE plain INCLUDING ALL);
ALTER TABLE plain RENAME TO old_plain;
ROLLBACK;
-- rules, and rows that nobody has judged
CREATE RULE r AS ON INSERT TO plain DO INSTEAD NOTHING;
CREATE TABLE m3 (LIKE msgs);
INSERT INTO m3 VALUES ('q', 'q', 25);
ALTER TABLE msgs ATTACH PARTITION m3 FOR VALUES FROM (20) TO (30);
DELETE FROM m3;
-- honest statements
ALTER TABLE msgs ATTACH PARTITION m3 FOR VALUES FROM (20) TO (30);
INSERT INTO m3 VALUES ('q', 'q', 25);
ALTER TABLE msgs DETACH PARTITION m3;
ALTER TABLE msgs ADD COLUMN extra int;
ALTER TABLE msgs RENAME COLUMN extra TO more;
ALTER TABLE msgs ALTER COLUMN more TYPE bigint;
ALTER TABLE msgs DROP COLUMN more;
CREATE INDEX ON msgs (id);
CREATE TABLE m4 PARTITION OF msgs FOR VALUES FROM (40) TO (50) PARTITION BY LIST (id);
CREATE TABLE m41 PARTITION OF m4 FOR VALUES IN ('a');
CREATE TABLE m5 (LIKE msgs) PARTITION BY LIST (id);
CREATE TABLE m51 PARTITION OF m5 FOR VALUES IN ('a');
ALTER TABLE msgs ATTACH PARTITION m5 FOR VALUES FROM (50) TO (60);
DROP TABLE m4;
DROP TABLE m2;
TRUNCATE msgs;
VACUUM plain;
ALTER TABLE plain ENABLE ROW LEVEL SECURITY;
ALTER TABLE plain DISABLE ROW LEVEL SECURITY;
CREATE TRIGGER mine BEFORE INSERT ON plain FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE TRIGGER mine BEFORE UPDATE ON plain FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
ALTER TABLE plain DISABLE TRIGGER mine;
DROP TRIGGER mine ON plain;
CREATE TABLE child () INHERITS (plain);
ALTER TABLE plain ADD COLUMN extra int;
ALTER TABLE plain ALTER COLUMN extra SET DEFAULT 1;
DROP TABLE child;
CREATE TABLE unrelated (x int);
ALTER TABLE unrelated RENAME TO unrelated2;
DROP TABLE unrelated2;
RESET ROLE;
TABLE whole;
-- of all that, only what takes a table from under the guard is on record
SELECT guard, relation, finding, done, detail FROM verdict.incidents ORDER BY id;

-- an admin may, and it is on record; repair mends it
ALTER TABLE msgs DISABLE TRIGGER verdict_guard_1;
ALTER TABLE m1 DISABLE TRIGGER verdict_guard_1_update;
ALTER TABLE plain RENAME TO other;
TABLE whole;
INSERT INTO other (id) VALUES ('x');
ALTER TABLE other RENAME TO plain;
SELECT * FROM verdict.repair('msgs');
SELECT * FROM verdict.repair('msgs');
TABLE whole;
SELECT verdict.grant_role('admin', 'watch_admin');
GRANT watch_owner TO watch_admin;
SET ROLE watch_admin;
DROP TRIGGER verdict_guard_2 ON plain;
SELECT state FROM verdict.coverage() WHERE part = 'public.plain';
SELECT * FROM verdict.repair('plain');
-- names
SELECT verdict.rename('plain', 'plain2');
CREATE TABLE plain3 (LIKE plain2 INCLUDING ALL);
ALTER TABLE plain3 OWNER TO watch_owner;
SELECT verdict.rehome('plain2', 'plain3');
SELECT relation, part, guard, state FROM verdict.coverage() WHERE part LIKE '%plain%';
INSERT INTO plain2 (id, body) VALUES ('x', 'y');
INSERT INTO plain3 (id, body) VALUES ('x', 'y');
SELECT verdict.rename('plain3', 'x');
SELECT verdict.rename('plain2', '');
SELECT verdict.rename('plain2', 'msgs');
SELECT verdict.rename(NULL, 'x');
SELECT verdict.rehome('plain2', 'plain2');
SELECT verdict.rehome('plain2', 'msgs');
SELECT verdict.rehome(NULL, 'plain3');
SELECT verdict.rehome('plain3', 'plain2');
SELECT * FROM verdict.repair('plain3');
SELECT * FROM verdict.repair(NULL);
RESET ROLE;
-- its owner may drop a guarded table; what was guarded stays on record until it is forgotten
SET ROLE watch_owner;
DROP TABLE plain2;
RESET ROLE;
TABLE whole;
SELECT verdict.forget('public.msgs', 'h', 'why');
SELECT verdict.forget('public.nowhere', 'h', 'why');
SELECT verdict.forget('public.plain2', 'h', '');
CREATE TABLE plain2 (id text, body text);
TABLE whole;
SELECT guard, mended FROM verdict.repair('plain2');
DROP TABLE plain2;
SELECT verdict.forget('public.plain2', 'h', 'it is gone');
SELECT guard, relation, finding, done, detail FROM verdict.incidents ORDER BY id;

-- the extension goes and comes, and leaves nothing behind
DROP EXTENSION pg_verdict;
DROP VIEW whole;
DROP EXTENSION pg_verdict CASCADE;
ALTER TABLE msgs ADD COLUMN extra int;
CREATE EXTENSION pg_verdict;
ALTER TABLE msgs ADD COLUMN extra2 int;
DROP TABLE msgs, m3, plain3;
REASSIGN OWNED BY watch_owner TO CURRENT_USER;
DROP OWNED BY watch_owner, watch_admin;
