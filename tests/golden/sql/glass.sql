-- Break-glass: guards opened for a while, by their table's owner, for a reason, and everything that passes is written down.
CREATE EXTENSION pg_verdict;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
SELECT verdict.create_hook('h2', subject => '/id', fields => '{"body":"/body"}');
CREATE TABLE msgs (id text, body text, status int DEFAULT 1);
CREATE TABLE free (id text);
CREATE TABLE parts (id text, body text) PARTITION BY LIST (id);
CREATE TABLE parts_a PARTITION OF parts FOR VALUES IN ('a');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', on_missing => 'quarantine', on_denied => 'reject',
  on_altered => 'flag', flag_column => 'status', flag_value => '9');
SELECT verdict.guard('msgs', 'h2', key => 'id', on_missing => 'allow', name => 'second');
SELECT verdict.guard('parts', 'h', key => 'id');
CREATE VIEW incidents AS SELECT guard, finding, action, done, operation, subject FROM verdict.incidents ORDER BY id;
CREATE VIEW glass AS SELECT relation_name, broken_by, reason, restored_by, restored_at IS NOT NULL AS restored, until - broken_at AS duration, until > clock_timestamp() AS lasts
  FROM verdict.glass ORDER BY id;
SELECT count(*) FROM verdict.deny('h', 'denied');
SELECT count(*) FROM verdict.approve('h', 'ok', '{"body":"hi"}');

-- what cannot be
SELECT verdict.break_glass(NULL, 'why', '1 hour');
SELECT verdict.break_glass('msgs', NULL, '1 hour');
SELECT verdict.break_glass('msgs', '', '1 hour');
SELECT verdict.break_glass('msgs', E'\t', '1 hour');
SELECT verdict.break_glass('msgs', 'why', NULL);
SELECT verdict.break_glass('msgs', 'why', '0');
SELECT verdict.break_glass('msgs', 'why', '-1 hour');
SELECT verdict.break_glass('msgs', 'why', '4 hours 1 second');
SELECT verdict.break_glass('msgs', 'why', '1 month');
SELECT verdict.break_glass('msgs', 'why', '1 month -30 days +1 hour') IS NOT NULL AS broken;
SELECT verdict.restore_glass('msgs');
SELECT verdict.break_glass('free', 'why', '1 hour');
SELECT verdict.break_glass('parts_a', 'why', '1 hour');
SELECT verdict.break_glass('nowhere', 'why', '1 hour');
SELECT verdict.restore_glass(NULL);
SELECT verdict.restore_glass('msgs');
SELECT verdict.restore_glass('free');
CREATE ROLE glass_admin;
SELECT verdict.grant_role('admin', 'glass_admin');
SET ROLE glass_admin;
SELECT verdict.break_glass('msgs', 'why', '1 hour');
SELECT verdict.restore_glass('msgs');
SET verdict.break_glass_max = '1 day';
RESET ROLE;
SET verdict.break_glass_max = '30 s';
SELECT verdict.break_glass('msgs', 'why', '31 s');
SELECT sqlstate FROM t.error('SET verdict.break_glass_max = 0');
RESET verdict.break_glass_max;
SHOW verdict.break_glass_max;
SELECT count(*) FROM verdict.glass WHERE restored_at IS NULL;

-- broken: all passes as it is, unflagged and unheld
INSERT INTO msgs VALUES ('denied', 'hi');
SELECT verdict.break_glass('msgs', 'the webhook is down, ticket 4711', '1 hour') > now() AS broken;
INSERT INTO msgs VALUES ('denied', 'hi'), ('mi', 'hi'), ('ok', 'ho'), ('ok', 'hi') RETURNING *;
UPDATE msgs SET body = 'ho' RETURNING *;
TABLE incidents;
SELECT count(*) FROM verdict.quarantine;
TABLE glass;
-- of this table only, and for a row of a partition, of the table that it belongs to
INSERT INTO parts VALUES ('a', 'hi');
SELECT verdict.break_glass('parts', 'why', '1 hour') IS NOT NULL AS broken;
INSERT INTO parts VALUES ('a', 'hi');
SELECT verdict.restore_glass('parts');
INSERT INTO parts_a VALUES ('a', 'hi');
-- longer, and closed again: all of it
SELECT verdict.break_glass('msgs', 'still down', '3 hours') IS NOT NULL AS broken;
SELECT verdict.restore_glass('msgs');
INSERT INTO msgs VALUES ('denied', 'hi');
SELECT verdict.restore_glass('msgs');
TABLE glass;
-- it counts at once, and goes with its transaction
BEGIN;
SELECT verdict.break_glass('msgs', 'in a transaction', '1 hour') IS NOT NULL AS broken;
INSERT INTO msgs VALUES ('denied', 'hi');
ROLLBACK;
INSERT INTO msgs VALUES ('denied', 'hi');
-- it closes by itself, in the middle of a transaction too
BEGIN;
SELECT verdict.break_glass('msgs', 'for a moment', '100 ms') IS NOT NULL AS broken;
SELECT FROM pg_sleep(0.15);
INSERT INTO msgs VALUES ('denied', 'hi');
ROLLBACK;
SELECT verdict.break_glass('msgs', 'for a moment', '100 ms') IS NOT NULL AS broken;
SELECT FROM pg_sleep(0.15);
INSERT INTO msgs VALUES ('denied', 'hi');
SELECT verdict.restore_glass('msgs');
SELECT count(*) FROM verdict.glass WHERE reason = 'for a moment';
-- a renamed table is another table
SELECT verdict.break_glass('msgs', 'why', '1 hour') IS NOT NULL AS broken;
ALTER TABLE msgs RENAME TO posts;
INSERT INTO posts VALUES ('denied', 'hi');
ALTER TABLE posts RENAME TO msgs;
INSERT INTO msgs VALUES ('denied', 'hi') RETURNING *;
