-- Who may do what: nobody anything, each kind its own functions, and no more.
CREATE EXTENSION pg_verdict;
CREATE ROLE rights_nobody;
CREATE ROLE rights_recorder;
CREATE ROLE rights_reviewer;
CREATE ROLE rights_auditor;
CREATE ROLE rights_admin;
SELECT verdict.grant_role('recorder', 'rights_recorder');
SELECT verdict.grant_role('reviewer', 'rights_reviewer');
SELECT verdict.grant_role('auditor', 'rights_auditor');
SELECT verdict.grant_role('admin', 'rights_admin');

-- The chat server stores messages, and owns the table perhaps; neither makes it anybody here.
CREATE ROLE rights_chat;
CREATE ROLE rights_owner;
CREATE ROLE rights_superuser SUPERUSER;
CREATE TABLE messages (id text, body text);
GRANT SELECT, INSERT, UPDATE, DELETE ON messages TO rights_chat;
ALTER TABLE messages OWNER TO rights_owner;
SELECT verdict.create_hook('rights');
SELECT verdict.guard('messages', 'rights', key => 'id');
CREATE VIEW roles AS SELECT n, 'rights_' || role AS rolname, role
    FROM unnest(ARRAY['nobody', 'chat', 'recorder', 'reviewer', 'auditor', 'admin', 'owner', 'superuser']) WITH ORDINALITY AS r (role, n);

-- Every function of ours, and who may call it. A new function shows up here.
SELECT p.oid::regprocedure::text ~ 'anyelement|bytea' AS overload, p.proname AS function, p.prosecdef AS definer,
       string_agg(r.role, ' ' ORDER BY r.n) FILTER (WHERE has_function_privilege(r.rolname, p.oid, 'EXECUTE')) AS may_call
FROM pg_proc AS p CROSS JOIN roles AS r
WHERE p.pronamespace = 'verdict'::regnamespace
GROUP BY p.oid, p.proname, p.prosecdef
ORDER BY p.proname COLLATE "C", 1;

-- Every relation of ours, and who may read and change it. A new one shows up here.
SELECT c.relname AS relation, c.relkind AS kind,
       string_agg(r.role, ' ' ORDER BY r.n) FILTER (WHERE CASE c.relkind WHEN 'S' THEN has_sequence_privilege(r.rolname, c.oid, 'SELECT')
           ELSE has_table_privilege(r.rolname, c.oid, 'SELECT') END) AS may_read,
       string_agg(r.role, ' ' ORDER BY r.n) FILTER (WHERE CASE c.relkind WHEN 'S' THEN has_sequence_privilege(r.rolname, c.oid, 'USAGE, UPDATE')
           ELSE has_table_privilege(r.rolname, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') END) AS may_change
FROM pg_class AS c CROSS JOIN roles AS r
WHERE c.relnamespace = 'verdict'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'S') AND NOT c.relispartition
GROUP BY c.relname, c.relkind
ORDER BY c.relname COLLATE "C";

-- A leaf that was made at run time, and whatever else there is.
SELECT outcome FROM verdict.deny('rights', 'x');
SELECT string_agg(DISTINCT r.role, ' ') AS may_touch_a_leaf
FROM pg_class AS c CROSS JOIN roles AS r
WHERE c.relnamespace = 'verdict'::regnamespace AND c.relispartition
    AND has_table_privilege(r.rolname, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER');
SELECT string_agg(DISTINCT r.role, ' ') FILTER (WHERE has_schema_privilege(r.rolname, 'verdict', 'USAGE')) AS use_the_schema,
       string_agg(DISTINCT r.role, ' ') FILTER (WHERE has_schema_privilege(r.rolname, 'verdict', 'CREATE')) AS create_in_it
FROM roles AS r;

-- An admin guards what it owns, and nothing else.
CREATE TABLE theirs (id text);
SELECT verdict.create_hook('h');
SET ROLE rights_admin;
SELECT verdict.guard('theirs', 'h', key => 'id');
SELECT verdict.grant_role('admin', 'rights_nobody');
SELECT verdict.grant_role('auditor', 'rights_nobody');
RESET ROLE;
ALTER TABLE theirs OWNER TO rights_admin;
SET ROLE rights_admin;
SELECT verdict.guard('theirs', 'h', key => 'id');
INSERT INTO theirs VALUES ('x');
SELECT verdict.unguard('theirs', 'h', 'tried');
INSERT INTO theirs VALUES ('x');
RESET ROLE;

-- A guard on a table whose owner cannot name anything of ours: put on by whoever may, and in force.
CREATE TABLE plain (id text);
ALTER TABLE plain OWNER TO rights_nobody;
SELECT verdict.guard('plain', 'h', key => 'id', condition => 'NEW.id <> ''free''');
SET ROLE rights_nobody;
INSERT INTO plain VALUES ('x');
INSERT INTO plain VALUES ('free');
RESET ROLE;
SELECT verdict.unguard('plain', 'h', 'tried');
DROP TABLE plain;

-- What was given can be taken back.
SELECT verdict.revoke_role('recorder', 'rights_recorder');
SET ROLE rights_recorder;
SELECT verdict.deny('h', 'x');
RESET ROLE;
SELECT verdict.grant_role('king', 'rights_nobody');
SELECT verdict.grant_role(NULL, 'rights_nobody');
SELECT verdict.grant_role('recorder', NULL);

-- Kinds share functions: who loses one kind keeps what the other gives.
SELECT verdict.grant_role('recorder', 'rights_admin');
SELECT verdict.revoke_role('admin', 'rights_admin');
SELECT has_function_privilege('rights_admin', 'verdict.status(text, text)', 'EXECUTE') AS status,
       has_function_privilege('rights_admin', 'verdict.deny(text, text, int4, text)', 'EXECUTE') AS deny,
       has_function_privilege('rights_admin', 'verdict.create_hook(text, text, bool, interval, text, jsonb, text)', 'EXECUTE') AS create_hook;
SELECT verdict.revoke_role('auditor', 'rights_admin');
SELECT verdict.revoke_role('recorder', 'rights_admin');
SELECT has_function_privilege('rights_admin', 'verdict.status(text, text)', 'EXECUTE') AS status;
-- A reviewer who is an auditor, too, still reads what was reviewed when only one of both is taken back.
SELECT verdict.grant_role('auditor', 'rights_reviewer');
SELECT verdict.revoke_role('auditor', 'rights_reviewer');
SELECT has_table_privilege('rights_reviewer', 'verdict.quarantine', 'SELECT') AS quarantine, has_table_privilege('rights_reviewer', 'verdict.verdicts', 'SELECT') AS verdicts;
SELECT verdict.revoke_role('reviewer', 'rights_reviewer');
SELECT has_table_privilege('rights_reviewer', 'verdict.quarantine', 'SELECT') AS quarantine,
       has_function_privilege('rights_reviewer', 'verdict.release(int8, text, bool)', 'EXECUTE') AS release;

DROP TABLE theirs;
DROP EXTENSION pg_verdict;
DROP SCHEMA verdict;
DROP ROLE rights_nobody, rights_recorder, rights_reviewer, rights_auditor, rights_admin;
