-- nobody's code runs with more rights than its author has: types that carry code, in tables of somebody else's
CREATE EXTENSION pg_verdict;
CREATE ROLE cr_types;
CREATE ROLE cr_owner;
GRANT CREATE ON SCHEMA public TO cr_types, cr_owner;
DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO cr_types', current_database()); END $$;
SELECT verdict.grant_role('auditor', 'cr_types');
SELECT verdict.grant_role('reviewer', 'cr_types');
GRANT USAGE ON SCHEMA verdict TO cr_types;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');

-- every kind of type with which a user's code comes along
SET ROLE cr_types;
CREATE FUNCTION tells(what text) RETURNS bool LANGUAGE plpgsql AS
$$ BEGIN RAISE NOTICE 'code of cr_types (%) runs as %', what, current_user; RETURN true; END $$;
CREATE TYPE mood AS ENUM ('good');
CREATE FUNCTION mood_json(mood) RETURNS json LANGUAGE plpgsql AS $$ BEGIN PERFORM public.tells('cast'); RETURN '"good"'; END $$;
CREATE CAST (mood AS json) WITH FUNCTION mood_json(mood);
CREATE DOMAIN dom AS text CHECK (public.tells('domain'));
CREATE DOMAIN num AS int CHECK (public.tells('range'));
CREATE TYPE span AS RANGE (subtype = num);
CREATE TYPE pair AS (a dom, b int);
RESET ROLE;
CREATE TABLE msgs (id text, body text, mood mood, word dom, span span, pair pair, words dom[]);
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}');
SELECT outcome FROM verdict.approve('h', 'a', '{"body":"x"}');
INSERT INTO msgs (id, body, mood) VALUES ('a', 'x', 'good');
GRANT SELECT ON msgs TO cr_types;

-- explain, by whoever may: of a row, of JSON, and of what is no row of a guarded table
SET ROLE cr_types;
SELECT e.answer FROM msgs AS m, verdict.explain(m) AS e WHERE question = 'Decision';
SELECT answer FROM verdict.explain('msgs', '{"id":"a","body":"x","mood":"good","word":"w","span":"[1,2)","pair":{"a":"w","b":1},"words":["w"]}')
    WHERE question = 'Decision';
CREATE TYPE pg_temp.trap AS ENUM ('a');
CREATE FUNCTION pg_temp.trap_json(pg_temp.trap) RETURNS json LANGUAGE plpgsql AS
$$ BEGIN RAISE NOTICE 'code of cr_types (a temporary cast) runs as %', current_user; RETURN '1'; END $$;
CREATE CAST (pg_temp.trap AS json) WITH FUNCTION pg_temp.trap_json(pg_temp.trap);
SELECT verdict.explain(jsonb_populate_record(NULL::pg_stats, '{}'));
SELECT verdict.row_as_json(jsonb_populate_record(NULL::msgs, '{"mood":"good"}'));
SELECT verdict.explain(ROW(1, 2));
SELECT verdict.explain(1);
SELECT verdict.explain(NULL::msgs);
RESET ROLE;
-- the superuser's own call runs none of it either
SELECT e.answer FROM msgs AS m, verdict.explain(m) AS e WHERE question = 'Decision';
SELECT answer FROM verdict.explain('msgs', '{"id":"a","body":"x","word":"w"}') WHERE question = 'Decision';

-- held rows, the flag, the self-test: what runs as the table's owner is the owner's code, or a superuser's
SELECT verdict.alter_guard('msgs', 'h', on_missing => 'quarantine');
INSERT INTO msgs (id, body, mood) VALUES ('b', 'x', 'good');
ALTER TABLE msgs ADD COLUMN state dom;
SET ROLE cr_types;
SELECT verdict.release(id, 'fine', adapt => true) FROM verdict.quarantine;
SELECT decided, problem FROM verdict.release_all('msgs', 'fine', adapt => true);
RESET ROLE;
SELECT count(*) FROM verdict.self_test('msgs');
SELECT verdict.alter_guard('msgs', 'h', flag_column => 'state', flag_value => 'odd', on_altered => 'flag');
ALTER TABLE msgs DROP COLUMN mood, DROP COLUMN word, DROP COLUMN span, DROP COLUMN pair, DROP COLUMN words, DROP COLUMN state;
-- a trigger of somebody's who may only make triggers, a partition of somebody else's, a function in a constraint
GRANT TRIGGER ON msgs TO cr_types;
SET ROLE cr_types;
CREATE FUNCTION on_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM public.tells('trigger'); RETURN NEW; END $$;
CREATE TRIGGER mine BEFORE INSERT ON msgs FOR EACH ROW EXECUTE FUNCTION on_row();
SELECT verdict.release(id, 'fine', adapt => true) FROM verdict.quarantine;
RESET ROLE;
SELECT count(*) FROM verdict.self_test('msgs');
SELECT count(*) FROM verdict.flag_leaks('msgs', 'h', dry_run => false);
DROP TRIGGER mine ON msgs;
-- a WHEN that runs a statement, on a trigger whose function is the superuser's
CREATE FUNCTION harmless() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
SET ROLE cr_types;
CREATE TRIGGER mine BEFORE INSERT ON msgs FOR EACH ROW
    WHEN (query_to_xml('SELECT public.tells(''a WHEN'')', true, true, '') IS NOT NULL) EXECUTE FUNCTION harmless();
SELECT verdict.release(id, 'fine', adapt => true) FROM verdict.quarantine;
RESET ROLE;
DROP TRIGGER mine ON msgs;
ALTER TABLE msgs ADD CONSTRAINT told CHECK (tells(body));
SET ROLE cr_types;
SELECT verdict.release(id, 'fine', adapt => true) FROM verdict.quarantine;
RESET ROLE;
ALTER TABLE msgs DROP CONSTRAINT told;
CREATE FUNCTION own(text) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RETURN true; END $$;
ALTER TABLE msgs ADD CONSTRAINT told CHECK (own(body));
SET ROLE cr_types;
SELECT verdict.release(id, 'fine', adapt => true) > 0 AS released FROM verdict.quarantine;
RESET ROLE;
SELECT id FROM msgs;

-- a table of an ordinary owner's: his own types are his business, those of a member of his role too
SET ROLE cr_owner;
CREATE FUNCTION owners(what text) RETURNS bool LANGUAGE plpgsql AS
$$ BEGIN IF current_user <> 'cr_owner' THEN RAISE NOTICE 'code of cr_owner (%) runs as %', what, current_user; END IF; RETURN true; END $$;
CREATE DOMAIN owndom AS text CHECK (public.owners('domain'));
CREATE TABLE plain (id text, body text, word owndom, mood mood);
RESET ROLE;
SELECT verdict.guard('plain', 'h', key => 'id', content => '{"body":"body"}', on_missing => 'quarantine');
INSERT INTO plain (id, body, word) VALUES ('p', 'x', 'w');
SELECT verdict.release(id, 'fine') > 0 AS released FROM verdict.quarantine WHERE state = 'held';
SELECT count(*) FROM verdict.self_test('plain');
GRANT cr_owner TO cr_types;
SELECT verdict.release(id, 'fine') > 0 AS released FROM verdict.quarantine WHERE state = 'held';
SELECT id FROM plain;
SELECT count(*) > 30 AS tried FROM verdict.self_test('plain');
SELECT count(*) FROM verdict.self_test('plain', 'postgres');
