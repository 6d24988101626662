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
-- what a trigger stores in a foreign key's own statement is a row like any other
SELECT verdict.alter_guard('msgs', 'h', on_altered => 'allow', on_missing => 'quarantine');
CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO msgs VALUES ('told', 'hall'); RETURN NEW; END $$;
CREATE TRIGGER told BEFORE UPDATE ON msgs FOR EACH ROW WHEN (NEW.id = 'a') EXECUTE FUNCTION told();
DELETE FROM rooms WHERE name = 'hall';
TABLE msgs;
SELECT subject, row_values FROM verdict.quarantine;
