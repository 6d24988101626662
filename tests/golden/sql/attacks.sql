-- ways round a guard that were open once
CREATE EXTENSION pg_verdict;
CREATE ROLE at_owner;
CREATE ROLE at_admin;
CREATE ROLE at_app;
GRANT CREATE ON SCHEMA public TO at_owner;
CREATE SCHEMA evil AUTHORIZATION at_owner;
DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO at_owner', current_database()); END $$;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
SET ROLE at_owner;
CREATE TABLE msgs (id text, body text, status int);
CREATE TABLE parts (id text, body text, k int, status int, phone text) PARTITION BY LIST (k);
CREATE TABLE p1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE p2 PARTITION OF parts FOR VALUES IN (2);
RESET ROLE;
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}');
SELECT verdict.guard('parts', 'h', key => 'id', content => '{"body":"body"}', flag_column => 'status', flag_value => '9', redact => '{phone}');
CREATE VIEW traces AS SELECT relation, part, state, differs, mend FROM verdict.coverage() WHERE state NOT IN ('ok', 'note') AND differs !~ '^role ';

-- operators of the owner's, in front of PostgreSQL's
SET ROLE at_owner;
CREATE FUNCTION evil.no(regclass, regclass) RETURNS bool LANGUAGE plpgsql AS
$$ BEGIN RAISE NOTICE 'the owner''s code runs as %', current_user; RETURN false; END $$;
CREATE FUNCTION evil.no(oid, oid) RETURNS bool LANGUAGE plpgsql AS
$$ BEGIN RAISE NOTICE 'the owner''s code runs as %', current_user; RETURN false; END $$;
CREATE OPERATOR evil.= (LEFTARG = regclass, RIGHTARG = regclass, FUNCTION = evil.no);
CREATE OPERATOR evil.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = evil.no);
SET search_path = evil, pg_catalog, public;
ALTER TABLE public.msgs DISABLE TRIGGER USER;
RESET search_path;
RESET ROLE;
SET search_path = evil, pg_catalog, public;
CREATE TABLE public.harmless (i int);
SELECT count(*) > 0 AS looked FROM verdict.coverage();
SELECT guard, mended FROM verdict.repair('public.msgs');
RESET search_path;

-- a cast of the owner's, run by whoever explains a row
SET ROLE at_owner;
CREATE TYPE mood AS ENUM ('good');
CREATE FUNCTION mood_json(mood) RETURNS json LANGUAGE plpgsql AS
$$ BEGIN RAISE NOTICE 'the owner''s code runs as %', current_user; RETURN '"good"'; END $$;
CREATE CAST (mood AS json) WITH FUNCTION mood_json(mood);
CREATE TABLE moody (id text, body text, mood mood);
INSERT INTO moody VALUES ('a', 'x', 'good');
RESET ROLE;
SELECT verdict.guard('moody', 'h', key => 'id', content => '{"body":"body"}');
SELECT e.question, e.answer FROM moody AS m, verdict.explain(m) AS e;
SELECT verdict.explain(NULL::moody);
SELECT verdict.explain(1);

-- the guarded table as a partition of another one
SET ROLE at_owner;
CREATE TABLE above (id text, body text, status int) PARTITION BY LIST (status);
ALTER TABLE above ATTACH PARTITION msgs DEFAULT;
SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'above'::regclass;
CREATE TABLE amid (id text, body text, status int) PARTITION BY LIST (status);
ALTER TABLE above ATTACH PARTITION amid DEFAULT;
ALTER TABLE amid ATTACH PARTITION msgs DEFAULT;
RESET ROLE;
SELECT verdict.grant_role('admin', 'at_admin');
GRANT at_owner TO at_admin;
SET ROLE at_admin;
ALTER TABLE amid ATTACH PARTITION msgs DEFAULT;
INSERT INTO above VALUES ('x', 'x', 1);
RESET ROLE;
SELECT * FROM traces;
SELECT * FROM verdict.repair('msgs');
ALTER TABLE amid DETACH PARTITION msgs;
SELECT * FROM traces;
SET ROLE at_owner;
ALTER TABLE msgs DISABLE TRIGGER USER;

-- the self-test lends nobody another role
SET ROLE at_admin;
SELECT count(*) FROM verdict.self_test('msgs', 'postgres');
RESET ROLE;

-- a table that hides behind another one's name while it is attached
SET ROLE at_owner;
CREATE FUNCTION hide() RETURNS void LANGUAGE plpgsql VOLATILE AS $$ BEGIN CREATE TEMP TABLE IF NOT EXISTS full_one (i int); END $$;
CREATE FUNCTION key(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM hide(); RETURN $1; END $$;
CREATE TABLE mid PARTITION OF parts FOR VALUES IN (3) PARTITION BY LIST (key(id));
CREATE TABLE full_one (id text, body text, k int, status int, phone text);
INSERT INTO full_one VALUES ('x', 'bad', 3);
DROP TABLE IF EXISTS pg_temp.full_one;
ALTER TABLE mid ATTACH PARTITION full_one FOR VALUES IN ('x');
DROP TABLE full_one;
RESET ROLE;

-- partitions that come one after the other in one transaction, with rows that were judged
SELECT outcome FROM verdict.approve('h', 'a', '{"body":"x"}');
SET ROLE at_owner;
BEGIN;
CREATE TABLE p4 PARTITION OF parts FOR VALUES IN (4);
INSERT INTO parts VALUES ('a', 'x', 4);
CREATE TABLE p5 (LIKE parts);
ALTER TABLE parts ATTACH PARTITION p5 FOR VALUES IN (5);
INSERT INTO parts VALUES ('a', 'x', 5);
CREATE TABLE p6 (LIKE parts);
ALTER TABLE parts ATTACH PARTITION p6 FOR VALUES IN (6);
SAVEPOINT s;
CREATE TABLE p7 (LIKE parts);
ALTER TABLE parts ATTACH PARTITION p7 FOR VALUES IN (7);
ALTER TABLE parts DETACH PARTITION p7;
INSERT INTO p7 VALUES ('bad', 'x', 7);
SAVEPOINT again;
ALTER TABLE parts ATTACH PARTITION p7 FOR VALUES IN (7);
ROLLBACK TO again;
ALTER TABLE parts DETACH PARTITION p6;
ROLLBACK TO s;
COMMIT;
DELETE FROM parts;
RESET ROLE;

-- the flag taken off by moving the row
SELECT verdict.alter_guard('parts', 'h', mode => 'observe');
INSERT INTO parts VALUES ('bad', 'x', 1, 0, 'secret');
SELECT verdict.alter_guard('parts', 'h', mode => 'enforce');
SELECT found, flagged FROM verdict.flag_leaks('parts', 'h', dry_run => false);
GRANT SELECT, UPDATE ON parts TO at_app;
SET ROLE at_app;
UPDATE parts SET status = 0;
UPDATE parts SET status = 0, k = 2;
UPDATE parts SET k = 2;
UPDATE parts SET status = 9, k = 1;
SELECT tableoid::regclass, id, status FROM parts;
RESET ROLE;

-- a column that is not shown, under another name
SET ROLE at_owner;
ALTER TABLE parts RENAME COLUMN phone TO "phone no";
RESET ROLE;
SELECT redact FROM verdict.guards WHERE name = 'parts_h';
SELECT verdict.alter_guard('parts', 'h', mode => 'observe');
INSERT INTO parts VALUES ('bad2', 'x', 1, 0, 'secret');
SELECT row_image ->> 'phone no' AS shown FROM verdict.incidents WHERE subject = 'bad2';
ALTER TABLE parts DROP COLUMN "phone no";
SELECT * FROM traces;
SELECT verdict.alter_guard('parts', 'h', redact => '{}', mode => 'enforce');

-- a label of an enum that is content
SET ROLE at_owner;
CREATE TYPE word AS ENUM ('nice', 'fine');
CREATE DOMAIN words AS word[];
CREATE TABLE said (id text, body word);
RESET ROLE;
SELECT verdict.guard('said', 'h', key => 'id', content => '{"body":"body"}');
SET ROLE at_owner;
ALTER TYPE word RENAME VALUE 'nice' TO 'slur';
ALTER TYPE word ADD VALUE 'more';
ALTER TYPE mood RENAME VALUE 'good' TO 'bad';
RESET ROLE;

-- constraints that wait for the end of the transaction do not stop flag_leaks
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE CONSTRAINT TRIGGER later AFTER UPDATE ON parts DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION nothing();
SELECT found, flagged FROM verdict.flag_leaks('parts', 'h', dry_run => false);
SELECT relation, done, detail FROM verdict.incidents WHERE finding = 'drift' ORDER BY id;
