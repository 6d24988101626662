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

-- Every function of ours, by role. A new function shows up here.
SELECT p.proname AS function,
       has_function_privilege('rights_nobody', p.oid, 'EXECUTE') AS nobody,
       has_function_privilege('rights_recorder', p.oid, 'EXECUTE') AS recorder,
       has_function_privilege('rights_reviewer', p.oid, 'EXECUTE') AS reviewer,
       has_function_privilege('rights_auditor', p.oid, 'EXECUTE') AS auditor,
       has_function_privilege('rights_admin', p.oid, 'EXECUTE') AS admin,
       p.prosecdef AS definer
FROM pg_proc AS p
WHERE p.pronamespace = 'verdict'::regnamespace
ORDER BY p.proname COLLATE "C", p.oid;

-- Every relation of ours.
SELECT c.relname AS relation,
       has_table_privilege('rights_nobody', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE') AS nobody,
       has_table_privilege('rights_recorder', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE') AS recorder,
       has_table_privilege('rights_reviewer', c.oid, 'SELECT') AS reviewer_reads,
       has_table_privilege('rights_reviewer', c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE') AS reviewer_writes,
       has_table_privilege('rights_auditor', c.oid, 'SELECT') AS auditor_reads,
       has_table_privilege('rights_auditor', c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE') AS auditor_writes,
       has_table_privilege('rights_admin', c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE') AS admin_writes
FROM pg_class AS c
WHERE c.relnamespace = 'verdict'::regnamespace AND c.relkind IN ('r', 'p')
ORDER BY c.relname COLLATE "C";

SELECT has_schema_privilege('rights_nobody', 'verdict', 'USAGE') AS nobody_uses,
       has_schema_privilege('rights_reviewer', 'verdict', 'CREATE') AS reviewer_creates,
       has_schema_privilege('rights_recorder', 'verdict', 'CREATE') AS recorder_creates;

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
