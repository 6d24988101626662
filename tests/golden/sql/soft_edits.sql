-- Edits under each action, and the flag: who may set it, and who may take it off.
CREATE EXTENSION pg_verdict;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
CREATE TABLE msgs (id text, body text, kind int DEFAULT 1, status int DEFAULT 1, note text);
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', condition => 'NEW.kind = 1',
  on_altered => 'flag', on_missing => 'flag', flag_column => 'status', flag_value => '9');
CREATE TABLE unbound (id text, body text, status int DEFAULT 1);
CREATE VIEW incidents AS SELECT finding, action, done, operation, subject, row_image->>'body' AS body FROM verdict.incidents ORDER BY id;
CREATE VIEW held AS SELECT finding, operation, subject, times, row_values, old_values FROM verdict.quarantine ORDER BY id;
SELECT count(*) FROM verdict.approve('h', 'a', '{"body":"hi"}');
SELECT count(*) FROM verdict.deny('h', 'no');
INSERT INTO msgs (id, body) VALUES ('a', 'hi');

-- flag
UPDATE msgs SET note = 'innocent' RETURNING *;
UPDATE msgs SET body = 'hi', status = 2 RETURNING *;
UPDATE msgs SET body = 'ho' RETURNING *;
-- discard and quarantine: the old row stays
SELECT verdict.alter_guard('msgs', 'h', on_altered => 'discard');
UPDATE msgs SET body = 'hu', note = 'x' RETURNING *;
SELECT verdict.alter_guard('msgs', 'h', on_altered => 'quarantine');
UPDATE msgs SET body = 'hu', note = 'x' RETURNING *;
UPDATE msgs SET body = 'hu', note = 'x' RETURNING *;
UPDATE msgs SET body = 'hu', note = 'y' RETURNING *;
UPDATE msgs AS m SET body = s.body FROM (VALUES ('a', 'from')) AS s (id, body) WHERE m.id = s.id RETURNING m.*;
SELECT verdict.alter_guard('msgs', 'h', on_altered => 'allow');
UPDATE msgs SET body = 'hu' RETURNING *;
SELECT verdict.alter_guard('msgs', 'h', on_altered => 'reject');
UPDATE msgs SET body = 'ha' RETURNING *;
TABLE msgs;
TABLE incidents;
TABLE held;

-- the flag is taken off by an approval only; else it is put back, and the rest of the update is stored
TRUNCATE msgs, verdict.incidents, verdict.quarantine;
INSERT INTO msgs (id, body) VALUES ('mi', 'hi');
UPDATE msgs SET status = 1 RETURNING *;
UPDATE msgs SET status = NULL, note = 'seen' RETURNING *;
UPDATE msgs SET status = 9, note = 'same' RETURNING *;
UPDATE msgs SET status = 1, body = 'ho' RETURNING *;
UPDATE msgs SET status = 1, kind = 2 RETURNING *;
SELECT finding, done, operation, row_image FROM verdict.incidents ORDER BY id;
-- out of the condition, the flag is still the guard's while the row leaves it, and nobody's afterwards
UPDATE msgs SET status = 1 RETURNING *;
UPDATE msgs SET kind = 1 RETURNING *;
TABLE incidents;
SELECT count(*) FROM verdict.approve('h', 'mi', '{"body":"hi"}');
UPDATE msgs SET status = 1 RETURNING *;
SELECT count(*) FROM verdict.approve('h', 'mi', '{"body":"ho"}');
UPDATE msgs SET status = 1 RETURNING *;
-- denied since: what the guard says to a denial
SELECT count(*) FROM verdict.deny('h', 'mi');
UPDATE msgs SET status = 2 RETURNING *;
UPDATE msgs SET status = 9 RETURNING *;
UPDATE msgs SET status = 2 RETURNING *;
SELECT verdict.alter_guard('msgs', 'h', on_denied => 'quarantine');
UPDATE msgs SET status = 2, note = 'x' RETURNING *;
SELECT verdict.alter_guard('msgs', 'h', on_denied => 'discard');
UPDATE msgs SET status = 2, note = 'x' RETURNING *;
SELECT verdict.alter_guard('msgs', 'h', on_denied => 'allow');
UPDATE msgs SET status = 2, note = 'x' RETURNING *;
TABLE incidents;
TABLE held;

-- other changes of the flag column are the application's own
TRUNCATE msgs, verdict.incidents, verdict.quarantine;
INSERT INTO msgs (id, body, status) VALUES ('a', 'hi', 9), ('a', 'hi', NULL);
UPDATE msgs SET status = 5 WHERE status IS NULL;
UPDATE msgs SET status = 4;
TABLE msgs;
TABLE incidents;

-- edits => 'allow' lets content be, not the flag; 'refuse' says that content is final, and asks for a verdict for the flag
TRUNCATE msgs, verdict.incidents, verdict.quarantine;
SELECT verdict.alter_guard('msgs', 'h', edits => 'allow');
INSERT INTO msgs (id, body) VALUES ('x', 'hi');
UPDATE msgs SET body = 'edited', status = 9 RETURNING *;
UPDATE msgs SET body = 'edited again', status = 1 RETURNING *;
SELECT verdict.alter_guard('msgs', 'h', edits => 'refuse', on_altered => 'flag');
UPDATE msgs SET body = 'a third time' RETURNING *;
UPDATE msgs SET status = 1 RETURNING *;
SELECT count(*) FROM verdict.approve('h', 'x', '{"body":"a third time"}');
UPDATE msgs SET status = 1 RETURNING *;
UPDATE msgs SET body = 'and a fourth' RETURNING *;
SELECT verdict.alter_guard('msgs', 'h', on_altered => 'quarantine');
UPDATE msgs SET body = 'and a fifth' RETURNING *;
TABLE incidents;
TABLE held;

-- an approval that is spent: the second row has none
TRUNCATE msgs, verdict.incidents, verdict.quarantine;
SELECT verdict.alter_guard('msgs', 'h', locking => 'consume', on_reused => 'flag', edits => 'enforce');
INSERT INTO msgs (id, body) VALUES ('a', 'hi');
INSERT INTO msgs (id, body) VALUES ('a', 'hi') RETURNING *;
SELECT verdict.alter_guard('msgs', 'h', on_reused => 'quarantine');
INSERT INTO msgs (id, body) VALUES ('a', 'hi') RETURNING *;
SELECT verdict.alter_guard('msgs', 'h', on_reused => 'discard');
INSERT INTO msgs (id, body) VALUES ('a', 'hi') RETURNING *;
TABLE msgs;
TABLE incidents;
TABLE held;
-- twice in one statement: it is spent when the statement ends, too late to mark the second row
SELECT count(*) FROM verdict.approve('h', 'twice', '{"body":"hi"}');
INSERT INTO msgs (id, body) VALUES ('twice', 'hi'), ('twice', 'hi');
-- a row that meets a conflict spends nothing
CREATE UNIQUE INDEX ON msgs (note);
INSERT INTO msgs (id, body, note) VALUES ('twice', 'hi', 'n');
SELECT count(*) FROM verdict.approve('h', 'kept', '{"body":"hi"}');
INSERT INTO msgs (id, body, note) VALUES ('kept', 'hi', 'n') ON CONFLICT DO NOTHING;
SELECT subject, consumed_by FROM verdict.verdicts WHERE outcome = 'approved' ORDER BY id;

-- a condition that is NULL does not open the door, here neither
TRUNCATE msgs, verdict.incidents, verdict.quarantine;
INSERT INTO msgs (id, body, kind) VALUES ('n', 'hi', NULL), ('n', 'hi', 2), ('n', 'hi', 1) RETURNING *;
UPDATE msgs SET kind = NULL WHERE kind = 2 RETURNING *;
TABLE incidents;
-- a guard that is not bound to content, and one whose subject is the content
SELECT verdict.guard('unbound', 'h', key => 'id', on_missing => 'flag', on_denied => 'quarantine', flag_column => 'status', flag_value => '9');
INSERT INTO unbound VALUES ('a', 'anything'), ('mi2', 'anything'), ('no', 'anything') RETURNING *;
UPDATE unbound SET body = 'anything else' RETURNING *;
SELECT verdict.create_hook('digests', subject => '', fields => '{"body":"/body"}');
CREATE TABLE by_digest (body text, status int);
SELECT verdict.guard('by_digest', 'digests', content => '{"body":"body"}', on_missing => 'quarantine');
INSERT INTO by_digest VALUES ('asked'), ('asked'), ('not asked') RETURNING *;
SELECT subject = encode(digest, 'hex') AS by_digest, times, row_values FROM verdict.quarantine WHERE relation = 'public.by_digest' ORDER BY id;
