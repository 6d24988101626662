-- rows that were lost, stuck or misjudged once
CREATE EXTENSION pg_verdict;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
SELECT outcome FROM verdict.approve('h', 'a', '{"body":"one"}');
SELECT outcome FROM verdict.deny('h', 'd', 1, 'no');

-- held updates of columns whose text is not what a cast to text gives
CREATE TABLE many (id text PRIMARY KEY, body char(20), seen boolean, addr inet, rel regclass, num numeric(6,2), at timestamptz, js json, words text[]);
CREATE TABLE keyless (id text, body char(20), seen boolean, addr inet, num numeric(6,2), at timestamptz, js json, words text[]);
INSERT INTO many VALUES ('a', 'one', true, '10.0.0.1', 'pg_class', 1.5, '2026-01-01 00:00+00', '{"a": 1}', '{a,"b c"}');
INSERT INTO keyless SELECT id, body, seen, addr, num, at, js, words FROM many;
INSERT INTO keyless (id, body) VALUES ('nulls', 'one');
SELECT verdict.guard('many', 'h', key => 'id', content => '{"body":"body"}', on_altered => 'quarantine', on_missing => 'quarantine');
SELECT verdict.guard('keyless', 'h', key => 'id', content => '{"body":"body"}', on_altered => 'quarantine', on_missing => 'quarantine');
UPDATE many SET body = 'two', seen = false, addr = '10.0.0.2/8', num = 2, at = '2027-01-01 00:00+00', words = NULL;
UPDATE keyless SET body = 'two', seen = NULL;
SET timezone = 'Asia/Tokyo';
SELECT relation, verdict.release(id, 'fine') IS NOT NULL AS released FROM verdict.quarantine WHERE state = 'held' ORDER BY id;
SET timezone = 'UTC';
SELECT * FROM many;
SELECT id, body, seen FROM keyless ORDER BY id;
-- one that is not what it was stays held
UPDATE many SET body = 'three', seen = true;
ALTER TABLE many DISABLE TRIGGER USER;
UPDATE many SET seen = NULL;
SELECT * FROM verdict.repair('many');
SELECT verdict.release(id, 'late') FROM verdict.quarantine WHERE state = 'held';
SELECT verdict.refuse(id, 'late', deny => false) FROM verdict.quarantine WHERE state = 'held';

-- subjects that are none
INSERT INTO keyless (id, body) VALUES ('', 'x'), (repeat('x', 2000), 'x');
SELECT verdict.refuse(id, 'no subject') AS verdict FROM verdict.quarantine WHERE state = 'held';

-- rows that move out of a partition which then goes
CREATE TABLE parts (day int, id text, body text, kind int) PARTITION BY LIST (day);
CREATE TABLE p1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE p2 PARTITION OF parts FOR VALUES IN (2);
INSERT INTO parts VALUES (1, 'sys', 'x', 0);
SELECT verdict.guard('parts', 'h', key => 'id', content => '{"body":"body"}', condition => 'NEW.kind = 1', on_missing => 'quarantine');
BEGIN;
UPDATE parts SET day = 2 WHERE day = 1;
INSERT INTO parts VALUES (1, 'u1', 'x', 1);
TRUNCATE p1;
INSERT INTO parts VALUES (2, 'u2', 'x', 1);
DROP TABLE p1;
INSERT INTO parts VALUES (2, 'u3', 'x', 1);
COMMIT;
CREATE TABLE p1 PARTITION OF parts FOR VALUES IN (1);
INSERT INTO parts VALUES (1, 'sys2', 'x', 0);
CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER zzzz BEFORE UPDATE ON p1 FOR EACH ROW EXECUTE FUNCTION skip();
BEGIN;
UPDATE parts SET day = 2 WHERE day = 1;
TRUNCATE p1;
INSERT INTO parts VALUES (2, 'u4', 'x', 1);
DROP TABLE p1;
INSERT INTO parts VALUES (2, 'u5', 'x', 1);
COMMIT;
SELECT subject FROM verdict.quarantine WHERE state = 'held' AND relation = 'public.parts' ORDER BY id;
SELECT * FROM parts;

-- settle leaves alone what was denied when it came
CREATE TABLE plain (id text, body text);
SELECT verdict.guard('plain', 'h', key => 'id', content => '{"body":"body"}', on_denied => 'quarantine', on_missing => 'quarantine');
INSERT INTO plain VALUES ('d', 'x'), ('later', 'x');
SELECT subject, decision FROM verdict.settle('plain');
SELECT outcome FROM verdict.deny('h', 'later');
SELECT subject, decision FROM verdict.settle('plain');
SELECT outcome FROM verdict.deny('h', 'd', 2, 'again');
SELECT subject, decision FROM verdict.settle('plain');

-- a flag value that ends in a space
CREATE TABLE flagged (id text, body text, status text);
CREATE TABLE flagged_char (id text, body text, status char(8));
SELECT verdict.guard('flagged', 'h', key => 'id', content => '{"body":"body"}', on_missing => 'flag', flag_column => 'status', flag_value => 'gone ');
SELECT verdict.guard('flagged_char', 'h', key => 'id', content => '{"body":"body"}', on_missing => 'flag', flag_column => 'status', flag_value => 'gone ');
INSERT INTO flagged VALUES ('x', 'x', 'fine');
INSERT INTO flagged_char VALUES ('x', 'x', 'fine');
SELECT id, '[' || status || ']' AS status FROM flagged UNION ALL SELECT id, '[' || status || ']' FROM flagged_char;
UPDATE flagged SET status = 'gone';

-- one partition has not all the rows
SELECT * FROM verdict.reconcile('h', 'p2');
