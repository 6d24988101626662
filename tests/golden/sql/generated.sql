-- Generated columns: stored ones are seen by the trigger; virtual ones (PostgreSQL 18 and later) are not, and are refused.
CREATE EXTENSION pg_verdict;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
CREATE TABLE stored (id text, raw text, body text GENERATED ALWAYS AS (lower(raw)) STORED);
SELECT verdict.guard('stored', 'h', key => 'id', content => '{"body":"body"}');
SELECT outcome FROM verdict.approve('h', 'a', '{"body":"hi"}');
INSERT INTO stored (id, raw) VALUES ('a', 'HI');
INSERT INTO stored (id, raw) VALUES ('a', 'HO');
UPDATE stored SET raw = 'Hi';
UPDATE stored SET raw = 'Ho';
SELECT raw, body FROM stored;
CREATE TABLE virtual (id text, raw text, body text GENERATED ALWAYS AS (lower(raw)) VIRTUAL, key text GENERATED ALWAYS AS (lower(id)) VIRTUAL);
SELECT verdict.guard('virtual', 'h', key => 'id', content => '{"body":"body"}');
SELECT verdict.guard('virtual', 'h', key => 'key', content => '{"body":"raw"}');
SELECT verdict.guard('virtual', 'h', key => 'id', content => '{"body":"raw"}', condition => 'NEW.body = ''hi''');
SELECT count(*) AS guards FROM verdict.guards;
-- beside them: not in what is held, nor in what incidents show, and no flag
SELECT verdict.guard('virtual', 'h', key => 'id', content => '{"body":"raw"}', on_missing => 'flag', flag_column => 'key', flag_value => 'x');
SELECT verdict.guard('virtual', 'h', key => 'id', content => '{"body":"raw"}', on_missing => 'quarantine', on_altered => 'allow');
INSERT INTO virtual VALUES ('v', 'HI') RETURNING *;
INSERT INTO virtual VALUES ('a', 'HO') RETURNING *;
SELECT columns, row_values FROM verdict.quarantine;
SELECT finding, done, row_image FROM verdict.incidents ORDER BY id;
SELECT verdict.release(id, 'fine') > 0 AS released FROM verdict.quarantine;
SELECT * FROM virtual ORDER BY id;
