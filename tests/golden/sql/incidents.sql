-- What an incident says: who, what, why, and as much of the row as may be shown. And how long it stays.
CREATE EXTENSION pg_verdict;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
CREATE TABLE msgs (id text, body text, phone text, raw bytea, n numeric, at timestamptz, j jsonb, nothing int);
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', on_missing => 'allow', on_denied => 'discard', on_altered => 'quarantine',
  redact => '{phone,nothing}');
SELECT count(*) FROM verdict.deny('h', 'no', 5001, repeat('long reason ', 100));
CREATE ROLE incidents_app;
CREATE ROLE incidents_member;
GRANT incidents_member TO incidents_app;
GRANT INSERT ON msgs TO incidents_app, incidents_member;
SET SESSION AUTHORIZATION incidents_app;
SET ROLE incidents_member;
SET application_name = 'chat server';
INSERT INTO msgs VALUES ('no', 'hi', '+49 123', '\x0001', 'NaN', '2026-01-01 12:00+02', '{"b": 1, "a": 2}');
RESET SESSION AUTHORIZATION;
RESET application_name;
\x on
SELECT id, guard_id, verdict_id, quarantine_id, pid = pg_backend_pid() AS own_pid, err_code, guard, relation, finding, action, done, operation, path, subject,
  length(err_msg), session_role, acting_role, application_name, client_addr, row_image, at <= clock_timestamp() AND at > now() - interval '1 minute' AS now
FROM verdict.incidents;
\x off
-- the digest is of the row that came: what an approval of it would have
INSERT INTO msgs (id, body) VALUES ('mi', 'hi');
SELECT count(*) FROM verdict.approve('h', 'mi', '{"body":"hi"}');
SELECT i.digest = v.digest AS same FROM verdict.incidents AS i, verdict.verdicts AS v WHERE i.subject = 'mi' AND v.subject = 'mi';
INSERT INTO msgs (id, body) VALUES ('mi', 'ho');
SELECT i.quarantine_id = q.id AS held, i.digest = q.digest AS same, i.verdict_id = q.verdict_id AS verdict FROM verdict.incidents AS i, verdict.quarantine AS q WHERE i.finding = 'altered';
-- a redacted column is not in the incident; the held row must have it
INSERT INTO msgs (id, body, phone) VALUES ('mi', 'hu', '+49 123');
SELECT row_image FROM verdict.incidents ORDER BY id DESC LIMIT 1;
SELECT row_values FROM verdict.quarantine ORDER BY id DESC LIMIT 1;

-- how much of a row: each value, and all together
TRUNCATE verdict.incidents;
CREATE FUNCTION last() RETURNS TABLE (column_name text, shown text, bytes int) LANGUAGE sql AS $$
  SELECT e.key, CASE WHEN length(e.value) > 20 THEN left(e.value, 6) || ' … ' || right(e.value, 16) ELSE e.value END, octet_length(e.value)
  FROM (SELECT row_image FROM verdict.incidents ORDER BY id DESC LIMIT 1) AS i, jsonb_each_text(i.row_image) AS e ORDER BY e.key COLLATE "C" $$;
INSERT INTO msgs (id, body) VALUES ('v', repeat('x', 1024));
SELECT * FROM last();
INSERT INTO msgs (id, body) VALUES ('v', repeat('x', 1025));
SELECT * FROM last();
-- never half a character
INSERT INTO msgs (id, body) VALUES ('v', 'x' || repeat('😀', 1000));
SELECT * FROM last();
-- a large value is not looked at
INSERT INTO msgs (id, body, raw) VALUES ('v', repeat('x', 2000000), decode(repeat('00', 1048573), 'hex'));
SELECT * FROM last();
INSERT INTO msgs (id, body) SELECT 'v', string_agg(md5(i::text), '') FROM generate_series(1, 40000) AS i;
SELECT * FROM last();
-- the whole
INSERT INTO msgs VALUES (repeat('i', 1000), repeat('b', 1000), repeat('p', 1000), decode(repeat('00', 400), 'hex'), 1, NULL, to_jsonb(repeat('j', 1000)), 1);
SELECT * FROM last();
SET verdict.row_image_bytes = 100;
INSERT INTO msgs VALUES ('v', repeat('b', 1000), NULL, NULL, 1);
SELECT * FROM last();
SET verdict.row_image_bytes = 1;
INSERT INTO msgs VALUES ('v', 'b');
SELECT * FROM last();
SET verdict.row_image_bytes = 0;
INSERT INTO msgs VALUES ('v', 'b');
SELECT row_image IS NULL AS none FROM verdict.incidents ORDER BY id DESC LIMIT 1;
SELECT a.sqlstate, b.sqlstate FROM t.error('SET verdict.row_image_bytes = -1') AS a, t.error('SET verdict.row_image_bytes = ''2MB''') AS b;
SET verdict.row_image_bytes = '1MB';
INSERT INTO msgs (id, body) VALUES ('v', repeat('x', 2000));
SELECT * FROM last();
RESET verdict.row_image_bytes;

-- how long: incidents, decided rows and counts go; what is held stays
TRUNCATE verdict.incidents, verdict.quarantine;
INSERT INTO msgs (id, body) VALUES ('mi', 'h1'), ('mi', 'h2'), ('mi', 'h3'), ('old', 'hi'), ('new', 'hi');
SELECT * FROM verdict.refuse_all('msgs', 'no', at_most => 2) WHERE NOT decided;
INSERT INTO verdict.observed VALUES (1, now() - interval '91 days', 5), (1, now(), 7);
UPDATE verdict.incidents SET at = at - interval '91 days' WHERE subject = 'old';
UPDATE verdict.quarantine SET held_at = held_at - interval '1 year', last_at = last_at - interval '1 year';
UPDATE verdict.quarantine SET decided_at = decided_at - interval '91 days' WHERE id = (SELECT min(id) FROM verdict.quarantine);
SHOW verdict.incident_retention_days;
-- nothing of a hook under legal hold, and nothing of a guard that is gone while there is such a hook
SELECT verdict.create_hook('other'), verdict.alter_hook('h', legal_hold => true);
SELECT leaf, retired, reason FROM verdict.retire() WHERE leaf !~ '^verdicts_';
SELECT verdict.alter_hook('h', legal_hold => false), verdict.alter_hook('other', legal_hold => true);
INSERT INTO verdict.incidents (at, guard_id, pid, guard, relation, finding, action, done, operation, path, session_role, acting_role)
  VALUES (now() - interval '91 days', 99, 1, 'gone', 'gone', 'missing', 'flag', 'flagged', 'insert', 'client', 'x', 'x');
SELECT leaf, retired, reason FROM verdict.retire() WHERE leaf !~ '^verdicts_';
SELECT guard, subject, count(*) FROM verdict.incidents GROUP BY 1, 2 ORDER BY 1, 2;
SELECT state, row_values[2] FROM verdict.quarantine ORDER BY id;
SELECT judged FROM verdict.observed;
SELECT verdict.alter_hook('other', legal_hold => false);
SELECT leaf, retired, reason FROM verdict.retire() WHERE leaf !~ '^verdicts_';
SET verdict.incident_retention_days = 0;
SELECT leaf, retired, reason FROM verdict.retire() WHERE leaf !~ '^verdicts_';
SELECT (SELECT count(*) FROM verdict.incidents) AS incidents, (SELECT count(*) FROM verdict.observed) AS observed;
SELECT state, row_values[2] FROM verdict.quarantine ORDER BY id;
SELECT sqlstate FROM t.error('SET verdict.incident_retention_days = -1');
SELECT verdict.release(id, 'after a year') > 0 AS released FROM verdict.quarantine;
