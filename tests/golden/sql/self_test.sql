-- The ways round a guard, tried on tables of different kinds, and what is left of it afterwards: nothing.
CREATE EXTENSION pg_verdict;
CREATE ROLE self_owner;
CREATE ROLE self_app;
GRANT CREATE, USAGE ON SCHEMA public TO self_owner;
SELECT verdict.create_hook('h', fields => '{"body":"/body"}', subject => '/id');
SELECT verdict.create_hook('d', fields => '{"body":"/body"}', subject => '');
SET ROLE self_owner;
CREATE TABLE plain (id text PRIMARY KEY, body text, k int NOT NULL, status int DEFAULT 1);
CREATE TABLE parts (id char(64), body text, k int, PRIMARY KEY (id, k)) PARTITION BY RANGE (k);
CREATE TABLE p1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE flagged (id uuid, body varchar(100), status text DEFAULT 'ok');
CREATE TABLE bytes (id bytea, body text);
CREATE TABLE digests (body text, n int);
CREATE TABLE checked (id text, body text, code text NOT NULL CHECK (code ~ '^[A-Z]{3}$'));
GRANT SELECT, INSERT, UPDATE ON plain, parts TO self_app;
RESET ROLE;
SELECT verdict.guard('plain', 'h', key => 'id', content => '{"body":"body"}', condition => 'NEW.k <> 7');
SELECT verdict.guard('parts', 'h', key => 'id', content => '{"body":"body"}', on_missing => 'quarantine', on_altered => 'discard');
SELECT verdict.guard('flagged', 'h', key => 'id', content => '{"body":"body"}', on_missing => 'flag', flag_column => 'status', flag_value => 'bad');
SELECT verdict.guard('bytes', 'h', key => 'id:hex', content => '{"body":"body"}');
SELECT verdict.guard('digests', 'd', content => '{"body":"body"}');
SELECT verdict.guard('checked', 'h', key => 'id', content => '{"body":"body"}');

SELECT * FROM verdict.self_test('plain', 'self_app');
SELECT attempt, as_role, result, why FROM verdict.self_test('parts', 'self_app') WHERE as_role <> '-';
SELECT attempt, result, why FROM verdict.self_test('flagged') WHERE as_role <> '-';
SELECT result, count(*) FROM verdict.self_test('bytes') GROUP BY 1 ORDER BY 1;
SELECT result, count(*) FROM verdict.self_test('digests') GROUP BY 1 ORDER BY 1;
-- a row that the table's own rules do not let in tells nothing: it must be given
SELECT result, count(*), min(why) FROM verdict.self_test('checked') WHERE as_role <> '-' GROUP BY 1 ORDER BY 1;
SELECT result, count(*) FROM verdict.self_test('checked', sample => '{"code":"ABC","body":"x"}') WHERE as_role <> '-' GROUP BY 1 ORDER BY 1;
SELECT DISTINCT result, why FROM verdict.self_test('plain', sample => '{"k":7}') WHERE as_role <> '-';
-- a guard that only observes blocks nothing, and says so
SELECT verdict.alter_guard('plain', 'h', mode => 'observe');
SELECT result, count(*) FROM verdict.self_test('plain') WHERE as_role <> '-' GROUP BY 1 ORDER BY 1;

-- bad input
SELECT * FROM verdict.self_test(NULL);
CREATE TABLE unguarded (id text);
SELECT * FROM verdict.self_test('unguarded');
SELECT * FROM verdict.self_test('plain', sample => '[]');
SET ROLE self_app;
SELECT * FROM verdict.self_test('plain');
RESET ROLE;

-- nothing is left
SELECT (SELECT count(*) FROM plain) AS plain, (SELECT count(*) FROM parts) AS parts, (SELECT count(*) FROM flagged) AS flagged,
       (SELECT count(*) FROM verdict.verdicts) AS verdicts, (SELECT count(*) FROM verdict.incidents) AS incidents,
       (SELECT count(*) FROM verdict.quarantine) AS held;
SELECT DISTINCT state FROM verdict.coverage() WHERE guard IS NOT NULL AND differs IS NULL;
SELECT relname FROM pg_class WHERE relname LIKE '%self_test%';
DROP TABLE plain, parts, flagged, bytes, digests, checked;
DROP OWNED BY self_owner, self_app;

-- row security that holds for the owner too
CREATE ROLE self_forced;
GRANT CREATE, USAGE ON SCHEMA public TO self_forced;
SET ROLE self_forced;
CREATE TABLE forced (id text, body text);
ALTER TABLE forced ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY writes ON forced FOR INSERT WITH CHECK (true);
CREATE POLICY reads ON forced FOR SELECT USING (id <> 'hidden');
RESET ROLE;
SELECT verdict.guard('forced', 'h', key => 'id', content => '{"body":"body"}');
SELECT result, count(*) FROM verdict.self_test('forced') WHERE as_role <> '-' GROUP BY 1 ORDER BY 1;
SELECT verdict.alter_guard('forced', 'h', mode => 'observe');
SELECT result, why FROM verdict.self_test('forced') WHERE attempt = 'INSERT';
