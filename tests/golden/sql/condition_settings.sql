-- a condition is the same whatever the settings of the session that puts the guard on, looks at it or mends it
CREATE EXTENSION pg_verdict;
CREATE ROLE cs_owner;
GRANT CREATE ON SCHEMA public TO cs_owner;
CREATE TYPE kind AS ENUM ('chat', 'system');
CREATE TABLE msgs (id text, body text, kind kind, at timestamptz, day date, long interval, raw bytea, float float8);
ALTER TABLE msgs OWNER TO cs_owner;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
CREATE FUNCTION put(condition text) RETURNS void LANGUAGE sql AS
$$ SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', condition => condition) $$;
SET timezone = 'Asia/Tokyo';
SET datestyle = 'German';
SET intervalstyle = 'sql_standard';
-- what this session reads otherwise
SELECT put($$NEW.at > '2026-01-01'$$);
SELECT put($$NEW.day > '01.02.2026'$$);
SELECT put($$NEW.day > '01/02/2026'$$);
SELECT put($$NEW.long > '-1 2:03:04'$$);
SELECT put($$NEW.kind = 'chat'::kind$$);
SELECT put($$NEW.at > '2026-01-01 00:00+00' AND NEW.day > '2026-02-01' AND NEW.long > '1 day' AND NEW.kind = 'chat'::public.kind
    AND NEW.raw <> '\x00ff' AND NEW.float > 0.1$$);
SELECT condition, when_clause FROM verdict.guards;
SELECT verdict.alter_guard('msgs', 'h', condition => $$NEW.at > '2026-01-01'$$);
RESET datestyle;
RESET intervalstyle;
SET quote_all_identifiers = on;
SET bytea_output = 'escape';
SET extra_float_digits = -10;
SET timezone = 'America/New_York';
SELECT state, differs FROM verdict.coverage() WHERE part IS NOT NULL;
SELECT * FROM verdict.repair('msgs');
-- the watch neither sees a weakness that is none, nor looks away
ALTER TABLE msgs ADD COLUMN more int;
SELECT done, detail FROM verdict.incidents;
SET ROLE cs_owner;
ALTER TABLE msgs ADD COLUMN more2 int;
ALTER TABLE msgs DISABLE TRIGGER USER;
RESET ROLE;
ALTER TABLE msgs DISABLE TRIGGER USER;
SELECT mended FROM verdict.repair('msgs');
SELECT verdict.alter_guard('msgs', 'h', on_missing => 'quarantine');
SELECT when_clause FROM verdict.guards;
RESET timezone;
SET timezone = 'UTC';
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = 'verdict_guard_1';
-- without a zone where the session's is UTC: that is what it means everywhere
SELECT verdict.alter_guard('msgs', 'h', condition => $$NEW.at > '2026-01-01'$$);
SET timezone = 'Asia/Tokyo';
ALTER TABLE msgs DISABLE TRIGGER USER;
SELECT mended FROM verdict.repair('msgs');
SELECT condition, when_clause FROM verdict.guards;
