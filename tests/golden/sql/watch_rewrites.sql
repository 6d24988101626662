-- code that runs while a guarded table is rewritten finds the table in the making under the name pg_temp_OID: nobody writes there
CREATE EXTENSION pg_verdict;
SET client_min_messages = warning;
CREATE ROLE wt_owner;
CREATE SCHEMA wt AUTHORIZATION wt_owner;
CREATE TABLE wt.msgs (id text, body text, n int);
CREATE TABLE wt.parts (id text, body text, n int) PARTITION BY RANGE (n);
CREATE TABLE wt.parts1 PARTITION OF wt.parts FOR VALUES FROM (0) TO (10);
CREATE TABLE wt.free (id text, body text, n int);
ALTER TABLE wt.msgs OWNER TO wt_owner;
ALTER TABLE wt.parts OWNER TO wt_owner;
ALTER TABLE wt.parts1 OWNER TO wt_owner;
ALTER TABLE wt.free OWNER TO wt_owner;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
SELECT verdict.guard('wt.msgs', 'h', key => 'id', content => '{"body":"body"}');
SELECT verdict.guard('wt.parts', 'h', key => 'id', content => '{"body":"body"}');
SELECT outcome FROM verdict.approve('h', 'good', '{"body":"hi"}');
INSERT INTO wt.msgs VALUES ('good', 'hi', 1), ('good', 'hi', 2);
INSERT INTO wt.parts VALUES ('good', 'hi', 1), ('good', 'hi', 2);
INSERT INTO wt.free VALUES ('good', 'hi', 1), ('good', 'hi', 2);

SET ROLE wt_owner;
-- writes into whatever is in the making, by each way to write
CREATE FUNCTION wt.write(how text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE made text;
BEGIN
    FOR made IN SELECT relname FROM pg_class WHERE relnamespace = 'wt'::regnamespace AND relrewrite <> 0 AND (relrewrite <> to_regclass('wt.view')) IS NOT FALSE LOOP
        EXECUTE format(how, made);
    END LOOP;
    RETURN 1;
END $$;
CREATE FUNCTION wt.quiet(how text, n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN wt.write(how) + n; END $$;
CREATE VIEW wt.statements AS SELECT * FROM (VALUES
    ($$INSERT INTO wt.%I (id, body) VALUES ('evil', 'x')$$),
    ($$UPDATE wt.%I SET body = 'evil'$$),
    ($$DELETE FROM wt.%I$$),
    ($$WITH w AS (INSERT INTO wt.%I (id, body) VALUES ('evil', 'x') RETURNING 1) SELECT * FROM w$$),
    ($$MERGE INTO wt.%I AS t USING (VALUES ('evil', 'x')) AS s (id, body) ON false WHEN NOT MATCHED THEN INSERT (id, body) VALUES (s.id, s.body)$$),
    ($$TRUNCATE wt.%I$$)) AS s (how);
CREATE VIEW wt.ways AS SELECT * FROM (VALUES
    ('ALTER TABLE wt.%1$I ADD COLUMN more int DEFAULT wt.write(%2$L)'),
    ('ALTER TABLE wt.%1$I ALTER n TYPE bigint USING wt.write(%2$L)'),
    ('ALTER TABLE wt.%1$I ADD COLUMN twice int GENERATED ALWAYS AS (wt.quiet(%2$L, n)) STORED'),
    ('ALTER TABLE wt.%1$I ALTER n TYPE bigint, ADD CHECK (wt.write(%2$L) > 0)')) AS w (way);
SELECT row_number() OVER () AS n, left(s.how, 30) AS how, left(w.way, 45) AS way, e.sqlstate, regexp_replace(e.message, '\d{4,}', 'OID', 'g') AS message
FROM wt.statements AS s CROSS JOIN wt.ways AS w CROSS JOIN LATERAL t.error(format(w.way, 'msgs', s.how)) AS e;
SELECT left(w.way, 45) AS way, e.sqlstate, regexp_replace(e.message, '\d{4,}', 'OID', 'g') AS message
FROM wt.statements AS s CROSS JOIN wt.ways AS w CROSS JOIN LATERAL t.error(format(w.way, 'parts', s.how)) AS e WHERE s.how ~ '^INSERT';
-- a partition alone
SELECT sqlstate, message FROM t.error($t$ALTER TABLE wt.parts1 SET UNLOGGED, ADD CHECK (wt.write($$INSERT INTO wt.%I (id, body) VALUES ('evil', 'x')$$) > 0)$t$);
-- as a partition of a table of one's own, which the rows would come through
CREATE TABLE wt.own (id text, body text, n bigint) PARTITION BY RANGE (n);
CREATE FUNCTION wt.through() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_inherits WHERE inhparent = 'wt.own'::regclass) THEN
        PERFORM wt.write('ALTER TABLE wt.own ATTACH PARTITION wt.%I DEFAULT');
    END IF;
    INSERT INTO wt.own VALUES ('evil', 'x', 1);
    RETURN 1;
END $$;
SELECT sqlstate, message FROM t.error('ALTER TABLE wt.msgs ALTER n TYPE bigint USING wt.through()');
CREATE MATERIALIZED VIEW wt.view AS SELECT wt.write('ALTER TABLE wt.own ATTACH PARTITION wt.%I DEFAULT') WITH NO DATA;
CREATE FUNCTION wt.through_view() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_inherits WHERE inhparent = 'wt.own'::regclass) THEN
        REFRESH MATERIALIZED VIEW wt.view;
    END IF;
    INSERT INTO wt.own VALUES ('evil', 'x', 1);
    RETURN 1;
END $$;
SELECT sqlstate, message FROM t.error('ALTER TABLE wt.msgs ALTER n TYPE bigint USING wt.through_view()');
SELECT sqlstate, message FROM t.error('ALTER TABLE wt.free ALTER n TYPE bigint USING wt.through()');
DROP TABLE wt.own;
-- a superuser's hand
RESET ROLE;
SELECT e.sqlstate FROM t.error($$ALTER TABLE wt.msgs ADD COLUMN more int DEFAULT wt.write('INSERT INTO wt.%I (id, body) VALUES (''evil'', ''x'')')$$) AS e;
SELECT e.sqlstate FROM t.error($$ALTER TABLE wt.msgs ADD COLUMN more int DEFAULT wt.write('COPY wt.%I (id) FROM PROGRAM ''echo evil''')$$) AS e;
-- CLUSTER, which fires no event trigger, in a session that has loaded the library
SET ROLE wt_owner;
CREATE FUNCTION wt.sort(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN RETURN wt.write('INSERT INTO wt.%I (id, body) VALUES (''evil'', ''x'')') + n; END $$;
CREATE INDEX msgs_sort ON wt.msgs (wt.sort(n));
SET enable_seqscan = off;
SELECT sqlstate FROM t.error('CLUSTER wt.msgs USING msgs_sort');
SET enable_seqscan = on;
SET enable_indexscan = off;
SELECT sqlstate FROM t.error('CLUSTER wt.msgs USING msgs_sort');
RESET enable_indexscan;
DROP INDEX wt.msgs_sort;
SELECT * FROM wt.msgs;
SELECT * FROM wt.parts;

-- honest use
CREATE FUNCTION wt.double(n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT n * 2';
CREATE TABLE wt.log (what text);
CREATE FUNCTION wt.note(n bigint) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN INSERT INTO wt.log VALUES ('a row'); RETURN n; END $$;
ALTER TABLE wt.msgs ADD COLUMN a int DEFAULT 1;
ALTER TABLE wt.msgs ADD COLUMN b bigint DEFAULT wt.note(1);
ALTER TABLE wt.msgs ALTER n TYPE bigint USING wt.note(n);
ALTER TABLE wt.msgs ADD COLUMN c bigint GENERATED ALWAYS AS (wt.double(n)) STORED;
ALTER TABLE wt.msgs ADD CHECK (wt.note(n) > 0);
CREATE INDEX msgs_double ON wt.msgs (wt.double(n));
CLUSTER wt.msgs USING msgs_double;
VACUUM FULL wt.msgs;
REINDEX TABLE wt.msgs;
ALTER TABLE wt.parts ALTER body SET STORAGE EXTERNAL, ADD COLUMN b bigint DEFAULT wt.note(1);
SELECT count(*) FROM wt.log;
SELECT * FROM wt.msgs ORDER BY n;
INSERT INTO wt.msgs VALUES ('evil', 'x', 5);
INSERT INTO wt.msgs VALUES ('good', 'hi', 5);
-- tables that nobody guards are none of our business
ALTER TABLE wt.free ADD COLUMN more int DEFAULT wt.write($$INSERT INTO wt.%I (id, body) VALUES ('mine', 'x')$$);
RESET ROLE;
SELECT part, state, differs FROM verdict.coverage() WHERE guard IS NOT NULL AND part IS NOT NULL ORDER BY part;
SELECT done, detail FROM verdict.incidents;
