-- a held row is for the table that it came for, and for no other of that name
CREATE EXTENSION pg_verdict;
CREATE ROLE ht_owner;
CREATE ROLE ht_other;
GRANT CREATE ON SCHEMA public TO ht_owner, ht_other;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
CREATE FUNCTION put(owner text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('SET ROLE %I; CREATE TABLE msgs (id text, body text); RESET ROLE', owner);
END $$;
SELECT put('ht_owner');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', on_missing => 'quarantine');
INSERT INTO msgs VALUES ('a', 'secret'), ('b', 'secret'), ('c', 'secret');
SELECT relation_oid = 'msgs'::regclass AS knows, relation_owner, origin ~ '^\d+/\d+/\d+$' AS origin FROM verdict.quarantine;
-- the same table, under another owner
ALTER TABLE msgs OWNER TO ht_other;
SELECT verdict.release(1, 'fine') > 0 AS released;
ALTER TABLE msgs OWNER TO ht_owner;
-- another one of that name
SET ROLE ht_owner;
DROP TABLE msgs;
RESET ROLE;
SELECT put('ht_other');
SELECT verdict.release(2, 'fine');
SELECT decided, problem FROM verdict.release_all('msgs', 'fine');
SELECT count(*) FROM verdict.approve('h', 'b', '{"body":"secret"}');
SELECT decision, detail FROM verdict.settle('msgs');
SELECT count(*) FROM msgs;
-- and of the same owner's
DROP TABLE msgs;
SELECT put('ht_owner');
SELECT verdict.release(2, 'fine');
-- a superuser knows that it took the other one's place
UPDATE verdict.quarantine SET origin = NULL, relation_owner = 'ht_owner' WHERE id = 2;
SELECT verdict.release(2, 'fine') > 0 AS released;
SELECT * FROM msgs;
-- after a restore into another database, where OIDs say nothing: by the owner
UPDATE verdict.quarantine SET origin = '1/1/1' WHERE id = 3;
DROP TABLE msgs;
SELECT put('ht_other');
SELECT verdict.release(3, 'fine');
UPDATE verdict.quarantine SET relation_owner = NULL WHERE id = 3;
SELECT verdict.release(3, 'fine');
UPDATE verdict.quarantine SET relation_owner = 'ht_owner' WHERE id = 3;
DROP TABLE msgs;
SELECT put('ht_owner');
SELECT verdict.release(3, 'fine') > 0 AS released;
SELECT * FROM msgs;

-- a table that takes another one's place gets what was held for it; a renamed one keeps it
DROP TABLE msgs;
SELECT verdict.forget('public.msgs', 'h', 'it is gone');
SELECT put('ht_owner');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', on_missing => 'quarantine');
INSERT INTO msgs VALUES ('d', 'x'), ('e', 'x');
SELECT verdict.rename('msgs', 'letters');
SELECT verdict.release(4, 'fine') > 0 AS released;
CREATE TABLE letters2 (id text, body text);
ALTER TABLE letters2 OWNER TO ht_owner;
SELECT verdict.rehome('letters', 'letters2');
SELECT verdict.release(5, 'fine') > 0 AS released;
SELECT * FROM letters;

-- types whose code changes the table while values are read
SET ROLE ht_owner;
CREATE FUNCTION alters(text) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('ht.armed', true) = 'yes' THEN
    PERFORM set_config('ht.armed', 'no', false);
    ALTER TABLE public.traps DROP COLUMN extra;
    ALTER TABLE public.traps ADD COLUMN extra int;
  END IF;
  RETURN true;
END $$;
CREATE DOMAIN trap AS text CHECK (public.alters(VALUE));
CREATE TABLE traps (id text, body text, trap trap, extra text);
RESET ROLE;
SELECT verdict.guard('traps', 'h', key => 'id', content => '{"body":"body"}', on_missing => 'quarantine');
INSERT INTO traps VALUES ('t', 'x', 'x', 'a text that is no number');
SET ht.armed = 'yes';
SELECT answer FROM verdict.explain('traps', '{"id":"t","body":"x","trap":"x","extra":"text"}') WHERE question = 'Decision';
SHOW ht.armed;
SELECT verdict.release(6, 'fine');
SET ht.armed = 'yes';
SELECT count(*) > 0 AS tried FROM verdict.self_test('traps', sample => '{"id":"t","body":"x","trap":"x","extra":"text"}');
-- guarded columns of such types, too
SET ROLE ht_owner;
CREATE TABLE traps2 (id trap, body trap, extra text);
CREATE OR REPLACE FUNCTION alters(text) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('ht.armed', true) = 'yes' THEN
    PERFORM set_config('ht.armed', 'no', false);
    ALTER TABLE public.traps2 ADD COLUMN more int;
  END IF;
  RETURN true;
END $$;
RESET ROLE;
SELECT verdict.guard('traps2', 'h', key => 'id', content => '{"body":"body"}', condition => $$NEW.body <> 'free'$$);
SET ht.armed = 'yes';
SELECT question, answer FROM verdict.explain('traps2', '{"id":"t","body":"x"}') WHERE question = 'Decision';
SELECT answer FROM verdict.explain('traps2', '{"id":"t","body":"free"}') WHERE question = 'Decision';
SHOW ht.armed;
-- an operator for just this type, in the table's schema
RESET ht.armed;
SET ROLE ht_other;
CREATE FUNCTION equals(anyenum, anyenum) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'code of ht_other runs as %', current_user; RETURN true; END $$;
RESET ROLE;
CREATE TYPE kind AS ENUM ('a', 'b');
SET ROLE ht_other;
CREATE FUNCTION equals(kind, kind) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'code of ht_other runs as %', current_user; RETURN true; END $$;
CREATE OPERATOR public.= (LEFTARG = kind, RIGHTARG = kind, FUNCTION = equals);
RESET ROLE;
CREATE TABLE kinds (kind kind PRIMARY KEY, body text);
SELECT verdict.guard('kinds', 'h', key => 'kind', content => '{"body":"body"}', on_altered => 'quarantine');
SELECT outcome FROM verdict.approve('h', 'a', '{"body":"x"}');
INSERT INTO kinds VALUES ('a', 'x');
UPDATE kinds SET body = 'y';
SELECT verdict.release(id, 'fine') > 0 AS released FROM verdict.quarantine WHERE subject = 'a' AND operation = 'update';
SELECT * FROM kinds;
