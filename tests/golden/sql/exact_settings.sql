-- what the session's settings are changes neither an approval's time, nor a row that comes back, nor a name in a message
CREATE EXTENSION pg_verdict;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
CREATE TABLE msgs (id text, body text, tags text[], at timestamptz, long interval, float float8, raw bytea);
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', on_missing => 'quarantine');
CREATE FUNCTION hours(zone text, days int) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE found numeric;
BEGIN
  PERFORM set_config('timezone', zone, true);
  PERFORM verdict.approve('h', zone || days, '{"body":"x"}', make_interval(days => days));
  SELECT extract(epoch FROM expires_at - recorded_at) / 3600 INTO found FROM verdict.verdicts WHERE subject = zone || days;
  RETURN round(found, 6);
END $$;
SELECT z.zone, d.days, hours(z.zone, d.days)
FROM unnest(ARRAY['UTC', 'America/New_York', 'Australia/Lord_Howe', 'Europe/Berlin']) AS z (zone), unnest(ARRAY[150, 250]) AS d (days) ORDER BY 1, 2;
RESET timezone;
-- a row that is held and released under other settings
SET array_nulls = off;
SET datestyle = 'German';
SET intervalstyle = 'sql_standard';
SET bytea_output = 'escape';
SET extra_float_digits = -15;
SET timezone = 'Asia/Tokyo';
SET quote_all_identifiers = on;
SET standard_conforming_strings = off;
INSERT INTO msgs VALUES ('a', E'back\\slash', ARRAY['x', NULL, 'NULL', 'null'], '2026-03-29 01:30+00', INTERVAL '-1 day 02:03:04', 0.1234567890123456, E'\\x00ff');
SELECT verdict.release(id, 'fine') > 0 AS released FROM verdict.quarantine;
INSERT INTO msgs VALUES ('b', 'x', ARRAY['x', NULL], '2026-03-29 01:30+00', INTERVAL '-1 day 02:03:04', 0.1234567890123456, E'\\x00ff');
SELECT tags = ARRAY['x', NULL, 'NULL', 'null'] AS tags, at = '2026-03-29 01:30+00' AS at, long = INTERVAL '-1 day 02:03:04' AS long,
    float = 0.1234567890123456 AS float, raw = decode('00ff', 'hex') AS raw FROM msgs;
SELECT relation, relation_name FROM verdict.quarantine;
SELECT relation FROM verdict.incidents ORDER BY id;
SELECT relation, part, state FROM verdict.coverage() WHERE part IS NOT NULL AND state <> 'note' AND differs IS NULL;
SELECT count(*) AS unseen FROM verdict.coverage() WHERE differs ~ 'nobody has seen it whole';
SELECT verdict.alter_guard('msgs', 'h', on_missing => 'reject');
INSERT INTO msgs (id, body) VALUES ('c', 'x');
DROP TABLE msgs;
SELECT relation, state, mend FROM verdict.coverage() WHERE state = 'missing';
SELECT verdict.forget('public.msgs', 'h', 'gone');
RESET ALL;
