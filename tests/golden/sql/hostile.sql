-- Names and surroundings that somebody chose to mislead.
CREATE EXTENSION pg_verdict;
CREATE ROLE hostile_app;
GRANT CREATE, USAGE ON SCHEMA public TO hostile_app;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');

-- quotes, spaces, letters of other alphabets, the longest names; a table off the search_path
CREATE SCHEMA "Der ""Schrank""";
CREATE TABLE "Der ""Schrank"""."消 息'; DROP TABLE x --" ("Ключ ""1""" text, "b o'dy" text, "select" int);
SELECT verdict.guard('"Der ""Schrank"""."消 息''; DROP TABLE x --"', 'h', key => 'Ключ "1"', content => '{"body":"b o''dy"}',
    condition => 'NEW."select" = 1', name => 'guard "of" the ''шкаф''');
SELECT outcome FROM verdict.approve('h', 'a', '{"body":"hi"}');
INSERT INTO "Der ""Schrank"""."消 息'; DROP TABLE x --" VALUES ('a', 'hi', 1), ('x', 'y', 2);
INSERT INTO "Der ""Schrank"""."消 息'; DROP TABLE x --" VALUES ('a', 'changed', 1);
SELECT question, answer FROM verdict.explain('"Der ""Schrank"""."消 息''; DROP TABLE x --"', '{"Ключ \"1\"":"a","b o''dy":"hi","select":1}') WHERE question = 'Decision';
SELECT verdict.unguard('"Der ""Schrank"""."消 息''; DROP TABLE x --"', 'h', 'tried');
SELECT count(*) FROM verdict.guards;
-- names at and over the limit
SELECT verdict.create_hook(repeat('h', 63)) > 0 AS longest;
SELECT verdict.create_hook(repeat('h', 64));
SELECT verdict.create_hook(repeat('ш', 1000));
SELECT verdict.create_hook(E'tab\there');
CREATE TABLE msgs (id text, body text);
SELECT verdict.guard('msgs', 'h', key => repeat('k', 1000), content => '{"body":"body"}');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', name => repeat('n', 64));
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', on_denied => repeat('a', 1000));
SELECT verdict.approve('h', repeat('s', 10000), '{"body":"hi"}');
SELECT verdict.record('h', jsonb_build_object('id', repeat('s', 10000), 'body', 'x')::text, '{}');
SELECT verdict.approve('h', '', '{"body":"hi"}');

-- a temporary table named like ours decides nothing
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}');
GRANT INSERT ON msgs TO hostile_app;
SET ROLE hostile_app;
CREATE TEMP TABLE verdicts (id bigint, subject text);
CREATE TEMP TABLE guards (id int, relation_schema text, relation_name text);
CREATE TEMP TABLE hooks (id int, name text);
CREATE TEMP TABLE leaves (name text);
CREATE TEMP TABLE msgs (id text, body text);
SET search_path = pg_temp, verdict, public;
INSERT INTO public.msgs VALUES ('x', 'hi');
INSERT INTO public.msgs VALUES ('a', 'hi');
INSERT INTO msgs VALUES ('x', 'hi');
RESET ROLE;
RESET search_path;
DISCARD TEMP;

-- a search_path with functions, operators, types and tables of the attacker's
CREATE SCHEMA evil AUTHORIZATION hostile_app;
SET ROLE hostile_app;
CREATE FUNCTION evil.coalesce(text, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'evil ran'; END $$;
CREATE FUNCTION evil.eq(text, text) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'evil ran'; END $$;
CREATE FUNCTION evil.eq(int, int) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'evil ran'; END $$;
CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.eq);
CREATE OPERATOR evil.= (LEFTARG = int, RIGHTARG = int, FUNCTION = evil.eq);
CREATE FUNCTION evil.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'evil ran'; END $$;
CREATE FUNCTION evil.format(text, VARIADIC text[]) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'evil ran'; END $$;
CREATE DOMAIN evil.text AS pg_catalog.int4;
CREATE DOMAIN evil.regclass AS pg_catalog.int4;
CREATE TABLE evil.guards (id int);
CREATE TABLE evil.hooks (id int);
RESET ROLE;
SET search_path = evil, pg_catalog, public, verdict;
SELECT verdict.create_hook('h3', subject => '/id');
SELECT verdict.alter_hook('h3', valid_for => '2 days');
SELECT verdict.guard('public.msgs'::pg_catalog.regclass, 'h3', key => 'id', condition => 'NEW.body = ''x''');
SELECT verdict.alter_guard('public.msgs'::pg_catalog.regclass, 'h3', condition => 'NEW.body OPERATOR(pg_catalog.=) ''x''');
SELECT condition_columns FROM verdict.guards WHERE name OPERATOR(pg_catalog.=) 'msgs_h3';
SELECT verdict.alter_guard('public.msgs'::pg_catalog.regclass, 'h3', mode => 'observe');
SELECT outcome FROM verdict.deny('h3', 'a');
SELECT accepted FROM verdict.status('h3', 'a');
SELECT question, answer FROM verdict.explain('public.msgs'::pg_catalog.regclass, '{"id":"a","body":"hi"}') WHERE step OPERATOR(pg_catalog.=) 0;
SELECT verdict.grant_role('auditor', 'hostile_app'::pg_catalog.regrole);
SELECT verdict.revoke_role('auditor', 'hostile_app'::pg_catalog.regrole);
SELECT retired FROM verdict.retire();
INSERT INTO public.msgs VALUES ('a', 'hi');
INSERT INTO public.msgs VALUES ('a', 'changed');
SELECT verdict.unguard('public.msgs'::pg_catalog.regclass, 'h3', 'tried');
SELECT verdict.drop_hook('h3');
RESET search_path;

-- foreign tables, alone and as a partition
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing;
CREATE FOREIGN TABLE far (id text, body text) SERVER nowhere;
SELECT verdict.guard('far', 'h', key => 'id', content => '{"body":"body"}');
CREATE TABLE parts (id text, body text) PARTITION BY LIST (id);
CREATE FOREIGN TABLE parts_far PARTITION OF parts FOR VALUES IN ('f') SERVER nowhere;
SELECT verdict.guard('parts', 'h', key => 'id', content => '{"body":"body"}');
SELECT verdict.guard('parts_far', 'h', key => 'id', content => '{"body":"body"}');
SELECT count(*) FROM verdict.guards;
DROP SCHEMA evil CASCADE;
DROP OWNED BY hostile_app;
