-- what a condition means cannot be changed from outside, and nobody's code runs when it is read
CREATE EXTENSION pg_verdict;
CREATE ROLE co_owner;
CREATE ROLE co_admin;
CREATE ROLE co_app;
GRANT CREATE ON SCHEMA public TO co_owner;
SELECT verdict.grant_role('admin', 'co_admin');
GRANT co_owner TO co_admin;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
SET ROLE co_owner;
CREATE FUNCTION tells() RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'code of co_owner runs as %', current_user; RETURN true; END $$;
CREATE DOMAIN dom AS text CHECK (public.tells());
CREATE TYPE pair AS (a dom, b int);
CREATE TYPE kind AS ENUM ('chat', 'system');
CREATE COLLATION mine (provider = libc, locale = 'C');
CREATE TABLE msgs (id text, body text, kind kind, pair pair, doms dom[], word dom, raw bytea, real float4, float float8,
    long interval, at timestamptz, local timestamp, name text, loose text COLLATE mine, doc jsonb, room int, tags text[]);
RESET ROLE;
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}');
CREATE FUNCTION ask(condition text) RETURNS TABLE (message text, hint text) LANGUAGE sql AS
$$ SELECT regexp_replace(e.message, '^argument "condition": ', ''), e.hint
   FROM t.error(format('SELECT verdict.alter_guard(''msgs'', ''h'', condition => %L)', condition)) AS e $$;

-- a literal of a type whose input is its owner's code
SELECT message FROM ask($$NEW.pair = '(x,1)'$$);
SELECT message FROM ask($$'(x,1)' = NEW.pair$$);
SELECT message FROM ask($$NEW.pair IN ('(x,1)')$$);
SELECT message FROM ask($$NEW.doms = '{x}'$$);
SELECT message FROM ask($$'x' = ANY (NEW.doms)$$);
SELECT message FROM ask($$NEW.room = 1 OR '(x,1)'::pair IS NOT NULL$$);
SELECT message FROM ask($$NEW.room = 1 OR '(x,1)'::public.pair IS NOT NULL$$);
SELECT message FROM ask($$NEW.room = 1 OR CAST('{x}' AS public.dom[]) IS NOT NULL$$);
SELECT message FROM ask($$NEW.word::public.dom = 'x'$$);
SELECT message FROM ask($$NEW = '(a,b)'$$);
SELECT message FROM ask($$msgs = '(a,b)'$$);
SELECT message FROM ask($$NEW.* = '(a,b)'$$);
SELECT message FROM ask($$(NEW.pair).b = 1$$);
SELECT message FROM ask($$NEW.room OPERATOR(public.=) 1$$);
SELECT message FROM ask($$public.tells()$$);
SELECT message FROM ask($$NEW.body = ANY (SELECT 'x')$$);
-- as a condition that was stored before: nothing runs, and nothing is put on the table
UPDATE verdict.guards SET condition = $$NEW.pair = '(x,1)'$$, condition_columns = '["pair"]';
SELECT verdict.alter_guard('msgs', 'h', on_missing => 'quarantine');
SELECT * FROM verdict.repair('msgs');
SELECT state, differs, mend FROM verdict.coverage() WHERE guard = 'msgs_h' AND part IS NULL;
UPDATE verdict.guards SET condition = NULL, condition_columns = '[]';
-- a temporary type in the session of whoever asks
CREATE TEMP TABLE text (i int);
SELECT verdict.alter_guard('msgs', 'h', condition => $$NEW.body = 'x'::text$$);
SELECT when_clause FROM verdict.guards;
SELECT state, differs FROM verdict.coverage() WHERE part IS NOT NULL;
DROP TABLE pg_temp.text;

-- functions that PostgreSQL calls immutable, and that obey settings or what somebody can change
SELECT * FROM ask($$NEW.raw::text = '\x00'$$);
SELECT * FROM ask($$NEW.real::text = '0.1'$$);
SELECT * FROM ask($$NEW.float::text = '0.1'$$);
SELECT * FROM ask($$NEW.long::text = '1 day'$$);
SELECT * FROM ask($$quote_ident(NEW.name) = NEW.name$$);
SELECT * FROM ask($$NEW.at AT TIME ZONE 'IST' > '2026-01-01'$$);
SELECT * FROM ask($$convert_from(NEW.raw, 'UTF8') = 'x'$$);
SELECT * FROM ask($$to_tsvector('public.mine'::regconfig, NEW.body) @@ 'x'::tsquery$$);
SELECT * FROM ask($$to_tsvector('english'::regconfig, NEW.body) @@ 'x'::tsquery$$);
SELECT * FROM ask($$to_tsvector('english', NEW.body) @@ to_tsquery('english', 'x')$$);
SELECT * FROM ask($$NEW.room = 'msgs'::regclass::oid::int$$);
SELECT * FROM ask($$NEW.loose = 'x'$$);
SELECT * FROM ask($$NEW.loose COLLATE mine = 'x'$$);
SELECT * FROM ask($$NEW.loose COLLATE public.mine = 'x'$$);
SELECT * FROM ask($$NEW.doc @@ '$.a == 1'$$);
-- beside them what one writes
SELECT * FROM ask($$encode(NEW.raw, 'hex') = '00'$$);
SELECT * FROM ask($$NEW.float > 0.1 AND NEW.real < 1.5 AND NEW.long > '1 day'$$);
SELECT * FROM ask($$NEW.at AT TIME ZONE INTERVAL '+02:00' > '2026-01-01'$$);
SELECT * FROM ask($$NEW.loose COLLATE "C" = 'x'$$);
SELECT * FROM ask($$NEW.kind = 'chat'$$);
SELECT * FROM ask($$NEW.kind IN ('chat'::public.kind, 'system') AND NEW.kind IS DISTINCT FROM 'chat'::public.kind$$);
SELECT * FROM ask($$NEW.word = 'x' AND coalesce(NEW.word, 'y') <> 'y'$$);
SELECT * FROM ask($$NEW.pair IS NOT NULL OR NEW.doms IS NULL$$);
SELECT * FROM ask($$NEW.doc ->> 'kind' = 'chat' AND NEW.doc ? 'id' AND (NEW.doc -> 'n')::int > 3 AND NEW.doc['kind'] = '"chat"'$$);
SELECT * FROM ask($$NEW.room IN (1, 2, 3) AND NEW.room BETWEEN 1 AND 9 AND NEW.room % 2 = 1 AND (NEW.room, NEW.body) <> (1, 'x')$$);
SELECT * FROM ask($$lower(NEW.body) LIKE 'a%' AND NEW.body ~* '^x' AND left(NEW.body, 3) || NEW.id > 'a' AND NEW.body SIMILAR TO 'x%'$$);
SELECT * FROM ask($$'x' = ANY (NEW.tags) AND NEW.tags @> ARRAY['y'] AND cardinality(NEW.tags) > 1 AND NEW.tags[1] = 'x'$$);
SELECT * FROM ask($$CASE WHEN NEW.room > 1 THEN NEW.body = 'x' ELSE greatest(NEW.room, 3) = 3 END AND nullif(NEW.body, '') IS NOT NULL$$);
SELECT * FROM ask($$extract(year FROM NEW.local) > 2020 AND NEW.local + INTERVAL '1 day' > '2026-01-01' AND NEW.at > '2026-01-01 00:00+00'$$);
SELECT * FROM ask($$NEW.room::text = '1' AND NEW.room::numeric(5,1) > 1 AND NEW.body::varchar(3) = 'abc' AND (NEW.room = 1) IS TRUE$$);

-- too long and too deep: an error, and the server lives
SET ROLE co_admin;
SELECT verdict.alter_guard('msgs', 'h', condition => string_agg('NEW.room = ' || i, ' OR ')) FROM generate_series(1, 3000) AS i;
SELECT message FROM ask(repeat('NOT ', 2000) || 'NEW.room = 1');
SELECT message FROM ask('NEW.room = 1' || repeat(' + 1', 2000));
SELECT message FROM ask(repeat('(', 4000) || 'NEW.room = 1' || repeat(')', 4000));
SELECT message FROM ask(repeat('abs(', 1600) || 'NEW.room' || repeat(')', 1600) || '= 1');
SELECT message FROM ask((SELECT string_agg('NEW.room = ' || i, ' OR ') FROM generate_series(1, 400) AS i));
RESET ROLE;
SET max_stack_depth = '100kB';
SELECT sqlstate FROM t.error(format($$SELECT verdict.alter_guard('msgs', 'h', condition => %L)$$, repeat('abs(', 1600) || 'NEW.room' || repeat(')', 1600) || '= 1'));
RESET max_stack_depth;

-- generated columns that are guarded
SET ROLE co_owner;
CREATE FUNCTION clean(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE TABLE made (id text, raw text, bin bytea, body text GENERATED ALWAYS AS (clean(raw)) STORED,
    low text GENERATED ALWAYS AS (lower(raw)) STORED, hex text GENERATED ALWAYS AS (bin::text) STORED);
CREATE TABLE parts (id text, raw text, k int, body text GENERATED ALWAYS AS (lower(raw)) STORED) PARTITION BY LIST (k);
CREATE TABLE p1 PARTITION OF parts FOR VALUES IN (1);
RESET ROLE;
SELECT verdict.guard('made', 'h', key => 'id', content => '{"body":"body"}');
SELECT verdict.guard('made', 'h', key => 'id', content => '{"body":"hex"}');
SELECT verdict.guard('made', 'h', key => 'body', content => '{"body":"low"}');
SELECT verdict.guard('made', 'h', key => 'id', content => '{"body":"low"}', condition => 'NEW.body <> ''x''');
SELECT verdict.guard('made', 'h', key => 'id', content => '{"body":"low"}');
SELECT verdict.alter_guard('made', 'h', content => '{"body":"hex"}');
SELECT verdict.guard('parts', 'h', key => 'id', content => '{"body":"body"}');
-- one that was put on before
UPDATE verdict.guards SET content = '{"body":"body"}' WHERE name = 'made_h';
SELECT differs, mend FROM verdict.coverage() WHERE guard = 'made_h' AND state = 'risk';
