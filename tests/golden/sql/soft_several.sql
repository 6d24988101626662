-- Several guards on one table: the strongest action is taken, and each guard that has something against the row writes its incident.
CREATE EXTENSION pg_verdict;
SELECT count(*) FROM (VALUES ('h1'), ('h2'), ('h3')) AS s (name),
  LATERAL verdict.create_hook(s.name, subject => '/id', fields => '{"body":"/body"}');
CREATE TABLE msgs (id text, body text, status int DEFAULT 1, mark text);
SELECT verdict.guard('msgs', 'h1', key => 'id', content => '{"body":"body"}', name => 'first', on_missing => 'flag',
  flag_column => 'status', flag_value => '9');
SELECT verdict.guard('msgs', 'h2', key => 'id', content => '{"body":"body"}', name => 'second', on_missing => 'discard',
  on_denied => 'flag', on_altered => 'allow', flag_column => 'mark', flag_value => 'spam');
SELECT verdict.guard('msgs', 'h3', key => 'id', content => '{"body":"body"}', name => 'third', on_missing => 'quarantine',
  on_denied => 'reject', condition => 'NEW.body IS DISTINCT FROM ''free''');
CREATE VIEW incidents AS SELECT guard, finding, action, done, operation, subject, quarantine_id IS NOT NULL AS held FROM verdict.incidents ORDER BY id;
CREATE VIEW held AS SELECT guard, finding, operation, subject, times, row_values FROM verdict.quarantine ORDER BY id;

-- the verdicts of each subject, named after what each guard will do
SELECT count(*) FROM (VALUES ('ok'), ('discard'), ('quarantine'), ('allowed')) AS s (id), LATERAL verdict.approve('h1', s.id, '{"body":"hi"}');
SELECT count(*) FROM (VALUES ('ok'), ('flag'), ('quarantine'), ('flag_reject')) AS s (id), LATERAL verdict.approve('h2', s.id, '{"body":"hi"}');
SELECT count(*) FROM (VALUES ('ok'), ('flag'), ('discard'), ('allowed'), ('two_flags'), ('flag_discard')) AS s (id),
  LATERAL verdict.approve('h3', s.id, '{"body":"hi"}');
SELECT count(*) FROM verdict.deny('h2', 'two_flags');
SELECT count(*) FROM verdict.deny('h3', 'flag_reject');
SELECT count(*) FROM verdict.approve('h2', 'allowed', '{"body":"other"}');
INSERT INTO msgs VALUES ('ok', 'hi'), ('flag', 'hi'), ('discard', 'hi'), ('quarantine', 'hi'), ('allowed', 'hi'), ('two_flags', 'hi'),
  ('flag_discard', 'hi'), ('all_missing', 'hi'), ('all_missing', 'free') RETURNING *;
TABLE incidents;
TABLE held;
INSERT INTO msgs VALUES ('flag_reject', 'hi');
-- the order of the guards does not matter
TRUNCATE verdict.incidents, verdict.quarantine;
SELECT verdict.alter_guard('msgs', 'h1', on_missing => 'quarantine'), verdict.alter_guard('msgs', 'h3', on_missing => 'flag');
INSERT INTO msgs VALUES ('all_missing', 'hi') RETURNING *;
-- two that hold: the first by name holds it, once
SELECT verdict.alter_guard('msgs', 'h3', on_missing => 'quarantine');
INSERT INTO msgs VALUES ('all_missing', 'hi') RETURNING *;
TABLE incidents;
TABLE held;
-- one that only observes, and the same when the others have nothing to say
TRUNCATE msgs, verdict.incidents, verdict.quarantine;
SELECT verdict.alter_guard('msgs', 'h1', on_missing => 'flag'), verdict.alter_guard('msgs', 'h2', mode => 'observe'),
  verdict.alter_guard('msgs', 'h3', mode => 'observe');
INSERT INTO msgs VALUES ('all_missing', 'hi'), ('flag_reject', 'hi') RETURNING *;
TABLE incidents;
TABLE held;
-- updates: an edit, and an unflagging that only one of the guards knows of
TRUNCATE msgs, verdict.incidents, verdict.quarantine;
SELECT verdict.alter_guard('msgs', 'h2', mode => 'enforce'), verdict.alter_guard('msgs', 'h3', mode => 'enforce');
INSERT INTO msgs VALUES ('two_flags', 'hi'), ('ok', 'hi');
UPDATE msgs SET status = 1, mark = 'innocent' WHERE id = 'two_flags' RETURNING *;
UPDATE msgs SET status = 1 WHERE id = 'two_flags' RETURNING *;
SELECT verdict.alter_guard('msgs', 'h1', on_altered => 'quarantine'), verdict.alter_guard('msgs', 'h3', on_altered => 'flag');
UPDATE msgs SET body = 'ho' WHERE id = 'ok' RETURNING *;
SELECT verdict.alter_guard('msgs', 'h1', on_altered => 'discard');
UPDATE msgs SET body = 'ho' WHERE id = 'ok' RETURNING *;
SELECT verdict.alter_guard('msgs', 'h3', on_altered => 'reject');
UPDATE msgs SET body = 'ho' WHERE id = 'ok' RETURNING *;
TABLE msgs;
TABLE incidents;
TABLE held;
-- two guards, one flag column
TRUNCATE msgs, verdict.incidents, verdict.quarantine;
SELECT verdict.unguard('msgs', 'h3', 'enough');
SELECT verdict.alter_guard('msgs', 'h2', on_missing => 'flag', flag_column => 'status', flag_value => '9');
INSERT INTO msgs VALUES ('all_missing', 'hi') RETURNING *;
UPDATE msgs SET status = 1 RETURNING *;
TABLE incidents;

-- a guard of a generated column can only reject or allow; the soft guard beside it does not know what it will say
TRUNCATE verdict.incidents, verdict.quarantine;
CREATE TABLE gen (id text, body text, status int DEFAULT 1, shout text GENERATED ALWAYS AS (upper(body)) STORED);
SELECT verdict.guard('gen', 'h1', key => 'id', content => '{"body":"body"}', on_missing => 'quarantine', on_denied => 'flag',
  flag_column => 'status', flag_value => '9');
SELECT verdict.guard('gen', 'h2', key => 'id', content => '{"body":"shout"}', on_altered => 'allow');
SELECT count(*) FROM verdict.approve('h2', 'ok', '{"body":"HI"}');
SELECT count(*) FROM verdict.approve('h2', 'gen', '{"body":"HI"}');
SELECT count(*) FROM verdict.deny('h1', 'gen');
INSERT INTO gen (id, body) VALUES ('ok', 'hi') RETURNING *;
INSERT INTO gen (id, body) VALUES ('ok', 'ho');
INSERT INTO gen (id, body) VALUES ('gen', 'hi') RETURNING *;
SELECT count(*) FROM verdict.approve('h1', 'ok', '{"body":"ho"}');
INSERT INTO gen (id, body) VALUES ('ok', 'ho') RETURNING *;
-- held and discarded by the one, though the other would have refused
INSERT INTO gen (id, body) VALUES ('none', 'hi');
SELECT count(*) FROM verdict.approve('h1', 'none', '{"body":"hi"}');
INSERT INTO gen (id, body) VALUES ('none', 'hi');
SELECT relation, guard, finding, done, subject, row_image FROM verdict.incidents ORDER BY id;
SELECT columns, row_values FROM verdict.quarantine ORDER BY id;
