-- Changing a guard: what it reads, and what it is called.
CREATE EXTENSION pg_verdict;
CREATE TABLE msgs (id text, other_id text, body text, other_body text, kind int);
SELECT verdict.create_hook('h', fields => '{"body":"/body"}', subject => '/id');
SELECT verdict.create_hook('h2', fields => '{"body":"/body"}', subject => '/id');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}');
SELECT outcome FROM verdict.approve('h', 'a', '{"body":"hi"}');
CREATE VIEW read AS SELECT name, key, content, condition, condition_columns, columns FROM verdict.guards ORDER BY id;

SELECT verdict.alter_guard('msgs', 'h', key => 'other_id');
TABLE read;
INSERT INTO msgs VALUES ('x', 'a', 'hi', 'ho', 1);
INSERT INTO msgs VALUES ('a', 'x', 'hi', 'ho', 1);
SELECT verdict.alter_guard('msgs', 'h', content => '{"body":"other_body"}', condition => 'NEW.kind = 1');
TABLE read;
INSERT INTO msgs VALUES ('x', 'a', 'ho', 'hi', 1), ('x', 'x', 'ho', 'ho', 2);
INSERT INTO msgs VALUES ('x', 'a', 'hi', 'ho', 1);
-- the condition stays when something else changes, until it is taken off
SELECT verdict.alter_guard('msgs', 'h', content => '{}', name => 'new name');
TABLE read;
INSERT INTO msgs VALUES ('x', 'a', 'any', 'body', 1), ('x', 'x', 'any', 'body', 2);
SELECT verdict.alter_guard('msgs', 'h', condition => '');
TABLE read;
INSERT INTO msgs VALUES ('x', 'x', 'any', 'body', 2);
-- columns that are no longer guarded can go
ALTER TABLE msgs DROP COLUMN id, DROP COLUMN other_body;
ALTER TABLE msgs DROP COLUMN other_id;

SELECT verdict.guard('msgs', 'h2', key => 'other_id', name => 'second');
SELECT verdict.alter_guard('msgs', 'h2', name => 'new name');
SELECT verdict.alter_guard('msgs', 'h2', name => 'second');
SELECT verdict.alter_guard('msgs', 'h2', name => '');
SELECT verdict.alter_guard('msgs', 'h2', key => 'id');
SELECT verdict.alter_guard('msgs', 'h2', key => '');
SELECT verdict.alter_guard('msgs', 'h2', content => '{"invented":"body"}');
SELECT verdict.alter_guard('msgs', 'h2', content => '[]');
SELECT verdict.alter_guard(NULL, 'h2', mode => 'observe');
SELECT verdict.alter_guard('msgs', NULL, mode => 'observe');
SELECT verdict.alter_guard('msgs', 'h2');
TABLE read;
