-- What verdicts and stored rows say of each other: reconcile, and flag_leaks for rows that are stored already.
CREATE EXTENSION pg_verdict;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
SELECT verdict.create_hook('h2', subject => '/id', fields => '{"body":"/body"}');
CREATE TABLE msgs (id text, body text, status int DEFAULT 1, kind int DEFAULT 1, at timestamptz, local timestamp, ms bigint, day date);
CREATE TABLE free (id text);
INSERT INTO msgs VALUES ('older', 'hi', 1, 1, '2026-01-01 12:00+00', '2026-01-01 12:00', 1767268800000, '2026-01-01'),
  ('denied', 'hi', 1, 1, '2026-01-02 12:00+00', '2026-01-02 12:00', 1767355200000, '2026-01-02'),
  ('altered', 'ho', 1, 1, '2026-01-03 12:00+00', '2026-01-03 12:00', 1767441600000, '2026-01-03'),
  ('failed', 'hi', 1, 1, '2026-01-04 12:00+00', '2026-01-04 12:00', 1767528000000, '2026-01-04'),
  ('revoked', 'hi', 1, 1, '2026-01-05 12:00+00', '2026-01-05 12:00', 1767614400000, '2026-01-05'),
  ('expired', 'hi', 1, 1, '2026-01-06 12:00+00', '2026-01-06 12:00', 1767700800000, '2026-01-06'),
  ('approved', 'hi', 1, 1, '2026-01-07 12:00+00', '2026-01-07 12:00', 1767787200000, '2026-01-07'),
  ('another kind', 'hi', 1, 2, '2026-01-08 12:00+00', '2026-01-08 12:00', 1767873600000, '2026-01-08'),
  (NULL, 'hi', 1, 1, '2026-01-09 12:00+00', NULL, 1767960000000, '2026-01-09');
SELECT count(*) FROM (VALUES ('altered'), ('revoked'), ('approved'), ('never stored'), ('superseded')) AS s (id), LATERAL verdict.approve('h', s.id, '{"body":"hi"}');
SELECT count(*) FROM verdict.approve('h', 'expired', '{"body":"hi"}', valid_for => '1 microsecond');
SELECT count(*) FROM verdict.approve('h', 'expired, never stored', '{"body":"hi"}', valid_for => '1 microsecond');
SELECT count(*) FROM verdict.deny('h', 'denied');
SELECT count(*) FROM verdict.deny('h', 'superseded');
SELECT count(*) FROM verdict.revoke('h', 'revoked', 'why');
SELECT count(*) FROM verdict.record_no_answer('h', '{"id":"failed","body":"hi"}', 'timeout');

-- what cannot be
SELECT * FROM verdict.reconcile(NULL, 'msgs');
SELECT * FROM verdict.reconcile('nobody', 'msgs');
SELECT * FROM verdict.reconcile('h', NULL);
SELECT * FROM verdict.reconcile('h', 'nowhere');
SELECT * FROM verdict.reconcile('h', 'msgs');
SELECT * FROM verdict.flag_leaks('msgs', 'h');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', condition => 'NEW.kind = 1');
SELECT * FROM verdict.reconcile('h2', 'msgs');
SELECT * FROM verdict.reconcile('h', 'msgs', time_column => 'at');
SELECT * FROM verdict.reconcile('h', 'msgs', since => '2026-01-01', time_column => 'nothing');
SELECT * FROM verdict.reconcile('h', 'msgs', since => '2026-01-01', time_column => 'day');
SELECT * FROM verdict.reconcile('h', 'msgs', since => '2026-01-01', time_column => 'kind');
SELECT * FROM verdict.reconcile('h', 'msgs', since => '2026-01-01', time_column => 'ctid');
SELECT * FROM verdict.flag_leaks(NULL, 'h');
SELECT * FROM verdict.flag_leaks('msgs', NULL);
SELECT * FROM verdict.flag_leaks('msgs', 'h2');
SELECT * FROM verdict.flag_leaks('msgs', 'h', dry_run => NULL);
SELECT * FROM verdict.flag_leaks('msgs', 'h', since => '2026-01-01', time_column => 'day');
-- a dry run needs no flag column, the real one does
SELECT * FROM verdict.flag_leaks('msgs', 'h');
SELECT * FROM verdict.flag_leaks('msgs', 'h', dry_run => false);

-- both ways
SELECT r.problem, r.subject, v.outcome, r.leaf, m.id AS row_id
FROM verdict.reconcile('h', 'msgs') AS r LEFT JOIN verdict.verdicts AS v ON v.id = r.verdict_id LEFT JOIN msgs AS m ON m.ctid = r.row_at AND r.leaf IS NOT NULL;
-- since, of the verdicts; and of the rows by a column that says when they came
SELECT problem, subject FROM verdict.reconcile('h', 'msgs', since => 'infinity');
SELECT problem, subject FROM verdict.reconcile('h', 'msgs', since => '2026-01-04 12:00+00', time_column => 'at');
SET timezone = 'Asia/Tokyo';
SELECT problem, subject FROM verdict.reconcile('h', 'msgs', since => '2026-01-04 12:00+00', time_column => 'local');
SELECT problem, subject FROM verdict.reconcile('h', 'msgs', since => '2026-01-04 12:00+00', time_column => 'ms');
RESET timezone;
SELECT problem, subject FROM verdict.reconcile('h', 'msgs', since => '2026-01-04 12:00:00.001+00', time_column => 'ms');
SELECT problem, subject FROM verdict.reconcile('h', 'msgs', since => '-infinity', time_column => 'ms');
SELECT problem, subject FROM verdict.reconcile('h', 'msgs', since => 'infinity', time_column => 'ms');
SELECT * FROM verdict.flag_leaks('msgs', 'h', since => '2026-01-04 12:00+00', time_column => 'ms');
-- the hook says that a failure is no reason to stop
SELECT verdict.alter_hook('h', failed_continue => true);
SELECT * FROM verdict.flag_leaks('msgs', 'h');
SELECT verdict.alter_hook('h', failed_continue => false);

-- flagged rows are known
SELECT verdict.alter_guard('msgs', 'h', flag_column => 'status', flag_value => '9');
SELECT * FROM verdict.flag_leaks('msgs', 'h', since => '2026-01-05', time_column => 'at', dry_run => false);
SELECT id, status FROM msgs ORDER BY at;
SELECT * FROM verdict.flag_leaks('msgs', 'h', dry_run => false);
SELECT id, status FROM msgs ORDER BY at;
SELECT * FROM verdict.flag_leaks('msgs', 'h', dry_run => false);
SELECT problem, subject FROM verdict.reconcile('h', 'msgs');
-- flagging is no edit that anybody judges, and taking the flag off is one
SELECT count(*) FROM verdict.incidents;
UPDATE msgs SET status = 1 WHERE id = 'denied';
-- rows that came through the guard: observed, allowed, and edited since
TRUNCATE msgs;
SELECT verdict.alter_guard('msgs', 'h', mode => 'observe');
INSERT INTO msgs (id, body) VALUES ('denied', 'hi'), ('nobody', 'hi'), ('approved', 'hi'), ('never stored', 'ho');
SELECT problem, subject FROM verdict.reconcile('h', 'msgs');
-- an approval that was spent is not spent on itself
SELECT verdict.alter_guard('msgs', 'h', mode => 'enforce', locking => 'consume');
TRUNCATE msgs;
INSERT INTO msgs (id, body) VALUES ('approved', 'hi');
SELECT problem, subject FROM verdict.reconcile('h', 'msgs');
-- a trigger of the owner's that gets in the way
SELECT verdict.alter_guard('msgs', 'h', mode => 'observe');
INSERT INTO msgs (id, body) VALUES ('denied', 'hi'), ('nobody', 'hi');
CREATE FUNCTION leave_out() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN CASE WHEN NEW.id = 'denied' THEN NULL ELSE NEW END; END $$;
CREATE TRIGGER leave_out BEFORE UPDATE ON msgs FOR EACH ROW EXECUTE FUNCTION leave_out();
SELECT * FROM verdict.flag_leaks('msgs', 'h', dry_run => false);
DROP TRIGGER leave_out ON msgs;
-- and one that raises, with a code that has no name: the other rows are flagged
UPDATE msgs SET status = 1;
CREATE FUNCTION raises() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.id = 'denied' THEN RAISE 'not this one' USING ERRCODE = 'XY123', DETAIL = 'for a reason'; END IF; RETURN NEW; END $$;
CREATE TRIGGER raises BEFORE UPDATE ON msgs FOR EACH ROW EXECUTE FUNCTION raises();
SELECT * FROM verdict.flag_leaks('msgs', 'h', dry_run => false);
SELECT id, status FROM msgs ORDER BY id;
DROP TRIGGER raises ON msgs;

-- partitions with other attribute numbers, each row named by its leaf
CREATE TABLE parts (day int, id text, body text, mark text, at timestamptz) PARTITION BY LIST (day);
CREATE TABLE parts1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts2 (at timestamptz, gone int, mark text, body text, id text, day int);
ALTER TABLE parts2 DROP COLUMN gone;
ALTER TABLE parts ATTACH PARTITION parts2 FOR VALUES IN (2);
INSERT INTO parts VALUES (1, 'p1', 'hi', NULL, '2026-01-01'), (2, 'p2', 'hi', NULL, '2026-01-01'), (2, 'p3', 'hi', NULL, '2026-01-02');
SELECT verdict.guard('parts', 'h2', key => 'id', content => '{"body":"body"}', flag_column => 'mark', flag_value => 'leak');
SELECT problem, subject, leaf, row_at FROM verdict.reconcile('h2', 'parts');
SELECT problem, subject, leaf FROM verdict.reconcile('h2', 'parts2', since => '2026-01-02', time_column => 'at');
SELECT * FROM verdict.flag_leaks('parts', 'h2', since => '2026-01-02', time_column => 'at', dry_run => false);
SELECT * FROM verdict.flag_leaks('parts', 'h2', dry_run => false);
SELECT tableoid::regclass, id, mark FROM parts ORDER BY id;
-- who may: auditors that can read the table; its owner, who is an admin
CREATE ROLE reconcile_auditor;
SELECT verdict.grant_role('auditor', 'reconcile_auditor');
SET ROLE reconcile_auditor;
SELECT problem, subject FROM verdict.reconcile('h', 'msgs');
SELECT * FROM verdict.flag_leaks('msgs', 'h');
RESET ROLE;
GRANT SELECT ON msgs TO reconcile_auditor;
SET ROLE reconcile_auditor;
SELECT problem, subject FROM verdict.reconcile('h', 'msgs');
RESET ROLE;
-- it looks at every row, and so is not for whom row security hides some
CREATE POLICY own ON msgs USING (id = current_user);
ALTER TABLE msgs ENABLE ROW LEVEL SECURITY;
SET ROLE reconcile_auditor;
SELECT problem, subject FROM verdict.reconcile('h', 'msgs');
RESET ROLE;
SELECT count(*) FROM verdict.reconcile('h', 'msgs');
