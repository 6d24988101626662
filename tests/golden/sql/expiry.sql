-- Verdicts run out; what failed may pass where the hook says so; each finding has an action of its own.
CREATE EXTENSION pg_verdict;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
CREATE TABLE msgs (id text, part int, body text, status int) PARTITION BY LIST (part);
CREATE TABLE msgs1 PARTITION OF msgs FOR VALUES IN (1);
CREATE TABLE msgs2 PARTITION OF msgs FOR VALUES IN (2);
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}');
-- expired at once
SELECT outcome, expires_at - recorded_at AS valid FROM verdict.approve('h', 'e', '{"body":"hi"}', valid_for => '1 microsecond');
INSERT INTO msgs VALUES ('e', 1, 'hi', 0);
-- what is stored may stay, be changed where nobody looks, and move
SELECT outcome FROM verdict.approve('h', 'm', '{"body":"hi"}');
INSERT INTO msgs VALUES ('m', 1, 'hi', 0);
SELECT outcome FROM verdict.approve('h', 'm', '{"body":"hi"}', valid_for => '1 microsecond');
UPDATE msgs SET status = 1 WHERE id = 'm';
UPDATE msgs SET part = 2 WHERE id = 'm';
UPDATE msgs SET body = 'hi' WHERE id = 'm';
UPDATE msgs SET part = 1, body = 'ho' WHERE id = 'm';
UPDATE msgs SET body = 'ho' WHERE id = 'm';
SELECT tableoid::regclass, * FROM msgs;
-- a short-lived denial does not give the long-lived approval before it back
SELECT outcome FROM verdict.approve('h', 's', '{"body":"hi"}', valid_for => '1 year');
SELECT verdict.alter_hook('h', valid_for => '1 microsecond');
SELECT outcome, expires_at - recorded_at AS valid FROM verdict.deny('h', 's');
INSERT INTO msgs VALUES ('s', 1, 'hi', 0);
SELECT verdict.alter_hook('h', valid_for => '1 day');
-- asked again
SELECT outcome FROM verdict.approve('h', 'e', '{"body":"hi"}');
INSERT INTO msgs VALUES ('e', 1, 'hi', 0);

-- failed
SELECT outcome, failed_because FROM verdict.record_no_answer('h', '{"id":"f","body":"hi"}', 'transport');
INSERT INTO msgs VALUES ('f', 1, 'hi', 0);
SELECT verdict.alter_hook('h', failed_continue => true);
INSERT INTO msgs VALUES ('f', 1, 'hi', 0);
-- but not with other content, and not when denied or missing
INSERT INTO msgs VALUES ('f', 1, 'ho', 0);
INSERT INTO msgs VALUES ('s', 1, 'hi', 0);
INSERT INTO msgs VALUES ('x', 1, 'hi', 0);
SELECT verdict.alter_hook('h', failed_continue => false);
INSERT INTO msgs VALUES ('f', 1, 'hi', 0);

-- an action for each finding
SELECT verdict.alter_guard('msgs', 'h', on_missing => 'allow', on_altered => 'allow');
INSERT INTO msgs VALUES ('x', 1, 'hi', 0), ('e', 1, 'other', 0);
INSERT INTO msgs VALUES ('s', 1, 'hi', 0);
INSERT INTO msgs VALUES ('m', 1, 'hi', 0);
SELECT verdict.alter_guard('msgs', 'h', on_expired => 'allow', on_failed => 'allow', on_denied => 'allow');
INSERT INTO msgs VALUES ('s', 1, 'hi', 0), ('m', 1, 'hi', 0), ('f', 1, 'hi', 0);
SELECT id, count(*) FROM msgs GROUP BY id ORDER BY id;
