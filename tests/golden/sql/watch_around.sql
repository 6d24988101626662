-- what changes a guarded table from outside: the name of its schema, the types of its columns
CREATE EXTENSION pg_verdict;
CREATE ROLE wa_owner;
CREATE ROLE wa_admin;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO wa_owner, wa_admin', current_database()); END $$;
CREATE SCHEMA chat AUTHORIZATION wa_owner;
CREATE SCHEMA "other ""s" AUTHORIZATION wa_owner;
CREATE TYPE chat.kind AS ENUM ('chat', 'system');
CREATE TYPE chat.pair AS (first int, second int);
CREATE TYPE "other ""s".colour AS ENUM ('red', 'blue');
ALTER TYPE chat.kind OWNER TO wa_owner;
ALTER TYPE chat.pair OWNER TO wa_owner;
ALTER TYPE "other ""s".colour OWNER TO wa_owner;
CREATE TABLE chat.msgs (id text, body text, kind chat.kind, both_of chat.pair, colour "other ""s".colour);
ALTER TABLE chat.msgs OWNER TO wa_owner;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
SELECT verdict.create_hook('h2', subject => '/id', fields => '{"body":"/body"}');
SELECT verdict.guard('chat.msgs', 'h', key => 'id', content => '{"body":"body"}', condition => $$NEW.kind = 'chat'$$);
SELECT verdict.guard('chat.msgs', 'h2', key => 'id', content => '{"body":"body"}', condition => '(NEW.both_of).first = 1');

SET ROLE wa_owner;
ALTER SCHEMA chat RENAME TO old;
ALTER TYPE chat.kind RENAME VALUE 'chat' TO 'x';
ALTER TYPE chat.pair RENAME ATTRIBUTE first TO x;
ALTER TYPE chat.kind SET SCHEMA "other ""s";
-- what changes nothing for a guard
ALTER SCHEMA "other ""s" RENAME TO plain;
ALTER TYPE plain.colour RENAME VALUE 'red' TO 'green';
ALTER TYPE plain.colour ADD VALUE 'yellow';
ALTER TYPE plain.colour RENAME TO color;
ALTER TYPE chat.kind ADD VALUE 'late';
ALTER TYPE chat.pair ADD ATTRIBUTE third int;
ALTER SCHEMA chat OWNER TO wa_owner;
CREATE DOMAIN plain.word AS text;
ALTER DOMAIN plain.word SET NOT NULL;
-- a table from which it inherits
CREATE TABLE chat.ancestor (id text);
CREATE TABLE chat.parent (body text) INHERITS (chat.ancestor);
ALTER TABLE chat.msgs INHERIT chat.parent;
ALTER TABLE chat.parent RENAME COLUMN body TO old_body;
ALTER TABLE chat.ancestor RENAME COLUMN id TO old_id;
ALTER TABLE chat.parent DROP COLUMN body CASCADE;
ALTER TABLE chat.parent ADD COLUMN more text;
ALTER TABLE chat.msgs NO INHERIT chat.parent;
ALTER TABLE chat.ancestor RENAME COLUMN id TO old_id;
-- a type that it is of
CREATE TYPE chat.row AS (id text, body text);
CREATE TABLE chat.typed OF chat.row;
RESET ROLE;
SELECT verdict.guard('chat.typed', 'h', key => 'id', content => '{"body":"body"}');
SET ROLE wa_owner;
ALTER TYPE chat.row RENAME ATTRIBUTE body TO x CASCADE;
ALTER TYPE chat.row DROP ATTRIBUTE body CASCADE;
ALTER TYPE chat.row ADD ATTRIBUTE more text CASCADE;
RESET ROLE;
SELECT part, guard, state, differs FROM verdict.coverage() WHERE guard IS NOT NULL AND part IS NOT NULL;
SELECT done, detail FROM verdict.incidents;

-- an admin may
SELECT verdict.grant_role('admin', 'wa_admin');
GRANT wa_owner TO wa_admin;
SET ROLE wa_admin;
ALTER SCHEMA chat RENAME TO old;
SELECT relation, part, guard, state FROM verdict.coverage() WHERE guard IS NOT NULL AND part IS NOT NULL;
INSERT INTO old.msgs (id, kind) VALUES ('x', 'chat');
ALTER SCHEMA old RENAME TO chat;
ALTER TYPE chat.kind RENAME VALUE 'chat' TO 'x';
SELECT part, guard, state, differs FROM verdict.coverage() WHERE guard IS NOT NULL AND part IS NOT NULL;
ALTER TYPE chat.kind RENAME VALUE 'x' TO 'chat';
SELECT part, guard, state, differs FROM verdict.coverage() WHERE guard IS NOT NULL AND part IS NOT NULL;
RESET ROLE;
SELECT guard, done, detail FROM verdict.incidents ORDER BY id;
SET ROLE wa_owner;
ALTER SCHEMA chat RENAME TO old;
