-- A row that a foreign key changes cannot be left as it is: it would reference what is gone.
CREATE EXTENSION pg_verdict;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"room":"/room"}');
CREATE TABLE rooms (name text PRIMARY KEY);
INSERT INTO rooms VALUES ('lobby'), ('cellar'), ('nowhere');
CREATE TABLE msgs (id text, room text DEFAULT 'nowhere' REFERENCES rooms ON UPDATE CASCADE ON DELETE SET NULL, status int DEFAULT 1);
SELECT count(*) FROM (VALUES ('a', 'lobby'), ('b', 'lobby'), ('c', 'cellar')) AS s (id, room), LATERAL verdict.approve('h', s.id, jsonb_build_object('room', s.room));
INSERT INTO msgs VALUES ('a', 'lobby'), ('b', 'lobby'), ('c', 'cellar');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"room":"room"}', on_altered => 'quarantine');
UPDATE rooms SET name = 'hall' WHERE name = 'lobby';
DELETE FROM rooms WHERE name = 'lobby';
SELECT verdict.alter_guard('msgs', 'h', on_altered => 'discard');
UPDATE rooms SET name = 'hall' WHERE name = 'lobby';
TABLE rooms;
TABLE msgs;
-- an update of one's own is left out as ever
UPDATE msgs SET room = 'cellar' WHERE id = 'a';
TABLE msgs;
-- approved, all of it follows
SELECT count(*) FROM (VALUES ('a'), ('b')) AS s (id), LATERAL verdict.approve('h', s.id, '{"room":"hall"}');
UPDATE rooms SET name = 'hall' WHERE name = 'lobby';
TABLE msgs;
-- SET DEFAULT
ALTER TABLE msgs DROP CONSTRAINT msgs_room_fkey;
ALTER TABLE msgs ADD CONSTRAINT msgs_room_fkey FOREIGN KEY (room) REFERENCES rooms ON DELETE SET DEFAULT;
DELETE FROM rooms WHERE name = 'cellar';
-- a flag does not leave the row out
SELECT verdict.alter_guard('msgs', 'h', on_altered => 'flag', flag_column => 'status', flag_value => '9');
DELETE FROM rooms WHERE name = 'cellar';
TABLE msgs;
SELECT finding, done, operation, subject FROM verdict.incidents ORDER BY id;
-- what a trigger does meanwhile to other columns is its own: held
CREATE TABLE members (who text PRIMARY KEY, room text REFERENCES rooms ON DELETE CASCADE);
CREATE TABLE notes (id text, body text, who text REFERENCES members ON DELETE CASCADE);
INSERT INTO members VALUES ('alice', 'nowhere');
INSERT INTO notes VALUES ('n', 'here', NULL);
SELECT verdict.create_hook('n', subject => '/id', fields => '{"body":"/body"}');
SELECT verdict.guard('notes', 'n', key => 'id', content => '{"body":"body"}', on_missing => 'quarantine');
CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE notes SET body = 'left'; RETURN OLD; END $$;
CREATE TRIGGER gone BEFORE DELETE ON members FOR EACH ROW EXECUTE FUNCTION gone();
ALTER TABLE msgs DROP CONSTRAINT msgs_room_fkey;
DELETE FROM rooms WHERE name = 'nowhere';
TABLE notes;
SELECT operation, subject, old_values, row_values FROM verdict.quarantine;
SELECT count(*) FROM verdict.refuse(1, 'no', deny => false);
INSERT INTO rooms VALUES ('nowhere');
ALTER TABLE msgs ADD CONSTRAINT msgs_room_fkey FOREIGN KEY (room) REFERENCES rooms ON DELETE SET DEFAULT;
-- what a trigger stores in a foreign key's own statement is a row like any other
SELECT verdict.alter_guard('msgs', 'h', on_altered => 'allow', on_missing => 'quarantine');
CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO msgs VALUES ('told', 'hall'); RETURN NEW; END $$;
CREATE TRIGGER told BEFORE UPDATE ON msgs FOR EACH ROW WHEN (NEW.id = 'a') EXECUTE FUNCTION told();
DELETE FROM rooms WHERE name = 'hall';
TABLE msgs;
SELECT subject, row_values FROM verdict.quarantine;
