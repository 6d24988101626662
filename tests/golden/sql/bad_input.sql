-- What the functions refuse, and what they say. Nothing of it leaves anything behind.
CREATE EXTENSION pg_verdict;
CREATE TABLE msgs (id text PRIMARY KEY, body text, at timestamptz, amount numeric, raw bytea, kind int);
CREATE VIEW msgs_view AS SELECT * FROM msgs;
CREATE MATERIALIZED VIEW msgs_mat AS SELECT * FROM msgs;
CREATE TEMP TABLE msgs_temp (id text, body text);
CREATE FUNCTION pg_temp.own(text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE FUNCTION public.own(text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';
SELECT verdict.create_hook('h', fields => '{"body":"/body"}', subject => '/id');

-- hooks
SELECT verdict.create_hook(NULL);
SELECT verdict.create_hook('');
SELECT verdict.create_hook('h');
SELECT verdict.create_hook('x', dialect => 'smtp');
SELECT verdict.create_hook('x', dialect => NULL);
SELECT verdict.create_hook('x', valid_for => '-1 day');
SELECT verdict.create_hook('x', valid_for => '0');
SELECT verdict.create_hook('x', subject => 'id');
SELECT verdict.create_hook('x', fields => '["body"]');
SELECT verdict.create_hook('x', fields => '{"body":1}');
SELECT verdict.alter_hook('nobody', valid_for => '1 day');
SELECT verdict.alter_hook('h', valid_for => '-1 day');
SELECT verdict.drop_hook('nobody');
SELECT verdict.drop_hook(NULL);

-- guards: names
SELECT verdict.guard(NULL, 'h', key => 'id', content => '{"body":"body"}');
SELECT verdict.guard('msgs', NULL, key => 'id', content => '{"body":"body"}');
SELECT verdict.guard('msgs', 'nobody', key => 'id', content => '{"body":"body"}');
SELECT verdict.guard('nowhere', 'h', key => 'id', content => '{"body":"body"}');
SELECT verdict.guard('msgs', 'h', key => 'nothing', content => '{"body":"body"}');
SELECT verdict.guard('msgs', 'h', content => '{"body":"body"}');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"nothing"}');
SELECT verdict.guard('msgs', 'h', key => 'ctid', content => '{"body":"body"}');
-- guards: words
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', on_denied => 'explode');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', on_denied => NULL);
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', locking => 'exclusive');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', mode => 'off');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', edits => 'maybe');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', name => '');
-- guards: content
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{}');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '[]');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body","invented":"kind"}');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":1}');
-- guards: types whose text depends on a setting, and bytea without a form
SELECT verdict.guard('msgs', 'h', key => 'at', content => '{"body":"body"}');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"amount"}');
SELECT verdict.guard('msgs', 'h', key => 'raw', content => '{"body":"body"}');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"raw"}');
-- guards: conditions
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', condition => '');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', condition => 'NEW.kind =');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', condition => 'true) OR (true');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', condition => 'true; DROP TABLE msgs');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', condition => 'true -- more');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', condition => 'NEW.kind');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', condition => 'NEW.nothing = 1');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', condition => 'OLD.kind = 1');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', condition => 'EXISTS (SELECT 1)');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', condition => 'random() < 0.5');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', condition => 'now() > NEW.at');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', condition => 'public.own(NEW.body)');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', condition => 'count(*) > 1');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', condition => 'NEW.tableoid = 1');
-- guards: relations
SELECT verdict.guard('msgs_view', 'h', key => 'id', content => '{"body":"body"}');
SELECT verdict.guard('msgs_mat', 'h', key => 'id', content => '{"body":"body"}');
SELECT sqlstate, regexp_replace(message, 'pg_temp_\d+', 'pg_temp') AS message
FROM t.error($$SELECT verdict.guard('msgs_temp', 'h', key => 'id', content => '{"body":"body"}')$$);
SELECT verdict.guard('msgs_pkey', 'h', key => 'id', content => '{"body":"body"}');
SELECT verdict.guard('pg_catalog.pg_class', 'h', key => 'relname', content => '{"body":"relname"}');
SELECT verdict.guard('verdict.hooks', 'h', key => 'name', content => '{"body":"name"}');
SELECT verdict.guard('verdict.verdicts', 'h', key => 'subject', content => '{"body":"reason"}');
-- nothing of all that is left
SELECT count(*) AS guards FROM verdict.guards;
SELECT count(*) AS triggers FROM pg_trigger WHERE tgrelid = 'msgs'::regclass;
-- twice
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}');
SELECT verdict.create_hook('h2', fields => '{"body":"/body"}', subject => '/id');
SELECT verdict.guard('msgs', 'h2', key => 'id', content => '{"body":"body"}', name => 'msgs_h');
SELECT verdict.alter_guard('msgs', 'h2', mode => 'observe');
SELECT verdict.alter_guard('msgs', 'h', mode => 'off');
SELECT verdict.alter_guard('msgs', 'h', condition => 'random() < 0.5');
SELECT verdict.unguard('msgs', 'h2', 'why');
SELECT verdict.unguard('msgs', 'h', '');

-- recording
SELECT verdict.record(NULL, '{"id":"1","body":"x"}', '{}');
SELECT verdict.record('nobody', '{"id":"1","body":"x"}', '{}');
SELECT verdict.record('h', NULL::text, '{}');
SELECT verdict.record('h', 'hello', '{}');
SELECT verdict.record('h', '', '{}');
SELECT verdict.record('h', '[1]', '{}');
SELECT verdict.record('h', '{"body":"x"}', '{}');
SELECT verdict.record('h', '{"id":null,"body":"x"}', '{}');
SELECT verdict.record('h', '{"id":{"a":1},"body":"x"}', '{}');
SELECT verdict.record('h', '\xff'::bytea, '\x7b7d'::bytea);
SELECT outcome, failed_because FROM verdict.record('h', '{"id":"1","body":"x"}', NULL::text);
SELECT outcome, failed_because FROM verdict.record('h', convert_to('{"id":"1","body":"x"}', 'UTF8'), '\xfffe00'::bytea);
SELECT outcome, failed_because FROM verdict.record('h', '{"id":"1","body":"x"}', '');
SELECT outcome, failed_because FROM verdict.record('h', '{"id":"1","body":"x"}', '{"actionCode":0}{"actionCode":0}');
SELECT verdict.record_no_answer('h', '{"id":"1","body":"x"}', 'weather');
SELECT verdict.record_no_answer('h', '{"id":"1","body":"x"}', NULL);
SELECT verdict.approve('h', NULL);
SELECT verdict.approve('nobody', '1');
SELECT verdict.approve('h', '1', valid_for => '-1 day');
SELECT verdict.approve('h', '1', content => '{"invented":"x"}');
SELECT verdict.approve('h', '1', content => '[]');
SELECT verdict.deny('h', NULL);
SELECT verdict.deny('nobody', '1');
SELECT verdict.revoke('h', '1', NULL);
SELECT verdict.revoke('h', '1', '');
SELECT verdict.revoke('h', NULL, 'why');

-- the trigger function is nobody's to call or to put elsewhere
SELECT verdict.guard_row();
CREATE TABLE other (id text);
CREATE TRIGGER verdict_guard_1 AFTER INSERT ON other FOR EACH ROW EXECUTE FUNCTION verdict.guard_row();
INSERT INTO other VALUES ('x');
DROP TRIGGER verdict_guard_1 ON other;
CREATE TRIGGER b BEFORE INSERT ON other FOR EACH ROW EXECUTE FUNCTION verdict.guard_row();
INSERT INTO other VALUES ('x');
-- PostgreSQL itself keeps the columns
DROP VIEW msgs_view;
DROP MATERIALIZED VIEW msgs_mat;
ALTER TABLE msgs DROP COLUMN body;
ALTER TABLE msgs ALTER COLUMN id TYPE varchar(10);
