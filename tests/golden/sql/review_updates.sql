-- Held updates: what they would have set is set on the row that they were about, if that is still what it was.
CREATE EXTENSION pg_verdict;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
CREATE TABLE msgs (k int, id text, body text, note text, at timestamptz DEFAULT '2026-01-01 12:00+00', amount numeric DEFAULT 1.10, j json, f float8 DEFAULT 0.1, "Odd ""col""" text,
  made text GENERATED ALWAYS AS (upper(body)) STORED, pad char(4) DEFAULT 'x', PRIMARY KEY (k, id));
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', on_altered => 'quarantine', on_missing => 'quarantine');
CREATE VIEW held AS SELECT id, state, operation, finding, subject, times FROM verdict.quarantine WHERE state = 'held' ORDER BY id;
CREATE VIEW stored AS SELECT k, id, body, note, amount, j, "Odd ""col""", made FROM msgs ORDER BY k, id;
SELECT count(*) FROM (VALUES ('a'), ('b'), ('c'), ('d'), ('e')) AS s (id), LATERAL verdict.approve('h', s.id, '{"body":"hi"}');
INSERT INTO msgs (k, id, body, j) SELECT row_number() OVER (), id, 'hi', '{"a" : 1}' FROM unnest('{a,b,c,d,e}'::text[]) AS id;
SET datestyle = German; SET timezone = 'Asia/Tokyo'; SET extra_float_digits = -10;
UPDATE msgs SET body = 'ho ' || id, note = 'held', amount = 1.100, at = at + interval '1 day', "Odd ""col""" = 'x';
RESET ALL;
TABLE held;
SELECT columns, row_values, old_values FROM verdict.quarantine WHERE subject = 'a';
TABLE stored;
-- as it was
SELECT verdict.release(id, 'fine') > 0 AS released FROM verdict.quarantine WHERE subject = 'a';
-- changed since, but not in what the update is about: that change stays
UPDATE msgs SET j = '{"b":2}' WHERE id = 'b';
SELECT verdict.release(id, 'fine') > 0 AS released FROM verdict.quarantine WHERE subject = 'b';
-- changed since in what the update is about
UPDATE msgs SET note = 'another' WHERE id = 'c';
SELECT verdict.release(id, 'fine') FROM verdict.quarantine WHERE subject = 'c';
UPDATE msgs SET amount = 1.1000, note = NULL WHERE id = 'c';
SELECT verdict.release(id, 'fine') FROM verdict.quarantine WHERE subject = 'c';
UPDATE msgs SET amount = 1.10 WHERE id = 'c';
SELECT verdict.release(id, 'fine') > 0 AS released FROM verdict.quarantine WHERE subject = 'c';
-- another key, gone, and refused
UPDATE msgs SET k = 40 WHERE id = 'd';
SELECT verdict.release(id, 'fine') FROM verdict.quarantine WHERE subject = 'd';
DELETE FROM msgs WHERE id = 'd';
SELECT verdict.release(id, 'fine') FROM verdict.quarantine WHERE subject = 'd';
SELECT verdict.refuse(id, 'gone') > 0 AS refused FROM verdict.quarantine WHERE subject = 'd';
SELECT verdict.refuse(id, 'no') > 0 AS refused FROM verdict.quarantine WHERE subject = 'e';
TABLE stored;
SELECT id, at = '2026-01-02 12:00+00' AS moved, f, pad FROM msgs ORDER BY id;
-- what a release of an edit approves is the edit: the row as it was before is not approved any more
UPDATE msgs SET body = 'hi', note = 'back' WHERE id = 'a';
TABLE held;
-- an edit of an edit that is held still
UPDATE msgs SET body = 'hu' WHERE id = 'b';
UPDATE msgs SET body = 'hu' WHERE id = 'b';
UPDATE msgs SET body = 'ha' WHERE id = 'b';
TABLE held;
SELECT verdict.release(max(id), 'the last') > 0 AS released FROM held WHERE subject = 'b';
SELECT verdict.release(max(id), 'and the one before') > 0 AS released FROM held WHERE subject = 'b';
-- the subject and the key themselves
UPDATE msgs SET id = 'n', k = 14 WHERE id = 'c';
SELECT verdict.release(max(id), 'fine') > 0 AS released FROM held WHERE subject = 'n';
TABLE stored;
-- with columns that came and went
SELECT count(*) FROM verdict.approve('h', 'z', '{"body":"hi"}');
INSERT INTO msgs (k, id, body, note) VALUES (1, 'z', 'hi', 'old');
UPDATE msgs SET body = 'ho', note = 'new' WHERE id = 'z';
DROP VIEW stored;
ALTER TABLE msgs DROP COLUMN note, ADD COLUMN late int DEFAULT 3;
SELECT verdict.release(max(id), 'fine') FROM held WHERE subject = 'z';
SELECT verdict.release(max(id), 'fine', adapt => true) > 0 AS released FROM held WHERE subject = 'z';
SELECT id, body, late FROM msgs WHERE id = 'z';
-- nothing is left to set
INSERT INTO msgs (k, id, body) SELECT 1, 'y', 'hi' FROM verdict.approve('h', 'y', '{"body":"hi"}');
SELECT verdict.alter_guard('msgs', 'h', content => '{"body":"Odd \"col\""}');
UPDATE msgs SET "Odd ""col""" = 'set' WHERE id = 'y';
SELECT verdict.alter_guard('msgs', 'h', content => '{"body":"body"}');
ALTER TABLE msgs DROP COLUMN "Odd ""col""";
SELECT verdict.release(max(id), 'fine', adapt => true) FROM held WHERE subject = 'y';

-- without a primary key: the one row that is what it was
CREATE TABLE keyless (id text, body text, note text, j json);
SELECT verdict.guard('keyless', 'h', key => 'id', content => '{"body":"body"}', on_altered => 'quarantine');
SELECT count(*) FROM (VALUES ('one'), ('two')) AS s (id), LATERAL verdict.approve('h', s.id, '{"body":"hi"}');
INSERT INTO keyless VALUES ('one', 'hi', NULL, '[1 ,2]'), ('two', 'hi', NULL, '[1]'), ('two', 'hi', NULL, '[1]');
UPDATE keyless SET body = 'ho' || ctid::text;
TABLE held;
SELECT verdict.release(max(id), 'fine') > 0 AS released FROM held WHERE subject = 'one';
-- two rows are what it was
SELECT verdict.release(max(id), 'fine') FROM held WHERE subject = 'two';
UPDATE keyless SET note = 'another' WHERE ctid = (SELECT min(ctid) FROM keyless WHERE id = 'two');
SELECT verdict.release(max(id), 'fine') > 0 AS released FROM held WHERE subject = 'two';
SELECT id, body ~ '^ho' AS changed, note, j FROM keyless ORDER BY 1, 2;
-- under a trigger that takes the update away, and one that changes it
CREATE FUNCTION leave_out() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER leave_out BEFORE UPDATE ON keyless FOR EACH ROW EXECUTE FUNCTION leave_out();
SELECT verdict.release(max(id), 'fine') FROM held WHERE subject = 'two';
-- a partitioned table's row that would move
CREATE TABLE parts (day int, id text, body text) PARTITION BY LIST (day);
CREATE TABLE parts1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts2 (body text, id text, day int);
ALTER TABLE parts ATTACH PARTITION parts2 FOR VALUES IN (2);
SELECT verdict.guard('parts', 'h', key => 'id', content => '{"body":"body"}', on_altered => 'quarantine');
SELECT count(*) FROM verdict.approve('h', 'p', '{"body":"hi"}');
INSERT INTO parts VALUES (1, 'p', 'hi');
UPDATE parts SET day = 2, body = 'ho';
SELECT verdict.release(max(id), 'fine') > 0 AS released FROM held WHERE subject = 'p';
SELECT tableoid::regclass, * FROM parts;
