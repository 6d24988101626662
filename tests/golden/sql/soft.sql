-- Flag, quarantine and discard: one action for each finding, on every way into the table.
CREATE EXTENSION pg_verdict;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
CREATE TABLE msgs (id text, body text, status int DEFAULT 1);
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}',
  on_missing => 'flag', on_denied => 'discard', on_altered => 'quarantine', on_expired => 'allow', on_revoked => 'quarantine',
  flag_column => 'status', flag_value => '9');
SELECT count(*) FROM (VALUES ('ok'), ('ok2'), ('al'), ('re')) AS s (id),
  LATERAL verdict.approve('h', s.id, '{"body":"hi"}');
SELECT count(*) FROM verdict.approve('h', 'ex', '{"body":"hi"}', valid_for => '1 microsecond');
SELECT count(*) FROM verdict.deny('h', 'no', 5001, 'spam');
SELECT count(*) FROM verdict.revoke('h', 're', 'why');
SELECT count(*) FROM verdict.record_no_answer('h', '{"id":"fa","body":"hi"}', 'timeout');
CREATE VIEW incidents AS SELECT finding, action, done, operation, subject, err_code, err_msg, verdict_id IS NOT NULL AS verdict
  FROM verdict.incidents ORDER BY id;
CREATE VIEW held AS SELECT state, finding, operation, subject, times, columns, row_values, old_values
  FROM verdict.quarantine ORDER BY id;

-- one at a time
INSERT INTO msgs VALUES ('ok', 'hi');
INSERT INTO msgs VALUES ('mi', 'hi');
INSERT INTO msgs VALUES ('no', 'hi');
INSERT INTO msgs VALUES ('al', 'ho');
INSERT INTO msgs VALUES ('re', 'hi');
INSERT INTO msgs VALUES ('ex', 'hi');
INSERT INTO msgs VALUES ('fa', 'hi');
TABLE msgs;
TABLE incidents;
TABLE held;
-- many at a time: the rest is stored. What a statement returns and counts is what it stored
TRUNCATE msgs, verdict.incidents, verdict.quarantine;
INSERT INTO msgs VALUES ('ok', 'hi'), ('no', 'hi'), ('mi', 'hi'), ('al', 'ho'), ('ok2', 'hi') RETURNING *;
WITH stored AS (INSERT INTO msgs VALUES ('no', 'hi'), ('mi2', 'hi'), ('ok', 'hi') RETURNING *) SELECT * FROM stored;
TABLE msgs;
TABLE incidents;
TABLE held;
-- one refusal takes all with it, incidents and held rows too
TRUNCATE msgs, verdict.incidents, verdict.quarantine;
INSERT INTO msgs VALUES ('mi', 'hi'), ('al', 'ho'), ('fa', 'hi');
TABLE msgs;
TABLE incidents;
TABLE held;

-- COPY
COPY msgs (id, body, status) FROM STDIN;
ok	hi	1
no	hi	1
mi	hi	1
al	ho	1
ok2	hi	1
\.
TABLE msgs;
TABLE incidents;
TABLE held;

-- ON CONFLICT: the triggers run before PostgreSQL looks for a conflict
TRUNCATE msgs, verdict.incidents, verdict.quarantine;
CREATE UNIQUE INDEX ON msgs (id);
INSERT INTO msgs VALUES ('ok', 'hi');
INSERT INTO msgs VALUES ('mi', 'hi');
TRUNCATE verdict.incidents;
INSERT INTO msgs VALUES ('ok', 'hi'), ('mi', 'hi') ON CONFLICT DO NOTHING RETURNING *;
INSERT INTO msgs VALUES ('ok', 'ho') ON CONFLICT DO NOTHING;
INSERT INTO msgs VALUES ('ok', 'ho') ON CONFLICT (id) DO UPDATE SET body = excluded.body;
INSERT INTO msgs VALUES ('no', 'hi') ON CONFLICT (id) DO UPDATE SET body = excluded.body;
-- a row that may come, and turns into an update that may not
INSERT INTO msgs VALUES ('ok', 'hi') ON CONFLICT (id) DO UPDATE SET body = 'changed', status = 2 RETURNING *;
INSERT INTO msgs VALUES ('ok', 'hi') ON CONFLICT (id) DO UPDATE SET status = 2 RETURNING *;
-- flagged on the way in, though the update would not touch the content
INSERT INTO msgs VALUES ('mi', 'hi', 4) ON CONFLICT (id) DO UPDATE SET status = excluded.status RETURNING *;
TABLE msgs;
TABLE incidents;
TABLE held;

-- MERGE
TRUNCATE msgs, verdict.incidents, verdict.quarantine;
INSERT INTO msgs VALUES ('ok', 'hi'), ('ok2', 'hi');
MERGE INTO msgs AS m USING (VALUES ('ok', 'changed'), ('ok2', 'hi'), ('no', 'hi'), ('mi', 'hi'), ('al', 'ho')) AS s (id, body)
  ON m.id = s.id
  WHEN MATCHED THEN UPDATE SET body = s.body, status = 3
  WHEN NOT MATCHED THEN INSERT (id, body) VALUES (s.id, s.body);
TABLE msgs;
TABLE incidents;
TABLE held;

-- a view, and a view with a check
TRUNCATE msgs, verdict.incidents, verdict.quarantine;
CREATE VIEW plain AS SELECT id, body FROM msgs;
CREATE VIEW checked AS SELECT * FROM msgs WHERE status < 9 WITH CHECK OPTION;
INSERT INTO plain VALUES ('ok', 'hi'), ('no', 'hi'), ('mi', 'hi'), ('al', 'ho') RETURNING *;
INSERT INTO checked VALUES ('mi2', 'hi', 1);
INSERT INTO checked VALUES ('no', 'hi', 1), ('ok2', 'hi', 1) RETURNING *;
TABLE msgs;
TABLE incidents;
TABLE held;
-- a table that the row is also copied to sees what was stored
TRUNCATE msgs, verdict.incidents, verdict.quarantine;
CREATE TABLE copies (LIKE msgs);
WITH stored AS (INSERT INTO msgs VALUES ('ok', 'hi'), ('mi', 'hi'), ('no', 'hi') RETURNING *)
INSERT INTO copies SELECT * FROM stored;
TABLE copies;
-- a savepoint that is rolled back takes its incidents and held rows with it
TRUNCATE msgs, verdict.incidents, verdict.quarantine;
BEGIN;
INSERT INTO msgs VALUES ('al', 'ho');
SAVEPOINT s;
INSERT INTO msgs VALUES ('al', 'hu'), ('mi', 'hi');
ROLLBACK TO s;
INSERT INTO msgs VALUES ('al', 'ho');
COMMIT;
TABLE msgs;
TABLE incidents;
TABLE held;

-- flag without a column: stored as it is, with an incident. No BEFORE trigger is needed
TRUNCATE verdict.incidents, verdict.quarantine;
CREATE TABLE marked (id text, body text);
SELECT verdict.guard('marked', 'h', key => 'id', content => '{"body":"body"}', on_missing => 'flag', on_altered => 'flag');
SELECT tgname FROM pg_trigger WHERE tgrelid = 'marked'::regclass AND NOT tgisinternal ORDER BY tgname;
INSERT INTO marked VALUES ('mi', 'hi'), ('ok', 'ho'), ('ok', 'hi') RETURNING *;
UPDATE marked SET body = 'hu' WHERE id = 'mi';
INSERT INTO marked VALUES ('no', 'hi');
TABLE marked;
TABLE incidents;

-- no subject
TRUNCATE msgs, verdict.incidents, verdict.quarantine;
INSERT INTO msgs VALUES (NULL, 'hi');
SELECT verdict.alter_guard('msgs', 'h', on_missing => 'quarantine');
INSERT INTO msgs VALUES (NULL, 'hi');
INSERT INTO msgs VALUES (NULL, 'hi');
SELECT verdict.alter_guard('msgs', 'h', on_missing => 'discard');
INSERT INTO msgs VALUES (NULL, 'hi');
TABLE msgs;
TABLE incidents;
TABLE held;
