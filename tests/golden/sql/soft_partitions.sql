-- Soft actions on partitioned tables: every way in, and rows on their way from one partition to another.
CREATE EXTENSION pg_verdict;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
CREATE TABLE msgs (day int, gone text, id text, body text, status int DEFAULT 1, shout text GENERATED ALWAYS AS (upper(body)) STORED) PARTITION BY LIST (day);
CREATE TABLE msgs1 PARTITION OF msgs FOR VALUES IN (1);
-- leaves with other attribute numbers
CREATE TABLE msgs2 (shout text GENERATED ALWAYS AS (upper(body)) STORED, status int DEFAULT 1, also_gone int, body text, id text, day int, gone text);
ALTER TABLE msgs2 DROP COLUMN also_gone;
ALTER TABLE msgs ATTACH PARTITION msgs2 FOR VALUES IN (2);
ALTER TABLE msgs DROP COLUMN gone;
CREATE TABLE msgs3 PARTITION OF msgs FOR VALUES IN (3, 4, 5) PARTITION BY LIST (day);
CREATE TABLE msgs3a (body text, day int, id text, shout text GENERATED ALWAYS AS (upper(body)) STORED, status int DEFAULT 1);
ALTER TABLE msgs3 ATTACH PARTITION msgs3a FOR VALUES IN (3);
CREATE TABLE msgs3b PARTITION OF msgs3 DEFAULT;
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', on_missing => 'flag', on_denied => 'discard',
  on_altered => 'quarantine', flag_column => 'status', flag_value => '9');
SELECT tgrelid::regclass, count(*), bool_and(tgenabled = 'A') AS always FROM pg_trigger
WHERE tgname LIKE '%verdict_guard%' GROUP BY tgrelid ORDER BY tgrelid::regclass::text;
CREATE VIEW stored AS SELECT tableoid::regclass AS leaf, day, id, body, status, shout FROM msgs ORDER BY day, id, body;
CREATE VIEW incidents AS SELECT relation, finding, done, operation, subject, row_image FROM verdict.incidents ORDER BY id;
CREATE VIEW held AS SELECT relation, finding, operation, subject, times, columns, row_values, old_values FROM verdict.quarantine ORDER BY id;
SELECT count(*) FROM verdict.approve('h', 'a', '{"body":"hi"}');
SELECT count(*) FROM verdict.deny('h', 'no');

-- through the table, through COPY and into each leaf
INSERT INTO msgs (day, id, body) SELECT day, s.id, s.body FROM generate_series(1, 4) AS day,
  (VALUES ('a', 'hi'), ('mi', 'hi'), ('no', 'hi'), ('a', 'ho')) AS s (id, body) RETURNING tableoid::regclass, *;
TABLE incidents;
TABLE held;
TRUNCATE msgs, verdict.incidents, verdict.quarantine;
COPY msgs (id, day, body) FROM STDIN;
a	2	hi
mi	2	hi
no	2	hi
a	2	ho
mi	3	hi
\.
INSERT INTO msgs2 (id, day, body) VALUES ('a', 2, 'hi'), ('mi', 2, 'hi'), ('no', 2, 'hi'), ('a', 2, 'hu') RETURNING *;
INSERT INTO msgs3a (id, day, body) VALUES ('a', 3, 'hi'), ('mi', 3, 'hi'), ('a', 3, 'ho') RETURNING *;
TABLE stored;
TABLE incidents;
TABLE held;

-- moved with nothing else changed: not judged, though nothing would be approved any more
TRUNCATE msgs, verdict.incidents, verdict.quarantine;
INSERT INTO msgs (day, id, body) VALUES (1, 'a', 'hi'), (1, 'mi', 'hi');
SELECT count(*) FROM verdict.revoke('h', 'a', 'why');
SELECT verdict.alter_guard('msgs', 'h', on_missing => 'discard', on_revoked => 'quarantine');
UPDATE msgs SET day = 2 RETURNING tableoid::regclass, *;
UPDATE msgs SET day = day + 1 RETURNING tableoid::regclass, *;
UPDATE msgs SET day = 4 RETURNING tableoid::regclass, *;
UPDATE msgs3 SET day = 3 RETURNING tableoid::regclass, *;
UPDATE msgs SET day = 1, status = 1 WHERE id = 'a' RETURNING tableoid::regclass, *;
TABLE stored;
TABLE incidents;
TABLE held;
-- moved and unflagged: discarded and held updates leave the row where it was, and it is never lost
UPDATE msgs SET day = 1, status = 1 WHERE id = 'mi' RETURNING tableoid::regclass, *;
TABLE stored;
SELECT verdict.alter_guard('msgs', 'h', on_missing => 'quarantine');
UPDATE msgs SET day = 1, status = 1 WHERE id = 'mi' RETURNING tableoid::regclass, *;
TABLE stored;
SELECT verdict.alter_guard('msgs', 'h', on_missing => 'flag');
UPDATE msgs SET day = 1, status = 1 WHERE id = 'mi' RETURNING tableoid::regclass, *;
TABLE stored;
TABLE incidents;
TABLE held;
-- moved with changed content, under each action
TRUNCATE msgs, verdict.incidents, verdict.quarantine;
INSERT INTO msgs (day, id, body) VALUES (1, 'mi', 'hi');
UPDATE msgs SET day = 2, body = 'ho' RETURNING tableoid::regclass, *;
SELECT verdict.alter_guard('msgs', 'h', on_missing => 'quarantine');
UPDATE msgs SET day = 3, body = 'hu' RETURNING tableoid::regclass, *;
SELECT verdict.alter_guard('msgs', 'h', on_missing => 'discard');
UPDATE msgs SET day = 3, body = 'hu' RETURNING tableoid::regclass, *;
SELECT verdict.alter_guard('msgs', 'h', on_missing => 'reject');
UPDATE msgs SET day = 3, body = 'hu';
SELECT verdict.alter_guard('msgs', 'h', on_missing => 'allow');
UPDATE msgs SET day = 3, body = 'ha' RETURNING tableoid::regclass, *;
TABLE stored;
TABLE incidents;
TABLE held;
-- many at once, and rows that come in the same statement as others move
TRUNCATE msgs, verdict.incidents, verdict.quarantine;
SELECT verdict.alter_guard('msgs', 'h', on_missing => 'flag');
INSERT INTO msgs (day, id, body) SELECT 1, 'mi' || i % 2, 'hi' FROM generate_series(1, 4) AS i;
SELECT verdict.alter_guard('msgs', 'h', on_missing => 'discard');
WITH moved AS (UPDATE msgs SET day = 2 RETURNING *), came AS (INSERT INTO msgs (day, id, body) SELECT day, id, body FROM moved RETURNING *)
SELECT (SELECT count(*) FROM moved) AS moved, (SELECT count(*) FROM came) AS came;
TABLE stored;
SELECT finding, done, operation, subject, count(*) FROM verdict.incidents GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;
-- a new partition, made by whoever owns the table, has the same guards
SELECT verdict.alter_guard('msgs', 'h', on_missing => 'flag');
CREATE TABLE msgs6 PARTITION OF msgs FOR VALUES IN (6);
INSERT INTO msgs VALUES (6, 'mi', 'hi') RETURNING tableoid::regclass, *;
UPDATE msgs SET status = 1 WHERE day = 6 RETURNING tableoid::regclass, *;
-- released from the leaf that it came to, or wherever the table puts it now
TRUNCATE msgs, verdict.incidents, verdict.quarantine;
SELECT verdict.alter_guard('msgs', 'h', on_missing => 'quarantine');
INSERT INTO msgs2 (id, day, body) VALUES ('r', 2, 'hi');
INSERT INTO msgs (id, day, body) VALUES ('s', 3, 'hi'), ('t', 1, 'hi'), ('u', 5, 'hi');
TABLE held;
SELECT count(verdict.release(id, 'fine')) FROM verdict.quarantine;
TABLE stored;
