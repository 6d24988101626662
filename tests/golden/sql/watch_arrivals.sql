-- rows that are in a partition before the guard's triggers are: written while it was made, or by a statement that goes on
CREATE EXTENSION pg_verdict;
SET client_min_messages = warning;
CREATE ROLE wa_owner;
CREATE SCHEMA wa AUTHORIZATION wa_owner;
CREATE TABLE wa.msgs (id text, body text, day int) PARTITION BY RANGE (day);
ALTER TABLE wa.msgs OWNER TO wa_owner;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
SELECT verdict.guard('wa.msgs', 'h', key => 'id', content => '{"body":"body"}');
SELECT outcome FROM verdict.approve('h', 'good', '{"body":"hi"}');

SET ROLE wa_owner;
-- honest use
CREATE TABLE wa.msgs1 PARTITION OF wa.msgs FOR VALUES FROM (0) TO (10);
CREATE TABLE wa.msgs2 (id text, body text, day int);
ALTER TABLE wa.msgs ATTACH PARTITION wa.msgs2 FOR VALUES FROM (10) TO (20);
BEGIN;
CREATE TABLE wa.msgs3 PARTITION OF wa.msgs FOR VALUES FROM (20) TO (30);
INSERT INTO wa.msgs VALUES ('good', 'hi', 25);
CREATE INDEX ON wa.msgs3 (id);
CREATE TABLE wa.msgs4 PARTITION OF wa.msgs FOR VALUES FROM (30) TO (40);
COMMENT ON TABLE wa.msgs3 IS 'third';
COMMIT;
CREATE TABLE wa.sub PARTITION OF wa.msgs FOR VALUES FROM (40) TO (60) PARTITION BY RANGE (day);
CREATE TABLE wa.sub1 PARTITION OF wa.sub FOR VALUES FROM (40) TO (50);
CREATE TABLE wa.late (id text, body text, day int);
DO $$ BEGIN
    ALTER TABLE wa.sub ATTACH PARTITION wa.late FOR VALUES FROM (50) TO (60);
    ALTER TABLE wa.sub DETACH PARTITION wa.late;
    ALTER TABLE wa.sub ATTACH PARTITION wa.late FOR VALUES FROM (50) TO (60);
    ALTER TABLE wa.sub DETACH PARTITION wa.late;
END $$;

-- code in the bound
CREATE FUNCTION wa.bound(partition text, bound int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO wa.%I VALUES (''evil'', ''x'', %s)', partition, bound);
    RETURN bound;
END $$;
CREATE TABLE wa.msgs7 PARTITION OF wa.msgs FOR VALUES FROM (wa.bound('msgs7', 70)) TO (80);
CREATE TABLE wa.sub2 PARTITION OF wa.sub FOR VALUES FROM (wa.bound('sub2', 50)) TO (60);
DO $$ BEGIN CREATE TABLE wa.msgs7 PARTITION OF wa.msgs FOR VALUES FROM (wa.bound('msgs7', 70)) TO (80); END $$;
RESET ROLE;
CREATE TABLE wa.msgs7 PARTITION OF wa.msgs FOR VALUES FROM (wa.bound('msgs7', 70)) TO (80);
CREATE SCHEMA wa3 CREATE TABLE msgs7 (id text, body text, day int);
DROP SCHEMA wa3 CASCADE;
SET ROLE wa_owner;
-- the same where PostgreSQL tells of no command
CREATE FUNCTION wa.make() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    CREATE TABLE wa.msgs7 PARTITION OF wa.msgs FOR VALUES FROM (wa.bound('msgs7', 70)) TO (80);
    RETURN 1;
END $$;
CREATE MATERIALIZED VIEW wa.view AS SELECT wa.make() WITH NO DATA;
REFRESH MATERIALIZED VIEW wa.view;

-- code in an index of the table above, which PostgreSQL reads again for each new partition: it runs after the partition is one,
-- and before the guard's triggers are there
CREATE FUNCTION wa.write() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    IF to_regclass('wa.msgs7') IS NOT NULL THEN
        INSERT INTO wa.msgs7 VALUES ('evil', 'x', 75);
    END IF;
    RETURN 1;
END $$;
CREATE FUNCTION wa.in_index(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN wa.write(); END $$;
CREATE INDEX tricky ON wa.msgs ((day + wa.in_index(1)));
CREATE TABLE wa.msgs7 PARTITION OF wa.msgs FOR VALUES FROM (70) TO (80);
RESET ROLE;
-- also when a superuser makes it
CREATE TABLE wa.msgs7 PARTITION OF wa.msgs FOR VALUES FROM (70) TO (80);
SET ROLE wa_owner;
-- a statement inside, which also ends before the triggers are there, does not pass it for empty
CREATE OR REPLACE FUNCTION wa.write() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    IF to_regclass('wa.msgs7') IS NOT NULL THEN
        BEGIN
            COMMENT ON TABLE wa.msgs7 IS 'empty yet';
            CREATE STATISTICS IF NOT EXISTS wa.s ON id, body FROM wa.msgs7;
            CREATE TRIGGER innocent BEFORE INSERT ON wa.msgs7 FOR EACH ROW EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger();
            DROP TRIGGER innocent ON wa.msgs7;
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
        INSERT INTO wa.msgs7 VALUES ('evil', 'x', 75);
    END IF;
    RETURN 1;
END $$;
CREATE TABLE wa.msgs7 PARTITION OF wa.msgs FOR VALUES FROM (70) TO (80);
RESET ROLE;
CREATE TABLE wa.msgs7 PARTITION OF wa.msgs FOR VALUES FROM (70) TO (80);
SET ROLE wa_owner;
DROP INDEX wa.tricky;

-- a statement that writes on after the table has been attached
CREATE TABLE wa.msgs8 (id text, body text, day int);
CREATE FUNCTION wa.attach() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    ALTER TABLE wa.msgs ATTACH PARTITION wa.msgs8 FOR VALUES FROM (80) TO (90);
    RETURN 'evil';
END $$;
INSERT INTO wa.msgs8 SELECT wa.attach(), 'x', 85;
INSERT INTO wa.msgs8 VALUES (wa.attach(), 'x', 85);
WITH w AS (INSERT INTO wa.msgs8 VALUES (wa.attach(), 'x', 85) RETURNING id) SELECT * FROM w;
UPDATE wa.msgs8 SET id = wa.attach();
ALTER TABLE wa.msgs8 ALTER id SET DEFAULT wa.attach();
COPY wa.msgs8 (body, day) FROM stdin;
x	85
\.
RESET ROLE;
INSERT INTO wa.msgs8 (body, day) VALUES ('x', 85);
SET ROLE wa_owner;
ALTER TABLE wa.msgs8 ALTER id DROP DEFAULT;
-- at any depth
CREATE TABLE wa.sub9 (id text, body text, day int) PARTITION BY RANGE (day);
CREATE TABLE wa.msgs9 PARTITION OF wa.sub9 FOR VALUES FROM (90) TO (95);
CREATE FUNCTION wa.attach_sub() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    ALTER TABLE wa.msgs ATTACH PARTITION wa.sub9 FOR VALUES FROM (90) TO (100);
    RETURN 'evil';
END $$;
INSERT INTO wa.msgs9 SELECT wa.attach_sub(), 'x', 91;
INSERT INTO wa.sub9 SELECT wa.attach_sub(), 'x', 91;
-- an UPDATE finds no row and runs nothing; on its own it is attached
UPDATE wa.msgs8 SET id = wa.attach();
SELECT wa.attach();
SELECT wa.attach_sub();
-- tables that nobody guards are none of our business
CREATE TABLE wa.free (id text, body text, day int) PARTITION BY RANGE (day);
CREATE TABLE wa.free1 PARTITION OF wa.free FOR VALUES FROM (wa.bound('free1', 70)) TO (80);
CREATE TABLE wa.free2 (id text, body text, day int);
CREATE FUNCTION wa.attach_free() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    ALTER TABLE wa.free ATTACH PARTITION wa.free2 FOR VALUES FROM (80) TO (90);
    RETURN 'evil';
END $$;
INSERT INTO wa.free2 SELECT wa.attach_free(), 'x', 85;
SELECT count(*) FROM wa.free;

RESET ROLE;
SELECT * FROM wa.msgs;
SELECT part, state, differs FROM verdict.coverage() WHERE guard IS NOT NULL AND part IS NOT NULL ORDER BY part;
SELECT done, detail FROM verdict.incidents;
