-- An update that also moves the row to another partition is judged as the update that it is.
CREATE EXTENSION pg_verdict;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
CREATE VIEW seen AS SELECT finding, done, operation, subject, row_image->>'body' AS body FROM verdict.incidents ORDER BY id;
SELECT count(*) FROM (VALUES ('a', 'hi'), ('b', 'hi'), ('a', 'ho')) AS s (id, body), LATERAL verdict.approve('h', s.id, jsonb_build_object('body', s.body));

-- content that is final
CREATE TABLE final (day int, gone int, id text, body text, note text DEFAULT 'n') PARTITION BY LIST (day);
ALTER TABLE final DROP COLUMN gone;
CREATE TABLE final1 PARTITION OF final FOR VALUES IN (1);
CREATE TABLE final2 (note text, body text, gone int, id text, day int);
ALTER TABLE final2 DROP COLUMN gone;
ALTER TABLE final ATTACH PARTITION final2 FOR VALUES IN (2);
SELECT verdict.guard('final', 'h', key => 'id', content => '{"body":"body"}', edits => 'refuse');
INSERT INTO final (day, id, body) VALUES (1, 'a', 'ho'), (1, 'b', 'hi');
SELECT count(*) FROM verdict.approve('h', 'a', '{"body":"hi"}');
UPDATE final SET body = 'hi' WHERE id = 'a';
UPDATE final SET body = 'hi', day = 2 WHERE id = 'a';
UPDATE final SET day = 3 - day, note = 'moved';
SELECT tableoid::regclass, * FROM final ORDER BY id;
UPDATE final SET body = 'ho', day = 1 WHERE id = 'b';
MERGE INTO final USING (VALUES ('a', 'ho'), ('b', 'hi'), ('c', 'hi')) AS s (id, body) ON final.id = s.id
  WHEN MATCHED THEN UPDATE SET day = 1, body = s.body WHEN NOT MATCHED THEN INSERT (day, id, body) VALUES (2, s.id, s.body);
SELECT count(*) FROM verdict.approve('h', 'c', '{"body":"hi"}');
MERGE INTO final USING (VALUES ('a', 'ho'), ('c', 'hi'), ('b', 'hi')) AS s (id, body) ON final.id = s.id
  WHEN MATCHED THEN UPDATE SET day = 1, body = s.body WHEN NOT MATCHED THEN INSERT (day, id, body) VALUES (2, s.id, s.body);
SELECT tableoid::regclass, * FROM final ORDER BY id;
-- a large body, stored out of line in one partition and then in another
SELECT count(*) FROM (SELECT string_agg(md5(i::text), '') AS body FROM generate_series(1, 3000) AS i) AS s, verdict.approve('h', 'large', jsonb_build_object('body', s.body));
INSERT INTO final (day, id, body) SELECT 1, 'large', string_agg(md5(i::text), '') FROM generate_series(1, 3000) AS i;
UPDATE final SET day = 2 WHERE id = 'large';
UPDATE final SET day = 1, body = left(body, -1) WHERE id = 'large';
SELECT tableoid::regclass, length(body) FROM final WHERE id = 'large';
-- moves in savepoints, and what a failed one leaves behind
BEGIN;
SAVEPOINT s;
UPDATE final SET day = 3 - day;
ROLLBACK TO s;
UPDATE final SET body = 'x', day = 3 - day;
ROLLBACK TO s;
INSERT INTO final (day, id, body) VALUES (2, 'b', 'hi');
UPDATE final SET day = 3 - day;
INSERT INTO final (day, id, body) VALUES (2, 'b', 'x');
ROLLBACK;
-- edits that are let be
SELECT verdict.alter_guard('final', 'h', edits => 'allow');
UPDATE final SET day = 3 - day, body = 'changed' WHERE id = 'a';
UPDATE final SET day = 3 - day, id = 'nobody' WHERE id = 'a';
INSERT INTO final (day, id, body) VALUES (1, 'nobody', 'changed');
SELECT tableoid::regclass, id, body FROM final WHERE id = 'nobody';

-- columns that came later: older rows have their values from the table's description
CREATE TABLE grown (day int, id text, body text) PARTITION BY LIST (day);
CREATE TABLE grown1 PARTITION OF grown FOR VALUES IN (1);
CREATE TABLE grown2 PARTITION OF grown FOR VALUES IN (2);
INSERT INTO grown VALUES (1, 'g', 'x');
ALTER TABLE grown ADD COLUMN later int DEFAULT 7, ADD COLUMN latest text DEFAULT 'l';
SELECT verdict.guard('grown', 'h', key => 'id', content => '{"body":"body"}', condition => $$NEW.later = 7 AND NEW.latest = 'l'$$);
UPDATE grown SET day = 2;
UPDATE grown SET day = 1, latest = 'l';
SELECT tableoid::regclass, * FROM grown;

-- out of the condition on the way: an edit of a guarded row all the same, and nothing comes in beside it
CREATE TABLE out (day int, id text, body text, kind int DEFAULT 1) PARTITION BY LIST (day);
CREATE TABLE out1 PARTITION OF out FOR VALUES IN (1);
CREATE TABLE out2 (kind int, body text, id text, day int);
ALTER TABLE out ATTACH PARTITION out2 FOR VALUES IN (2);
SELECT verdict.guard('out', 'h', key => 'id', content => '{"body":"body"}', condition => 'NEW.kind = 1', edits => 'refuse');
INSERT INTO out VALUES (1, 'a', 'hi', 1);
UPDATE out SET body = 'evil', kind = 9;
UPDATE out SET body = 'evil', kind = 9, day = 2;
UPDATE out SET kind = 9, day = 2;
UPDATE out SET body = 'outside', day = 1;
UPDATE out SET body = 'hi', kind = 1, day = 2;
MERGE INTO out USING (VALUES ('a', 'hi'), ('b', 'hi')) AS s (id, body) ON out.id = s.id
  WHEN MATCHED THEN UPDATE SET day = 1, kind = 9 WHEN NOT MATCHED THEN INSERT VALUES (1, s.id, s.body, 1);
SELECT tableoid::regclass, * FROM out ORDER BY id;
SELECT verdict.alter_guard('out', 'h', edits => 'allow');
WITH u AS (UPDATE out SET day = 2, kind = 9 WHERE id = 'b' RETURNING 1) INSERT INTO out SELECT 1, 'evil', 'spam', 1 FROM u;
MERGE INTO out USING (VALUES ('b'), ('evil2')) AS s (id) ON out.id = s.id
  WHEN MATCHED THEN UPDATE SET day = 2, kind = 9 WHEN NOT MATCHED THEN INSERT VALUES (1, s.id, 'spam', 1);
SELECT verdict.alter_guard('out', 'h', edits => 'enforce', locking => 'consume');
SELECT count(*) FROM verdict.approve('h', 'c', '{"body":"hi"}');
INSERT INTO out VALUES (1, 'c', 'hi', 1);
WITH u AS (UPDATE out SET day = 2, kind = 9 WHERE id = 'c' RETURNING 1) INSERT INTO out SELECT 1, 'c', 'hi', 1 FROM u;
SELECT tableoid::regclass, * FROM out ORDER BY id;
-- a trigger that moves another row out of the condition meanwhile
SELECT verdict.unguard('out', 'h', 'two rows that are older');
INSERT INTO out VALUES (1, 'legacy', 'x', 1), (1, 'prev', 'x', 1);
SELECT verdict.guard('out', 'h', key => 'id', content => '{"body":"body"}', condition => 'NEW.kind = 1');
CREATE FUNCTION archive() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF pg_trigger_depth() = 1 THEN UPDATE out SET day = 2, kind = 9 WHERE id = 'prev'; END IF; RETURN NULL; END $$;
CREATE TRIGGER archive AFTER INSERT ON out FOR EACH ROW EXECUTE FUNCTION archive();
UPDATE out SET day = 2 WHERE id = 'legacy';
SELECT tableoid::regclass, id, kind FROM out WHERE id IN ('legacy', 'prev') ORDER BY id;

-- rows that are older than the guard
CREATE TABLE old (day int, id text, body text, kind int DEFAULT 1) PARTITION BY LIST (day);
CREATE TABLE old1 PARTITION OF old FOR VALUES IN (1);
CREATE TABLE old2 (kind int, body text, id text, day int);
ALTER TABLE old ATTACH PARTITION old2 FOR VALUES IN (2);
INSERT INTO old VALUES (1, 'legacy', 'x', 1), (2, 'outside', 'x', 2);
SELECT verdict.guard('old', 'h', key => 'id', content => '{"body":"body"}', condition => 'NEW.kind = 1', legacy => 'allow');
UPDATE old SET day = 2, body = 'y' WHERE id = 'legacy';
UPDATE old SET day = 1, id = 'a' WHERE id = 'legacy';
UPDATE old SET day = 1, kind = 1 WHERE id = 'outside';
SELECT tableoid::regclass, * FROM old ORDER BY id;
SELECT * FROM seen;

-- another trigger that stores a row of the same table on the way: it is judged, and what moves is not lost
CREATE TABLE ways (day int, id text, body text, status int DEFAULT 1) PARTITION BY LIST (day);
CREATE TABLE ways1 PARTITION OF ways FOR VALUES IN (1);
CREATE TABLE ways2 PARTITION OF ways FOR VALUES IN (2);
INSERT INTO ways VALUES (1, 'kept', 'x');
SELECT verdict.guard('ways', 'h', key => 'id', content => '{"body":"body"}', on_missing => 'discard', on_altered => 'quarantine');
CREATE FUNCTION another() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF pg_trigger_depth() = 1 THEN INSERT INTO ways VALUES (1, 'stranger', 'x'), (2, 'a', 'wrong'), (2, 'a', 'hi'); END IF; RETURN NEW; END $$;
CREATE TRIGGER "a first one" BEFORE INSERT ON ways FOR EACH ROW EXECUTE FUNCTION another();
UPDATE ways SET day = 2 WHERE id = 'kept';
SELECT tableoid::regclass, * FROM ways ORDER BY id;
SELECT subject, row_values FROM verdict.quarantine;
DROP TRIGGER "a first one" ON ways;
-- triggers that update the moving row itself, or move it and take that back
CREATE FUNCTION edits() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE ways SET body = 'edited' WHERE id = OLD.id; RETURN OLD; END $$;
CREATE TRIGGER a BEFORE DELETE ON ways FOR EACH ROW WHEN (OLD.id = 'kept') EXECUTE FUNCTION edits();
UPDATE ways SET day = 1 WHERE id = 'kept';
SELECT tableoid::regclass, * FROM ways ORDER BY id;
DROP TRIGGER a ON ways;
CREATE FUNCTION there_and_back() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF pg_trigger_depth() = 1 THEN
    BEGIN UPDATE ways SET day = 3 - day WHERE id = OLD.id; RAISE 'back'; EXCEPTION WHEN raise_exception THEN NULL; END;
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END; END $$;
CREATE TRIGGER zzzz BEFORE UPDATE OR DELETE ON ways FOR EACH ROW EXECUTE FUNCTION there_and_back();
UPDATE ways SET day = 3 - day WHERE id = 'kept';
SELECT tableoid::regclass, * FROM ways ORDER BY id;
DROP TRIGGER zzzz ON ways;
-- or a hundred others, which another trigger leaves out
CREATE TABLE others (n int);
INSERT INTO others SELECT generate_series(1, 100);
SELECT verdict.alter_guard('ways', 'h', mode => 'observe');
INSERT INTO ways SELECT 1, 'other ' || n, 'x' FROM others;
SELECT verdict.alter_guard('ways', 'h', mode => 'enforce');
CREATE FUNCTION others() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF pg_trigger_depth() = 1 THEN UPDATE ways SET status = 2 WHERE id LIKE 'other %'; END IF; RETURN NEW; END $$;
CREATE FUNCTION not_others() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN CASE WHEN NEW.id = 'kept' THEN NEW END; END $$;
CREATE TRIGGER "a first one" BEFORE INSERT ON ways FOR EACH ROW EXECUTE FUNCTION others();
CREATE TRIGGER zzzz BEFORE UPDATE ON ways FOR EACH ROW EXECUTE FUNCTION not_others();
UPDATE ways SET day = 3 - day WHERE id = 'kept';
SELECT tableoid::regclass, id, status, count(*) FROM ways WHERE id IN ('kept', 'other 1') GROUP BY 1, 2, 3 ORDER BY id;
DROP TRIGGER "a first one" ON ways;
DROP TRIGGER zzzz ON ways;
DELETE FROM ways WHERE id LIKE 'other %';
-- a row that moves outside of the condition, and one that the same statement inserts
CREATE TABLE beside (day int, id text, body text, kind int) PARTITION BY LIST (day);
CREATE TABLE beside1 PARTITION OF beside FOR VALUES IN (1);
CREATE TABLE beside2 (kind int, body text, id text, day int);
ALTER TABLE beside ATTACH PARTITION beside2 FOR VALUES IN (2);
INSERT INTO beside VALUES (1, 'system', 'x', 9);
SELECT verdict.guard('beside', 'h', key => 'id', content => '{"body":"body"}', condition => 'NEW.kind = 1', on_missing => 'quarantine');
WITH u AS (UPDATE beside SET day = 3 - day WHERE kind = 9 RETURNING 1) INSERT INTO beside SELECT 1, 'stranger', 'x', 1 FROM u;
MERGE INTO beside USING (VALUES ('system'), ('another')) AS s (id) ON beside.id = s.id
  WHEN MATCHED THEN UPDATE SET day = 3 - day WHEN NOT MATCHED THEN INSERT VALUES (1, s.id, 'x', 1);
SELECT tableoid::regclass, * FROM beside;
SELECT subject FROM verdict.quarantine WHERE relation = 'public.beside' ORDER BY id;
-- and one that a trigger brings under it on its way: refused, it is not lost
CREATE FUNCTION under() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.kind := 1; RETURN NEW; END $$;
CREATE TRIGGER under BEFORE INSERT ON beside FOR EACH ROW EXECUTE FUNCTION under();
UPDATE beside SET day = 3 - day;
SELECT tableoid::regclass, * FROM beside;
DROP TRIGGER under ON beside;
-- one that leaves rows out, before and behind ours
CREATE FUNCTION picky() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN CASE WHEN NEW.status = 1 THEN NEW END; END $$;
CREATE TRIGGER "zzz later" BEFORE UPDATE ON ways FOR EACH ROW EXECUTE FUNCTION picky();
UPDATE ways SET day = 1, status = 2 WHERE id = 'kept';
UPDATE ways SET day = 1;
SELECT tableoid::regclass, * FROM ways ORDER BY id;
DROP TRIGGER "zzz later" ON ways;
CREATE TRIGGER "a first one" BEFORE INSERT ON ways FOR EACH ROW EXECUTE FUNCTION picky();
MERGE INTO ways USING (VALUES ('kept', 2), ('new', 1)) AS s (id, status) ON ways.id = s.id
  WHEN MATCHED THEN UPDATE SET day = 2, status = s.status WHEN NOT MATCHED THEN INSERT VALUES (2, s.id, 'x', s.status);
SELECT tableoid::regclass, * FROM ways ORDER BY id;

-- approvals that are spent: an update that leaves key and content as they are needs one that stands, and spends none
CREATE TABLE once (day int, id text, body text, kind int) PARTITION BY LIST (day);
CREATE TABLE once1 PARTITION OF once FOR VALUES IN (1);
CREATE TABLE once2 PARTITION OF once FOR VALUES IN (2);
SELECT verdict.guard('once', 'h', key => 'id', content => '{"body":"body"}', condition => 'NEW.kind IN (1, 2) AND NEW.day > 0', locking => 'consume');
SELECT count(*) FROM verdict.approve('h', 'o', '{"body":"hi"}');
INSERT INTO once VALUES (1, 'o', 'hi', 1);
UPDATE once SET kind = 2;
UPDATE once SET day = 2;
UPDATE once SET day = 1, kind = 1;
UPDATE once SET kind = 3;
-- it comes back as a new row would
UPDATE once SET kind = 1;
UPDATE once SET kind = 2, day = 2;
SELECT count(*) FROM verdict.approve('h', 'o', '{"body":"hi"}');
UPDATE once SET kind = 1;
INSERT INTO once VALUES (1, 'o', 'hi', 1);
SELECT count(*) FROM verdict.deny('h', 'o', 5001, 'no');
UPDATE once SET kind = 2;
SELECT tableoid::regclass, * FROM once;
SELECT outcome, consumed_by, superseded_by IS NOT NULL AS superseded FROM verdict.verdicts WHERE subject = 'o' ORDER BY id;
