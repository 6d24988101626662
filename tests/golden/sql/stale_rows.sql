-- a row that was made before its table was changed, in the same statement
CREATE EXTENSION pg_verdict;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
CREATE FUNCTION alters(text) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('ht.armed', true) = 'yes' THEN
    PERFORM set_config('ht.armed', 'no', false);
    ALTER TABLE public.traps ALTER COLUMN n TYPE text USING 'a text that is long enough for a header of four bytes ' || repeat('x', 200);
  END IF;
  RETURN true;
END $$;
CREATE DOMAIN trap AS text CHECK (public.alters(VALUE));
CREATE TABLE traps (n int, m int, id text, body text, trap trap);
SELECT verdict.guard('traps', 'h', key => 'id', content => '{"body":"body"}');
SELECT answer FROM verdict.explain(jsonb_populate_record(NULL::traps, '{"n":2147483647,"m":1,"id":"t","body":"x","trap":"x"}')) WHERE question = 'Decision';
SET ht.armed = 'yes';
SELECT answer FROM verdict.explain(jsonb_populate_record(NULL::traps, '{"n":2147483647,"m":1,"id":"t","body":"x","trap":"x"}')) WHERE question = 'Decision';
SHOW ht.armed;
-- honest ones: of an older shape of the table, of a partition, toasted, with NULLs, of a domain, made by hand
CREATE TABLE old (id text, body text);
SELECT verdict.guard('old', 'h', key => 'id', content => '{"body":"body"}');
SELECT outcome FROM verdict.approve('h', 'a', '{"body":"x"}');
INSERT INTO old VALUES ('a', 'x');
ALTER TABLE old ADD COLUMN c "char" DEFAULT 'c', ADD COLUMN t text DEFAULT 'later', ADD COLUMN b bool, ADD COLUMN u uuid, ADD COLUMN n name;
ALTER TABLE old DROP COLUMN b;
SELECT answer FROM old AS m, verdict.explain(m) AS e WHERE question = 'Decision';
UPDATE old SET t = (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 1000) AS i);
SELECT answer FROM old AS m, verdict.explain(m) AS e WHERE question = 'Decision';
SELECT answer FROM verdict.explain(ROW('a', 'x', 'c', NULL, NULL, 'n')::old) AS e WHERE question = 'Decision';
SELECT answer FROM verdict.explain((NULL, NULL, NULL, NULL, NULL, NULL)::old) AS e WHERE question = 'Decision';
SELECT answer FROM (SELECT m FROM old AS m OFFSET 0) AS s, verdict.explain(s.m) AS e WHERE question = 'Decision';
CREATE DOMAIN olds AS old CHECK ((VALUE).id IS NOT NULL);
SELECT answer FROM old AS m, verdict.explain(m::olds) AS e WHERE question = 'Decision';
CREATE TABLE parts (gone int, id text, body text, k int) PARTITION BY LIST (k);
ALTER TABLE parts DROP COLUMN gone;
CREATE TABLE p1 (k int, extra text, body text, id text);
ALTER TABLE p1 DROP COLUMN extra;
SELECT verdict.guard('parts', 'h', key => 'id', content => '{"body":"body"}', condition => 'NEW.k = 1');
ALTER TABLE parts ATTACH PARTITION p1 FOR VALUES IN (1);
INSERT INTO parts VALUES ('a', 'x', 1);
SELECT answer FROM parts AS m, verdict.explain(m) AS e WHERE question = 'Decision';
SELECT answer FROM p1 AS m, verdict.explain(m) AS e WHERE question = 'Decision';
SELECT answer FROM verdict.explain('p1', '{"id":"a","body":"x","k":1}') AS e WHERE question = 'Decision';
DO $$ DECLARE r parts; found text; BEGIN
  r.id := 'a'; r.body := 'y'; r.k := 1;
  SELECT answer INTO found FROM verdict.explain(r) WHERE question = 'Decision';
  RAISE NOTICE '%', found;
END $$;
CREATE TABLE wide (a int2, b "char", c bool, d int8, e text, f name, g uuid, h jsonb, i numeric, j float4, k text[], l interval, m bytea, n inet, o date,
    p text, q bpchar(5), r int4range, s bit(3), t timestamptz, id text, body text);
SELECT verdict.guard('wide', 'h', key => 'id', content => '{"body":"body"}');
SELECT answer FROM verdict.explain(ROW(1, 'c', true, 3, 'e', 'f', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a":1}', 1.5, 0.1, '{a,NULL}', '1 day', '\x00', '10.0.0.1',
    '2026-01-01', 'p', 'q', '[1,2)', B'101', '2026-01-01', 'a', 'x')::wide) WHERE question = 'Decision';
SELECT answer FROM verdict.explain(ROW(NULL, 'c', true, NULL, 'e', NULL, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a":1}', NULL, 0.1, '{a,NULL}', NULL, '\x00', NULL,
    '2026-01-01', repeat('p', 5000), 'q', NULL, B'101', '2026-01-01', 'a', 'x')::wide) WHERE question = 'Decision';
