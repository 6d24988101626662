-- legacy => 'allow' with a condition: only rows that were under it are old; one that comes under it is judged like a new one
CREATE EXTENSION pg_verdict;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
SELECT outcome FROM verdict.approve('h', 'good', '{"body":"hi"}');
CREATE TABLE msgs (id text, body text, kind int);
INSERT INTO msgs VALUES ('old', 'x', 1), ('old null', 'x', NULL), ('outside', 'x', 2);
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', condition => 'NEW.kind = 1', legacy => 'allow');
-- honest use: what was there before the guard
UPDATE msgs SET body = 'y' WHERE id = 'old';
UPDATE msgs SET body = 'y' WHERE id = 'old null';
UPDATE msgs SET kind = 1 WHERE id = 'old null';
UPDATE msgs SET body = 'y' WHERE id = 'outside';
-- not what comes under the condition
INSERT INTO msgs VALUES ('evil', 'x', 2);
UPDATE msgs SET kind = 1 WHERE id = 'evil';
UPDATE msgs SET kind = NULL WHERE id = 'evil';
UPDATE msgs SET kind = 1, body = 'z' WHERE id = 'evil';
UPDATE msgs SET kind = 1 WHERE id = 'outside';
INSERT INTO msgs VALUES ('evil', 'x', 1);
UPDATE msgs SET kind = 1, id = 'good', body = 'hi' WHERE id = 'evil';
SELECT * FROM msgs ORDER BY id;
SELECT subject, done FROM verdict.incidents ORDER BY id;

-- before the row is stored, too
SELECT verdict.alter_guard('msgs', 'h', on_missing => 'quarantine');
INSERT INTO msgs VALUES ('evil', 'x', 2);
UPDATE msgs SET kind = 1 WHERE id = 'evil';
UPDATE msgs SET body = 'z' WHERE id = 'old';
SELECT * FROM msgs WHERE id IN ('evil', 'old') ORDER BY id;
SELECT subject, finding FROM verdict.quarantine;

-- and on the way to another partition, with other attribute numbers
CREATE TABLE parts (id text, body text, kind int) PARTITION BY LIST (kind);
CREATE TABLE parts1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts2 (kind int, more int, body text, id text);
ALTER TABLE parts2 DROP COLUMN more;
ALTER TABLE parts ATTACH PARTITION parts2 FOR VALUES IN (2, 3);
INSERT INTO parts VALUES ('old', 'x', 1);
SELECT verdict.guard('parts', 'h', key => 'id', content => '{"body":"body"}', condition => 'NEW.kind = 1', legacy => 'allow');
INSERT INTO parts VALUES ('evil', 'x', 2);
UPDATE parts SET kind = 1 WHERE id = 'evil';
UPDATE parts SET kind = 2, body = 'y' WHERE id = 'old';
UPDATE parts SET kind = 1 WHERE id = 'old';
SELECT tableoid::regclass, * FROM parts ORDER BY id;
