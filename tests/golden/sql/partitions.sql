-- Ways in: partitions, COPY, ON CONFLICT, MERGE, PL/pgSQL, other triggers, hostile names.
CREATE EXTENSION pg_verdict;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
CREATE SCHEMA chat;
CREATE TABLE chat.msgs (id text, region text, day int, body text, status int, PRIMARY KEY (id, region, day)) PARTITION BY LIST (region);
CREATE TABLE chat.eu PARTITION OF chat.msgs FOR VALUES IN ('eu') PARTITION BY RANGE (day);
CREATE TABLE chat.eu1 PARTITION OF chat.eu FOR VALUES FROM (0) TO (10);
SELECT verdict.guard('chat.msgs', 'h', key => 'id', content => '{"body":"body"}');
-- a partition made and one attached later, with other attribute numbers
CREATE TABLE chat.eu2 PARTITION OF chat.eu FOR VALUES FROM (10) TO (20);
CREATE TABLE chat.us (gone int, status int, body text NOT NULL, gone2 int, day int NOT NULL, id text NOT NULL, region text NOT NULL);
ALTER TABLE chat.us DROP COLUMN gone, DROP COLUMN gone2;
ALTER TABLE chat.us ALTER COLUMN body DROP NOT NULL;
ALTER TABLE chat.msgs ATTACH PARTITION chat.us FOR VALUES IN ('us');
CREATE FUNCTION t.say(sql text) RETURNS text LANGUAGE sql AS $$
  SELECT format('%s %s %s %s', sqlstate, coalesce(detail::jsonb ->> 'subject', '-'), table_name, constraint_name)
  FROM t.error($1) WHERE sqlstate LIKE 'VD%'
  UNION ALL SELECT format('%s %s', sqlstate, message) FROM t.error($1) WHERE sqlstate NOT LIKE 'VD%' LIMIT 1 $$;
SELECT outcome FROM verdict.approve('h', 'a', '{"body":"hi"}');
SELECT outcome FROM verdict.approve('h', 'b', '{"body":"ho"}');
SELECT outcome FROM verdict.deny('h', 'd', 1, 'no');

-- through each level
INSERT INTO chat.msgs VALUES ('a', 'eu', 1, 'hi', 0), ('b', 'us', 1, 'ho', 0);
INSERT INTO chat.msgs VALUES ('d', 'eu', 1, 'hi', 0);
INSERT INTO chat.msgs VALUES ('d', 'us', 1, 'hi', 0);
INSERT INTO chat.eu VALUES ('d', 'eu', 1, 'hi', 0);
INSERT INTO chat.eu2 VALUES ('d', 'eu', 11, 'hi', 0);
INSERT INTO chat.us (id, region, day, body) VALUES ('a', 'us', 1, 'other');
INSERT INTO chat.us (id, region, day, body) VALUES ('a', 'us', 2, 'hi');
-- COPY, into the root and into a partition
COPY chat.msgs FROM stdin;
a	eu	2	hi	0
d	eu	2	hi	0
\.
COPY chat.us (id, region, day, body) FROM stdin;
b	us	3	changed
\.
COPY chat.msgs FROM stdin;
a	eu	3	hi	0
b	us	4	ho	0
\.
SELECT tableoid::regclass, id, day, body FROM chat.msgs ORDER BY id, region, day;

-- moved between partitions: unchanged it passes, though the approval is long taken back
SELECT outcome FROM verdict.revoke('h', 'b', 'why');
UPDATE chat.msgs SET region = 'eu' WHERE id = 'b' AND day = 1;
UPDATE chat.msgs SET region = 'eu', body = 'changed' WHERE id = 'b' AND day = 4;
UPDATE chat.msgs SET day = 12 WHERE id = 'a' AND day = 1;
UPDATE chat.msgs SET day = 13, body = 'changed' WHERE id = 'a' AND day = 3;
UPDATE chat.msgs SET region = 'us', id = 'd' WHERE id = 'a' AND day = 3;
SELECT tableoid::regclass, id, day, body FROM chat.msgs ORDER BY id, region, day;
-- a delete and an insert in one transaction are no move
BEGIN;
DELETE FROM chat.msgs WHERE id = 'b' AND day = 4;
INSERT INTO chat.msgs VALUES ('b', 'eu', 4, 'ho', 0);
ROLLBACK;
-- detached, it is a table of its own without a guard
ALTER TABLE chat.msgs DETACH PARTITION chat.us;
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'chat.us'::regclass AND NOT tgisinternal;
INSERT INTO chat.us (id, region, day, body) VALUES ('d', 'us', 9, 'free');
DELETE FROM chat.us WHERE id = 'd';
ALTER TABLE chat.msgs ATTACH PARTITION chat.us FOR VALUES IN ('us');
INSERT INTO chat.us (id, region, day, body) VALUES ('d', 'us', 9, 'free');

-- ON CONFLICT
INSERT INTO chat.msgs VALUES ('a', 'eu', 3, 'hi', 0) ON CONFLICT DO NOTHING;
INSERT INTO chat.msgs VALUES ('d', 'eu', 3, 'hi', 0) ON CONFLICT DO NOTHING;
INSERT INTO chat.msgs VALUES ('a', 'eu', 3, 'x', 0) ON CONFLICT (id, region, day) DO UPDATE SET body = EXCLUDED.body;
INSERT INTO chat.msgs VALUES ('a', 'eu', 3, 'x', 7) ON CONFLICT (id, region, day) DO UPDATE SET status = EXCLUDED.status;
-- a writable CTE and INSERT … SELECT
WITH moved AS (DELETE FROM chat.msgs WHERE id = 'b' AND day = 4 RETURNING *) INSERT INTO chat.msgs SELECT id, 'eu', day, body, 1 FROM moved;
-- MERGE
MERGE INTO chat.eu1 AS m USING (VALUES ('a', 5, 'hi'), ('d', 5, 'hi')) AS s (id, day, body) ON m.id = s.id AND m.day = s.day
  WHEN NOT MATCHED THEN INSERT VALUES (s.id, 'eu', s.day, s.body, 0);
MERGE INTO chat.eu1 AS m USING (VALUES ('a', 3, 'new')) AS s (id, day, body) ON m.id = s.id AND m.day = s.day
  WHEN MATCHED THEN UPDATE SET body = s.body;
MERGE INTO chat.eu1 AS m USING (VALUES ('a', 3)) AS s (id, day) ON m.id = s.id AND m.day = s.day
  WHEN MATCHED THEN UPDATE SET status = 8;

-- caught in PL/pgSQL, the rest goes through
DO $$
DECLARE state text; detail text; con text; refused int := 0;
BEGIN
  FOR i IN 1..3 LOOP
    BEGIN
      INSERT INTO chat.msgs VALUES (CASE WHEN i = 2 THEN 'a' ELSE 'd' END, 'eu', 5, 'hi', i);
    EXCEPTION WHEN SQLSTATE 'VD002' THEN
      GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, detail = PG_EXCEPTION_DETAIL, con = CONSTRAINT_NAME;
      refused := refused + 1;
    END;
  END LOOP;
  RAISE NOTICE '% refused, last % % %', refused, state, detail::jsonb ->> 'subject', con;
END $$;
BEGIN;
SAVEPOINT s;
INSERT INTO chat.msgs VALUES ('d', 'eu', 6, 'hi', 0);
ROLLBACK TO s;
INSERT INTO chat.msgs VALUES ('a', 'eu', 6, 'hi', 0);
COMMIT;
SELECT tableoid::regclass, id, day, body, status FROM chat.msgs ORDER BY id, region, day;

-- a verdict recorded in the same transaction counts, and goes with it
BEGIN;
SELECT outcome FROM verdict.approve('h', 'e', '{"body":"hi"}');
INSERT INTO chat.msgs VALUES ('e', 'eu', 6, 'hi', 0);
SELECT outcome FROM verdict.revoke('h', 'e', 'at once');
INSERT INTO chat.msgs VALUES ('e', 'eu', 7, 'hi', 0);
ROLLBACK;
INSERT INTO chat.msgs VALUES ('e', 'eu', 7, 'hi', 0);

-- a BEFORE trigger that rewrites the content under an innocent update, or on the way in
CREATE TABLE plain (id text PRIMARY KEY, body text, status int);
SELECT verdict.guard('plain', 'h', key => 'id', content => '{"body":"body"}');
INSERT INTO plain VALUES ('a', 'hi', 0);
CREATE FUNCTION rewrite() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.body := 'rewritten'; RETURN NEW; END $$;
CREATE TRIGGER zz BEFORE INSERT OR UPDATE ON plain FOR EACH ROW EXECUTE FUNCTION rewrite();
UPDATE plain SET status = 1;
DELETE FROM plain;
INSERT INTO plain VALUES ('a', 'hi', 0);
DROP TRIGGER zz ON plain;
INSERT INTO plain VALUES ('a', 'hi', 0);
-- a replica's session, and "disabled" user triggers
SET session_replication_role = replica;
INSERT INTO plain VALUES ('d', 'hi', 0);
RESET session_replication_role;

-- edits
SELECT verdict.alter_guard('plain', 'h', edits => 'refuse');
UPDATE plain SET body = 'hi', status = 2;
UPDATE plain SET body = 'x';
SELECT outcome FROM verdict.approve('h', 'a', '{"body":"x"}');
UPDATE plain SET body = 'x';
SELECT verdict.alter_guard('plain', 'h', edits => 'allow');
UPDATE plain SET body = 'anything';
INSERT INTO plain VALUES ('d', 'hi', 0);
SELECT verdict.alter_guard('plain', 'h', edits => 'enforce');
UPDATE plain SET body = 'y';
UPDATE plain SET body = 'x';

-- an approval that is spent once; a rollback gives it back
CREATE TABLE once (id text, body text);
SELECT verdict.guard('once', 'h', key => 'id', content => '{"body":"body"}', locking => 'consume');
SELECT outcome FROM verdict.approve('h', 'o', '{"body":"hi"}');
BEGIN;
INSERT INTO once VALUES ('o', 'hi');
ROLLBACK;
BEGIN;
SAVEPOINT s;
INSERT INTO once VALUES ('o', 'hi');
ROLLBACK TO s;
INSERT INTO once VALUES ('o', 'hi');
COMMIT;
INSERT INTO once VALUES ('o', 'hi');
INSERT INTO once VALUES ('d', 'hi');
SELECT outcome FROM verdict.approve('h', 'o', '{"body":"hi"}');
INSERT INTO once VALUES ('o', 'hi'), ('o', 'hi');
INSERT INTO once VALUES ('o', 'hi');
SELECT count(*) FROM once;

-- two guards: both must approve
SELECT verdict.create_hook('second', subject => '/id', fields => '{"body":"/body"}');
SELECT verdict.guard('plain', 'second', key => 'id', content => '{"body":"body"}', name => 'the second');
SELECT outcome FROM verdict.approve('h', 'two', '{"body":"hi"}');
INSERT INTO plain VALUES ('two', 'hi', 0);
SELECT outcome FROM verdict.approve('second', 'two', '{"body":"hi"}');
INSERT INTO plain VALUES ('two', 'hi', 0);
SELECT outcome FROM verdict.deny('h', 'two');
UPDATE plain SET body = 'ho' WHERE id = 'two';

-- matched by content
SELECT verdict.create_hook('by_content', subject => '', fields => '{"body":"/body","from":"/from"}');
CREATE TABLE letters (n int, sender text, body text);
SELECT verdict.guard('letters', 'by_content', content => '{"body":"body","from":"sender"}');
SELECT outcome FROM verdict.record('by_content', '{"from":"a","body":"hi","other":1}',
  '{"actionCode":0,"errCode":0,"errMsg":"","errDlt":"","nextCode":0}');
INSERT INTO letters VALUES (1, 'a', 'hi'), (2, 'a', 'hi');
SELECT t.say($$INSERT INTO letters VALUES (3, 'b', 'hi')$$) LIKE 'VD001 %' AS missing;
SELECT t.say($$INSERT INTO letters VALUES (3, NULL, 'hi')$$) LIKE 'VD001 %' AS missing;
SELECT t.say($$UPDATE letters SET body = 'ho' WHERE n = 1$$) LIKE 'VD001 %' AS missing;
UPDATE letters SET n = 9 WHERE n = 1;

-- names that need quotes, off the search path
CREATE SCHEMA "Ünî ""codé"" schema";
CREATE TABLE "Ünî ""codé"" schema"."消息 ""log""" ("the ID" text, "my ""text""" text, "sé'x" int);
SELECT verdict.create_hook('hook "ü" ''x''', subject => '/id', fields => '{"a b\"c":"/body"}');
SELECT verdict.guard('"Ünî ""codé"" schema"."消息 ""log"""', 'hook "ü" ''x''', key => 'the ID', content => '{"a b\"c":"my \"text\""}',
  condition => 'NEW."sé''x" = 1');
SELECT outcome FROM verdict.approve('hook "ü" ''x''', 'π', '{"a b\"c":"hi"}');
INSERT INTO "Ünî ""codé"" schema"."消息 ""log""" VALUES ('π', 'hi', 1);
INSERT INTO "Ünî ""codé"" schema"."消息 ""log""" VALUES ('π', 'ho', 1);
INSERT INTO "Ünî ""codé"" schema"."消息 ""log""" VALUES ('π', 'ho', 2);

-- a search path full of traps
CREATE SCHEMA evil;
CREATE TABLE evil.guards (id int, name text);
CREATE TABLE evil.hooks (id int, name text);
CREATE TABLE evil.verdicts (id int);
CREATE TABLE evil.plain (id text, body text, status int);
CREATE FUNCTION evil.eq(text, text) RETURNS bool LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.eq);
CREATE FUNCTION evil.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$SELECT '1999-01-01'::timestamptz$$;
SET search_path = evil, pg_catalog;
INSERT INTO public.plain VALUES ('d', 'hi', 0);
SELECT outcome FROM verdict.approve('h', 'trap', '{"body":"hi"}');
SELECT outcome FROM verdict.approve('second', 'trap', '{"body":"hi"}');
INSERT INTO public.plain VALUES ('trap', 'hi', 0);
SELECT outcome FROM verdict.revoke('h', 'trap', 'why');
UPDATE public.plain SET body = 'ho' WHERE id OPERATOR(pg_catalog.=) 'trap';
INSERT INTO plain VALUES ('d', 'not guarded', 0);
SELECT verdict.guard('evil.plain', 'h', key => 'id', content => '{"body":"body"}', condition => 'NEW.body = ''x''');
SELECT verdict.alter_guard('evil.plain', 'h', condition => '');
INSERT INTO plain VALUES ('d', 'now it is', 0);
RESET search_path;
