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
