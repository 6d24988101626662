-- Several soft guards on a partitioned table: a row that only moves is never lost on its way.
CREATE EXTENSION pg_verdict;
SELECT count(*) FROM (VALUES ('h1'), ('h2'), ('h3')) AS s (name), LATERAL verdict.create_hook(s.name, subject => '/id', fields => '{"body":"/body"}');
CREATE TABLE msgs (day int, id text, body text, status int DEFAULT 1, mark int DEFAULT 1) PARTITION BY LIST (day);
CREATE TABLE msgs1 PARTITION OF msgs FOR VALUES IN (1);
CREATE TABLE msgs2 (mark int DEFAULT 1, body text, id text, status int DEFAULT 1, day int);
ALTER TABLE msgs ATTACH PARTITION msgs2 FOR VALUES IN (2);
INSERT INTO msgs VALUES (1, 'a', 'hi'), (1, 'b', 'hi'), (1, NULL, NULL), (2, 'c', 'hi');
SELECT verdict.guard('msgs', 'h1', key => 'id', content => '{"body":"body"}', on_missing => 'quarantine');
SELECT verdict.guard('msgs', 'h2', key => 'id', content => '{"body":"body"}', on_missing => 'discard', condition => 'NEW.status = 1');
SELECT verdict.guard('msgs', 'h3', key => 'id', on_missing => 'flag', flag_column => 'mark', flag_value => '9');
CREATE VIEW stored AS SELECT tableoid::regclass AS leaf, day, id, body, status, mark FROM msgs ORDER BY id, day;
UPDATE msgs SET day = 3 - day RETURNING tableoid::regclass, *;
TABLE stored;
SELECT count(*) AS incidents FROM verdict.incidents;
SELECT count(*) AS held FROM verdict.quarantine;
-- out of a guard's condition, and into it: the update is judged where the row is, before it moves
UPDATE msgs SET day = 1, status = 2 WHERE id = 'a' RETURNING tableoid::regclass, *;
UPDATE msgs SET day = 2, status = 1 WHERE id = 'a' RETURNING tableoid::regclass, *;
TABLE stored;
-- an application's BEFORE trigger that does something else in between
CREATE TABLE log (id text, body text) PARTITION BY LIST (id);
CREATE TABLE log1 PARTITION OF log DEFAULT;
SELECT verdict.guard('log', 'h1', key => 'id', content => '{"body":"body"}', on_missing => 'discard');
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO log SELECT NEW.id, NEW.body; UPDATE log SET body = 'x';
  BEGIN PERFORM 1 / 0; EXCEPTION WHEN division_by_zero THEN RETURN NEW; END; END $$;
CREATE TRIGGER "zzz note" BEFORE INSERT OR UPDATE ON msgs FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER note BEFORE INSERT OR UPDATE ON msgs FOR EACH ROW EXECUTE FUNCTION note();
UPDATE msgs SET day = 3 - day RETURNING tableoid::regclass, *;
TABLE stored;
CREATE TRIGGER "after" AFTER INSERT OR UPDATE OR DELETE ON msgs FOR EACH ROW EXECUTE FUNCTION note();
UPDATE msgs SET day = 3 - day RETURNING tableoid::regclass, *;
DROP TRIGGER "after" ON msgs;
DROP TRIGGER note ON msgs;
DROP TRIGGER "zzz note" ON msgs;
-- a trigger that changes what is guarded on the way: the move is refused, the row stays where it was
CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.body := 'changed'; RETURN NEW; END $$;
CREATE TRIGGER change BEFORE INSERT ON msgs2 FOR EACH ROW EXECUTE FUNCTION change();
UPDATE msgs SET day = 2 WHERE day = 1;
TABLE stored;
SELECT finding, done, operation, subject FROM verdict.incidents WHERE relation = 'public.msgs' ORDER BY id;
