-- Many held rows at once: release_all, refuse_all, and settle for verdicts that came late.
CREATE EXTENSION pg_verdict;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
SELECT verdict.create_hook('digests', subject => '', fields => '{"body":"/body"}');
CREATE TABLE msgs (id text PRIMARY KEY, body text, n int CHECK (n < 100));
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', on_missing => 'quarantine', on_denied => 'quarantine', on_altered => 'quarantine',
  on_failed => 'quarantine', on_expired => 'quarantine', on_revoked => 'quarantine');
CREATE TABLE others (id text, body text);
SELECT verdict.guard('others', 'h', key => 'id', on_missing => 'quarantine');
CREATE VIEW held AS SELECT id, finding, subject FROM verdict.quarantine WHERE state = 'held' ORDER BY id;
CREATE VIEW decided AS SELECT id, subject, state, reason FROM verdict.quarantine WHERE state <> 'held' ORDER BY id;

-- arguments
SELECT * FROM verdict.release_all(NULL, 'why');
SELECT * FROM verdict.release_all('msgs', NULL);
SELECT * FROM verdict.release_all('msgs', ' ');
SELECT * FROM verdict.release_all('msgs', 'why', finding => 'odd');
SELECT * FROM verdict.release_all('msgs', 'why', at_most => NULL);
SELECT * FROM verdict.release_all('msgs', 'why', at_most => -1);
SELECT * FROM verdict.release_all('msgs', 'why', adapt => NULL);
SELECT * FROM verdict.release_all('pg_class', 'why');
SELECT * FROM verdict.refuse_all(NULL, 'why');
SELECT * FROM verdict.refuse_all('msgs', '');
SELECT * FROM verdict.refuse_all('msgs', 'why', finding => 'MISSING');
SELECT * FROM verdict.refuse_all('msgs', 'why', at_most => NULL);
SELECT * FROM verdict.settle(NULL);

-- filters
SELECT count(*) FROM verdict.deny('h', 'user-1:denied');
INSERT INTO others VALUES ('elsewhere', 'hi');
INSERT INTO msgs SELECT 'user-' || i % 3 || ':' || i, 'hi', i FROM generate_series(1, 9) AS i;
INSERT INTO msgs VALUES ('user-1:denied', 'hi'), (NULL, 'hi'), ('user_2%', 'hi');
TABLE held;
SELECT * FROM verdict.release_all('msgs', 'fine', at_most => 0);
SELECT * FROM verdict.release_all('msgs', 'fine', subject => 'user-2:%', at_most => 2);
SELECT * FROM verdict.release_all('msgs', 'fine', subject => 'user\_2\%');
SELECT * FROM verdict.release_all('msgs', 'fine', finding => 'denied');
SELECT * FROM verdict.release_all('msgs', 'fine', held_before => '2000-01-01');
SELECT * FROM verdict.refuse_all('msgs', 'no', subject => 'user-1:%', held_before => 'infinity');
SELECT * FROM verdict.refuse_all('msgs', 'no', finding => 'altered');
TABLE held;
-- what cannot be stored stays, and the others come in
SELECT * FROM verdict.release_all('msgs', 'fine', at_most => 1);
INSERT INTO msgs SELECT 'user-0:6', 'hi', 6 FROM verdict.approve('h', 'user-0:6', '{"body":"hi"}');
UPDATE verdict.quarantine SET row_values[3] = '100' WHERE subject = 'user-0:9';
UPDATE verdict.quarantine SET row_values[3] = 'many' WHERE subject = 'user-2:8';
SELECT * FROM verdict.release_all('msgs', 'fine');
TABLE held;
SELECT id, n FROM msgs ORDER BY 1;
SELECT outcome, via, count(*), count(DISTINCT reason) FROM verdict.verdicts WHERE superseded_by IS NULL GROUP BY 1, 2 ORDER BY 1, 2;
SELECT * FROM verdict.refuse_all('msgs', 'no');
TABLE held;
TABLE decided;
-- a function without rows, and one that only wants to be counted
SELECT count(*) FROM verdict.release_all('msgs', 'fine');
SELECT decided, count(*) FROM verdict.refuse_all('others', 'no') GROUP BY 1;

-- settle: verdicts that came late
TRUNCATE msgs, verdict.quarantine;
SELECT count(*) FROM verdict.record_no_answer('h', '{"id":"failed first","body":"hi"}', 'timeout');
SELECT count(*) FROM verdict.approve('h', 'expired first', '{"body":"hi"}', valid_for => '1 microsecond');
SELECT count(*) FROM verdict.approve('h', 'altered', '{"body":"hi"}');
INSERT INTO msgs SELECT id, 'hi' FROM unnest('{approved,denied,revoked,waiting,expired,failed,other content,dup,failed first,expired first}'::text[]) AS id;
INSERT INTO msgs VALUES ('altered', 'ho'), (NULL, 'hi');
INSERT INTO others VALUES ('approved', 'held by a guard without content');
SELECT * FROM verdict.settle('msgs');
SELECT count(*) FROM (VALUES ('approved'), ('revoked'), ('dup'), ('failed first'), ('expired first')) AS s (id), LATERAL verdict.approve('h', s.id, '{"body":"hi"}');
SELECT count(*) FROM verdict.deny('h', 'denied', 5001, 'spam');
SELECT count(*) FROM verdict.revoke('h', 'revoked', 'why');
SELECT count(*) FROM verdict.approve('h', 'expired', '{"body":"hi"}', valid_for => '1 microsecond');
SELECT count(*) FROM verdict.record_no_answer('h', '{"id":"failed","body":"hi"}', 'timeout');
SELECT count(*) FROM verdict.approve('h', 'other content', '{"body":"ho"}');
SELECT verdict.alter_guard('msgs', 'h', mode => 'observe');
INSERT INTO msgs VALUES ('dup', 'stored meanwhile');
SELECT verdict.alter_guard('msgs', 'h', mode => 'enforce');
SELECT id, subject, decision, regexp_replace(detail, 'verdict \d+', 'verdict N') AS detail FROM verdict.settle('msgs');
TABLE held;
SELECT id, body FROM msgs ORDER BY 1;
SELECT q.subject, q.state, regexp_replace(q.reason, 'verdict \d+', 'verdict N') AS reason, v.outcome, v.via
FROM verdict.quarantine AS q JOIN verdict.verdicts AS v ON v.id = q.verdict_id WHERE state <> 'held' ORDER BY q.id;
-- the hook says that a failure is no reason to stop
SELECT verdict.alter_hook('h', failed_continue => true);
SELECT id, subject, decision, regexp_replace(detail, 'verdict \d+', 'verdict N') AS detail FROM verdict.settle('msgs');
-- an approval without content does for a guard without content, and for no other
SELECT count(*) FROM (VALUES ('approved'), ('waiting')) AS s (id), LATERAL verdict.approve('h', s.id);
SELECT id, subject, decision, regexp_replace(detail, 'verdict \d+', 'verdict N') AS detail FROM verdict.settle('msgs');
SELECT id, subject, decision, regexp_replace(detail, 'verdict \d+', 'verdict N') AS detail FROM verdict.settle('others');
-- the newest counts
SELECT count(*) FROM verdict.approve('h', 'waiting', '{"body":"hi"}');
SELECT count(*) FROM verdict.deny('h', 'waiting');
SELECT id, subject, decision, regexp_replace(detail, 'verdict \d+', 'verdict N') AS detail FROM verdict.settle('msgs');
-- a table that has changed, and one without guards
ALTER TABLE msgs ADD COLUMN late int;
SELECT count(*) FROM verdict.approve('h', 'altered', '{"body":"ho"}');
SELECT id, subject, decision, regexp_replace(detail, 'verdict \d+', 'verdict N') AS detail FROM verdict.settle('msgs');
CREATE TABLE free (id text);
SELECT * FROM verdict.settle('free');
-- spent approvals: one row each
CREATE TABLE once (id text, body text);
SELECT verdict.guard('once', 'h', key => 'id', locking => 'consume', on_missing => 'quarantine', on_reused => 'quarantine');
INSERT INTO once VALUES ('o', 'one'), ('o', 'two'), ('o', 'one');
SELECT subject, times, row_values FROM verdict.quarantine WHERE relation = 'public.once' ORDER BY id;
SELECT count(*) FROM verdict.approve('h', 'o');
SELECT subject, decision, regexp_replace(detail, 'verdict \d+', 'verdict N') AS detail FROM verdict.settle('once');
SELECT subject, decision, regexp_replace(detail, 'verdict \d+', 'verdict N') AS detail FROM verdict.settle('once');
SELECT subject, finding, state FROM verdict.quarantine WHERE relation = 'public.once' ORDER BY id;
TABLE once;
-- subjects that are content
CREATE TABLE by_digest (body text);
SELECT verdict.guard('by_digest', 'digests', content => '{"body":"body"}', on_missing => 'quarantine');
INSERT INTO by_digest VALUES ('hi'), ('ho');
SELECT count(*) FROM verdict.record('digests', '{"body":"hi"}', '{"actionCode":0,"nextCode":0}');
SELECT length(subject), decision FROM verdict.settle('by_digest');
TABLE by_digest;

-- copies for several users are rows of their own; a resend that differs in what the table gives by itself is not
CREATE TABLE copies (n serial, owner text, id text, body text, at timestamptz DEFAULT clock_timestamp());
SELECT verdict.guard('copies', 'h', key => 'id', content => '{"body":"body"}', on_missing => 'quarantine');
INSERT INTO copies (owner, id, body) VALUES ('alice', 'c', 'hi'), ('bob', 'c', 'hi'), ('alice', 'c', 'hi');
SELECT subject, times, row_values[2] AS owner FROM verdict.quarantine WHERE relation = 'public.copies' ORDER BY id;
-- a duplicate is put aside without a denial
SELECT verdict.refuse(id, 'a copy too many', deny => false) FROM verdict.quarantine WHERE row_values[2] = 'bob';
SELECT id IS NOT NULL AS known, decided, problem FROM verdict.release_all('copies', 'fine');
SELECT owner, body FROM copies;
SELECT accepted FROM verdict.status('h', 'c');
SELECT verdict.refuse(id, 'why', deny => NULL) FROM verdict.quarantine WHERE row_values[2] = 'bob';
-- what the table gives to each row alike is given all the same: another value is another row
CREATE TABLE rooms (n bigint GENERATED ALWAYS AS IDENTITY, id text, body text, room text DEFAULT 'lobby', at timestamptz DEFAULT now(), day int DEFAULT 1)
    PARTITION BY LIST (day);
CREATE TABLE rooms1 PARTITION OF rooms FOR VALUES IN (1);
CREATE TABLE rooms2 (day int, room text, gone int, body text, id text, at timestamptz, n bigint NOT NULL);
ALTER TABLE rooms2 DROP COLUMN gone;
ALTER TABLE rooms ATTACH PARTITION rooms2 FOR VALUES IN (2);
SELECT verdict.guard('rooms', 'h', key => 'id', content => '{"body":"body"}', on_missing => 'quarantine');
INSERT INTO rooms (id, body) VALUES ('r', 'hi'), ('r', 'hi');
INSERT INTO rooms (id, body) VALUES ('r', 'hi');
INSERT INTO rooms (id, body, room) VALUES ('r', 'hi', 'lobby'), ('r', 'hi', 'cellar'), ('r', 'hi', NULL), ('r', 'hi', 'cellar');
-- through a partition whose columns have other places, and none of the table's defaults
INSERT INTO rooms (id, body, room, day) VALUES ('r', 'hi', 'lobby', 2), ('r', 'hi', 'cellar', 2), ('r', 'hi', 'lobby', 2);
SELECT times, substring(columns::text || row_values::text FROM 'lobby|cellar') AS room, columns[1] AS first FROM verdict.quarantine WHERE relation = 'public.rooms' ORDER BY id;
-- a default that asks who is there is not another one each time
CREATE FUNCTION moment() RETURNS timestamptz STABLE LANGUAGE sql AS 'SELECT now()';
CREATE TABLE tenants (n uuid DEFAULT gen_random_uuid(), id text, who text DEFAULT current_user, tenant text DEFAULT current_setting('app.tenant', true),
    at time DEFAULT localtime(0), day date DEFAULT (now() AT TIME ZONE 'UTC')::date, own timestamptz DEFAULT moment(),
    xid bigint DEFAULT txid_current(), old date DEFAULT ('now'::text)::date);
SELECT verdict.guard('tenants', 'h', key => 'id', on_missing => 'quarantine');
INSERT INTO tenants (id, who, at, day, own) VALUES ('m', 'alice', '1:00', '2026-01-01', NULL), ('m', 'bob', '1:00', '2026-01-01', NULL),
    ('m', 'alice', '2:00', '2026-01-02', NULL), ('m', 'alice', '1:00', '2026-01-01', '2026-01-01');
SET app.tenant = 't2';
INSERT INTO tenants (id, who, own, old) VALUES ('m', 'alice', NULL, '2026-01-01');
INSERT INTO tenants (id, who, own) VALUES ('m', 'alice', NULL);
SELECT row_values[3:4] AS who, times FROM verdict.quarantine WHERE relation = 'public.tenants' ORDER BY id;
-- held rows go with the table's name
INSERT INTO copies (owner, id, body) VALUES ('alice', 'c2', 'hi');
SELECT verdict.rename('copies', 'copies2');
SELECT relation, state FROM verdict.quarantine WHERE subject = 'c2';
SELECT decided, problem FROM verdict.release_all('copies2', 'fine');
-- an edit that no verdict could allow is not held
SELECT verdict.alter_guard('copies2', 'h', edits => 'refuse', on_altered => 'quarantine');
