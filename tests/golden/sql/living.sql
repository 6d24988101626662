-- Living with a guard: rows older than it, the switch for 3 a.m., broken glass, and how ready an observing guard is.
CREATE EXTENSION pg_verdict;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
CREATE TABLE msgs (id text, body text, status int DEFAULT 1);
CREATE VIEW incidents AS SELECT guard, finding, action, done, operation, subject FROM verdict.incidents ORDER BY id;
INSERT INTO msgs VALUES ('old1', 'hi'), ('old2', 'hi'), ('old3', 'hi'), ('denied', 'hi'), ('expired', 'hi'), (NULL, 'hi');
SELECT count(*) FROM verdict.deny('h', 'denied');
SELECT count(*) FROM verdict.approve('h', 'expired', '{"body":"hi"}', valid_for => '1 microsecond');

-- legacy => 'enforce': an edit of an old row needs a verdict like any other
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}');
UPDATE msgs SET body = 'ho' WHERE id = 'old1';
UPDATE msgs SET status = 2;
-- legacy => 'allow': it passes, with an incident
SELECT verdict.alter_guard('msgs', 'h', legacy => 'allow');
UPDATE msgs SET body = 'ho' WHERE id = 'old1' RETURNING *;
UPDATE msgs SET body = 'hi' WHERE id IS NULL RETURNING *;
UPDATE msgs SET body = 'ho' WHERE id IS NULL RETURNING *;
UPDATE msgs SET id = 'old4' WHERE id = 'old2' RETURNING *;
UPDATE msgs SET id = NULL WHERE id = 'old4' RETURNING *;
TABLE incidents;
-- but a denial is one for old rows, too, and so is an answer that has run out
UPDATE msgs SET body = 'ho' WHERE id = 'denied';
UPDATE msgs SET body = 'ho' WHERE id = 'expired';
-- no old row becomes a subject that is denied, and no judged row one that nobody has asked for
UPDATE msgs SET id = 'denied' WHERE id = 'old3';
UPDATE msgs SET id = 'old5' WHERE id = 'denied';
-- a new row is never an old one
INSERT INTO msgs VALUES ('old1', 'hi');
-- judged once, it is not old any more
SELECT count(*) FROM verdict.approve('h', 'old3', '{"body":"ha"}');
UPDATE msgs SET body = 'ho' WHERE id = 'old3';
UPDATE msgs SET body = 'ha' WHERE id = 'old3' RETURNING *;
-- edits that are final are final
SELECT verdict.alter_guard('msgs', 'h', edits => 'refuse');
UPDATE msgs SET body = 'hu' WHERE id = 'old1';
SELECT verdict.alter_guard('msgs', 'h', edits => 'enforce');
-- with soft actions: passes unheld and unflagged, but a flag is not taken off
TRUNCATE verdict.incidents;
SELECT verdict.alter_guard('msgs', 'h', on_missing => 'flag', on_denied => 'quarantine', flag_column => 'status', flag_value => '9');
UPDATE msgs SET body = 'hu' WHERE id = 'old1' RETURNING *;
UPDATE msgs SET body = 'hu' WHERE id = 'denied' RETURNING *;
INSERT INTO msgs VALUES ('new', 'hi') RETURNING *;
UPDATE msgs SET status = 1 WHERE id = 'new' RETURNING *;
UPDATE msgs SET body = 'ho' WHERE id = 'new' RETURNING *;
TABLE incidents;
SELECT verdict.alter_guard('msgs', 'h', flag_column => '', on_missing => 'reject', on_denied => 'reject', legacy => 'enforce');

-- the switch: decides, writes down, and does nothing
TRUNCATE msgs, verdict.incidents, verdict.quarantine;
SHOW verdict.enforce;
SET verdict.enforce = 'off';
SET verdict.enforce = observe;
INSERT INTO msgs VALUES ('new', 'hi'), ('denied', 'hi');
UPDATE msgs SET body = 'ho';
SELECT verdict.alter_guard('msgs', 'h', on_missing => 'quarantine', on_denied => 'discard');
INSERT INTO msgs VALUES ('new', 'hi'), ('denied', 'hi') RETURNING *;
TABLE incidents;
SELECT count(*) FROM verdict.quarantine;
-- what a session does not say counts from the next statement
SET verdict.enforce = on;
INSERT INTO msgs VALUES ('new', 'hi'), ('denied', 'hi') RETURNING *;
CREATE ROLE living_app;
GRANT INSERT, SELECT ON msgs TO living_app;
SET ROLE living_app;
SET verdict.enforce = observe;
SELECT set_config('verdict.enforce', 'observe', true);
SET verdict.row_image_bytes = 0;
SET verdict.log_rate = 0;
SET verdict.break_glass_max = '10 years';
SET verdict.incident_retention_days = 0;
SET verdict.retention_days = 0;
RESET ROLE;

-- how ready is an observing guard? N of M
TRUNCATE msgs, verdict.incidents, verdict.observed, verdict.quarantine;
SELECT verdict.create_hook('h2', subject => '/id', fields => '{"body":"/body"}');
SELECT verdict.alter_guard('msgs', 'h', mode => 'observe', on_missing => 'reject', on_denied => 'flag');
SELECT verdict.guard('msgs', 'h2', key => 'id', content => '{"body":"body"}', mode => 'observe', condition => 'NEW.status = 1', name => 'second');
CREATE VIEW readiness AS SELECT guard, judged, finding, action, found, percent, (SELECT i.subject FROM verdict.incidents AS i WHERE i.id = r.example) AS example
  FROM verdict.readiness('msgs') AS r;
TABLE readiness;
SELECT count(*) FROM (VALUES ('ok1'), ('ok2')) AS s (id), LATERAL verdict.approve('h', s.id, '{"body":"hi"}');
INSERT INTO msgs VALUES ('ok1', 'hi', 1), ('new', 'hi', 1), ('denied', 'hi', 1), ('free', 'hi', 2);
TABLE readiness;
-- rows and incidents that are rolled back do not count
BEGIN;
INSERT INTO msgs VALUES ('ok2', 'hi');
SAVEPOINT a;
INSERT INTO msgs VALUES ('rolled back', 'hi');
SAVEPOINT b;
INSERT INTO msgs VALUES ('rolled back', 'hi');
RELEASE b;
ROLLBACK TO a;
INSERT INTO msgs VALUES ('kept', 'hi');
SAVEPOINT c;
SAVEPOINT d;
INSERT INTO msgs VALUES ('kept', 'hi'), ('kept', 'hi');
RELEASE c;
DO $$ BEGIN
  FOR i IN 1..5 LOOP
    BEGIN INSERT INTO msgs VALUES ('caught', 'hi'); RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN NULL; END;
  END LOOP;
  BEGIN INSERT INTO msgs VALUES ('kept', 'hi'); EXCEPTION WHEN division_by_zero THEN NULL; END;
END $$;
COMMIT;
BEGIN;
INSERT INTO msgs VALUES ('rolled back', 'hi');
ROLLBACK;
SELECT count(*) FROM msgs;
TABLE readiness;
-- updates: those that are judged
UPDATE msgs SET status = 1;
UPDATE msgs SET body = 'ho' WHERE id = 'ok1';
TABLE readiness;
-- since, and a guard that was never asked
SELECT guard, judged, finding FROM verdict.readiness('msgs', since => 'infinity');
SELECT guard, judged, finding, found FROM verdict.readiness('msgs', since => '-infinity');
SELECT * FROM verdict.readiness(NULL);
SELECT * FROM verdict.readiness('pg_class');
-- as many as the incidents of enforcing guards do not count
SELECT verdict.alter_guard('msgs', 'h', mode => 'enforce', on_missing => 'allow');
INSERT INTO msgs VALUES ('allowed', 'hi', 2);
SELECT guard, judged, finding, found FROM verdict.readiness('msgs');
-- the extension goes, and with it what its transaction has counted
SELECT verdict.alter_guard('msgs', 'h', mode => 'observe');
DROP VIEW readiness, incidents;
SET client_min_messages = warning;
BEGIN;
INSERT INTO msgs VALUES ('last', 'hi', 2);
DROP EXTENSION pg_verdict CASCADE;
COMMIT;
SELECT count(*) FROM msgs WHERE id = 'last';
