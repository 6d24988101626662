-- What flag, quarantine and discard cannot be asked for, and what comes and goes with them.
CREATE EXTENSION pg_verdict;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
SELECT verdict.create_hook('h2', subject => '/id', fields => '{"body":"/body"}');
CREATE TYPE colour AS ENUM ('red', 'blue');
CREATE DOMAIN small AS int CHECK (VALUE < 10);
CREATE DOMAIN code AS varchar(2) CHECK (VALUE <> 'xx');
CREATE TABLE msgs (id text PRIMARY KEY, body text, kind int, status int, short varchar(2), padded char(3), colour colour, small small, code code,
  yes bool, big bigint, uid uuid, j json, jb jsonb, amount numeric, raw bytea, at timestamptz, list int[], "Flag ""it""" int,
  made int GENERATED ALWAYS AS (kind + 1) STORED, counted int GENERATED ALWAYS AS IDENTITY, strict int NOT NULL DEFAULT 0);
CREATE FUNCTION try(column_name text, value text) RETURNS TABLE (sqlstate text, message text, hint text) LANGUAGE sql AS $$
  SELECT sqlstate, message, hint FROM t.error(format(
    'SELECT verdict.guard(''msgs'', ''h'', key => ''id'', content => ''{"body":"body"}'', condition => ''NEW.kind = 1'',
       on_missing => ''flag'', flag_column => %L, flag_value => %L)', column_name, value)) $$;
\x on
-- columns
SELECT * FROM try('nothing', '1');
SELECT * FROM try('', '1');
SELECT * FROM try('ctid', '1');
SELECT * FROM try(NULL, '1');
SELECT * FROM try('made', '1');
SELECT * FROM try('id', '1');
SELECT * FROM try('body', '1');
SELECT * FROM try('kind', '1');
SELECT * FROM try('j', '1');
SELECT * FROM try('jb', '1');
SELECT * FROM try('amount', '1');
SELECT * FROM try('raw', '\x01');
SELECT * FROM try('raw:hex', '01');
SELECT * FROM try('at', '2026-01-01');
SELECT * FROM try('list', '{1}');
-- values
SELECT * FROM try('status', NULL);
SELECT * FROM try('status', '');
SELECT * FROM try('status', 'nine');
SELECT * FROM try('status', '99999999999');
SELECT * FROM try('short', 'abc');
SELECT * FROM try('padded', 'abcd');
SELECT * FROM try('colour', 'green');
SELECT * FROM try('small', '10');
SELECT * FROM try('code', 'xx');
SELECT * FROM try('code', 'abc');
SELECT * FROM try('yes', 'maybe');
SELECT * FROM try('uid', '1');
\x off
SELECT count(*) AS guards FROM verdict.guards;
SELECT count(*) AS triggers FROM pg_trigger WHERE tgrelid = 'msgs'::regclass AND NOT tgisinternal;

-- what can be a flag: set, seen to be set, and seen to be taken off, in whatever spelling the value was given
CREATE TABLE flags (id text, body text, status int, short varchar(2), padded char(3), colour colour, small small, code code,
  yes bool, big bigint, uid uuid, name name, "Flag ""it""" int);
SELECT verdict.guard('flags', 'h', key => 'id', content => '{"body":"body"}', on_missing => 'flag', flag_column => 'status', flag_value => ' 9 ');
CREATE PROCEDURE each() LANGUAGE plpgsql AS $$
DECLARE f record; v text;
BEGIN
  FOR f IN SELECT * FROM (VALUES ('status', ' 9 '), ('short', 'ab'), ('padded', 'a'), ('colour', 'blue'), ('small', '9'), ('code', 'ab'),
      ('yes', 'yes'), ('yes', 'off'), ('big', '-1'), ('uid', '{A0EEBC999C0B4EF8BB6D6BB9BD380A11}'), ('name', 'x'), ('Flag "it"', '1')) AS f (c, value) LOOP
    PERFORM verdict.alter_guard('flags', 'h', flag_column => f.c, flag_value => f.value);
    INSERT INTO flags (id) VALUES ('mi');
    EXECUTE format('UPDATE flags SET %I = NULL', f.c);
    EXECUTE format('SELECT %I::text FROM flags', f.c) INTO v;
    RAISE NOTICE '% given as "%" is "%"', f.c, f.value, v;
    DELETE FROM flags;
  END LOOP;
END $$;
CALL each();
SELECT flag_column, flag_value FROM verdict.guards;
SELECT verdict.unguard('flags', 'h', 'done');

-- generated columns have no value yet when these actions are taken
SELECT verdict.guard('msgs', 'h', key => 'made', on_missing => 'flag', flag_column => 'status', flag_value => '9');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"made"}', on_denied => 'quarantine');
SELECT verdict.guard('msgs', 'h', key => 'id', condition => 'NEW.made = 1', on_failed => 'discard');
SELECT verdict.guard('msgs', 'h', key => 'id', condition => 'NEW.made = 1', on_failed => 'flag');
SELECT verdict.alter_guard('msgs', 'h', on_missing => 'quarantine');
SELECT verdict.alter_guard('msgs', 'h', flag_column => 'status', flag_value => '9');
SELECT verdict.alter_guard('msgs', 'h', on_missing => 'quarantine', condition => '');
SELECT verdict.alter_guard('msgs', 'h', condition => 'NEW.made = 1');
SELECT verdict.unguard('msgs', 'h', 'done');

-- altered into soft actions and out of them: the BEFORE triggers come and go
CREATE VIEW triggers AS SELECT tgname, tgenabled, pg_get_triggerdef(oid) ~ 'BEFORE' AS before, pg_get_triggerdef(oid) ~ 'WHEN' AS condition,
  (SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute WHERE attrelid = tgrelid AND attnum = ANY (tgattr)) AS of
  FROM pg_trigger WHERE tgrelid = 'msgs'::regclass AND NOT tgisinternal ORDER BY tgname;
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', condition => 'NEW.kind = 1');
TABLE triggers;
SELECT verdict.alter_guard('msgs', 'h', on_missing => 'quarantine');
TABLE triggers;
SELECT verdict.alter_guard('msgs', 'h', on_missing => 'flag');
TABLE triggers;
SELECT verdict.alter_guard('msgs', 'h', flag_column => 'status', flag_value => '9');
TABLE triggers;
-- PostgreSQL keeps the flag column, too
ALTER TABLE msgs DROP COLUMN status;
ALTER TABLE msgs ALTER COLUMN status TYPE bigint;
SELECT verdict.alter_guard('msgs', 'h', flag_column => 'small');
ALTER TABLE msgs DROP COLUMN status;
TABLE triggers;
SELECT verdict.alter_guard('msgs', 'h', flag_column => '');
TABLE triggers;
SELECT flag_column, flag_value FROM verdict.guards;
SELECT verdict.alter_guard('msgs', 'h', flag_value => '9');
SELECT verdict.alter_guard('msgs', 'h', flag_column => 'small');
SELECT verdict.alter_guard('msgs', 'h', on_missing => 'reject', flag_column => 'small', flag_value => '1');
TABLE triggers;
SELECT verdict.alter_guard('msgs', 'h', condition => '', on_denied => 'discard');
TABLE triggers;
SELECT verdict.alter_guard('msgs', 'h', content => '{"body":"small"}');
SELECT verdict.unguard('msgs', 'h', 'done');
TABLE triggers;

-- two guards that share a flag column share its value
SELECT verdict.guard('msgs', 'h', key => 'id', on_missing => 'flag', flag_column => 'small', flag_value => '9', name => 'first');
SELECT verdict.guard('msgs', 'h2', key => 'id', on_missing => 'flag', flag_column => 'small', flag_value => '8');
SELECT verdict.guard('msgs', 'h2', key => 'id', on_missing => 'flag', flag_column => 'small', flag_value => ' 9');
SELECT verdict.alter_guard('msgs', 'h2', flag_value => '8');
SELECT verdict.alter_guard('msgs', 'h2', flag_column => 'big', flag_value => '8');
SELECT verdict.unguard('msgs', 'h', 'done'), verdict.unguard('msgs', 'h2', 'done');

-- the partition key cannot be set while a row is being stored, in the table or in a partition
CREATE TABLE parts (id text, body text, day int, part int, status int) PARTITION BY LIST (day);
CREATE TABLE parts1 PARTITION OF parts FOR VALUES IN (1) PARTITION BY RANGE (part);
CREATE TABLE parts2 PARTITION OF parts FOR VALUES IN (2) PARTITION BY LIST ((status % 2));
SELECT verdict.guard('parts', 'h', key => 'id', on_missing => 'flag', flag_column => 'day', flag_value => '9');
SELECT verdict.guard('parts', 'h', key => 'id', on_missing => 'flag', flag_column => 'part', flag_value => '9');
SELECT verdict.guard('parts', 'h', key => 'id', on_missing => 'flag', flag_column => 'status', flag_value => '9');

-- rows of other tables that need a row which is left out
CREATE TABLE children (msg text REFERENCES msgs, other text REFERENCES msgs (id));
SELECT verdict.guard('msgs', 'h', key => 'id', on_missing => 'quarantine');
INSERT INTO msgs (id) VALUES ('mi');
INSERT INTO children VALUES ('mi');
SELECT verdict.alter_guard('msgs', 'h', on_missing => 'flag');
SELECT verdict.alter_guard('msgs', 'h', on_missing => 'discard');
SELECT verdict.unguard('msgs', 'h', 'done');
-- words
SELECT verdict.guard('msgs', 'h', key => 'id', legacy => 'ignore');
SELECT verdict.guard('msgs', 'h', key => 'id', legacy => NULL);
SELECT verdict.guard('msgs', 'h', key => 'id', replica_role => 'master');
SELECT verdict.guard('msgs', 'h', key => 'id', replica_role => NULL);
SELECT verdict.guard('msgs', 'h', key => 'id', redact => '{body,nothing}');
SELECT verdict.guard('msgs', 'h', key => 'id', redact => '{NULL}');
SELECT verdict.guard('msgs', 'h', key => 'id', redact => '{}');
SELECT verdict.alter_guard('msgs', 'h', legacy => 'ignore');
SELECT verdict.alter_guard('msgs', 'h', replica_role => 'master');
SELECT verdict.alter_guard('msgs', 'h', redact => '{nothing}');
SELECT legacy, replica_role, redact FROM verdict.guards;
SELECT verdict.alter_guard('msgs', 'h', legacy => 'allow', replica_role => 'apply', redact => '{body,"Flag \"it\""}');
SELECT legacy, replica_role, redact FROM verdict.guards;
SELECT verdict.alter_guard('msgs', 'h', mode => 'observe');
SELECT legacy, replica_role, redact FROM verdict.guards;
SELECT verdict.alter_guard('msgs', 'h', redact => '{}');
SELECT legacy, replica_role, redact FROM verdict.guards;
