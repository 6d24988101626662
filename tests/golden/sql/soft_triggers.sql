-- Soft actions beside the application's own triggers, whose names come before and after the guard's.
CREATE EXTENSION pg_verdict;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
CREATE TABLE msgs (id text, body text, status int DEFAULT 1, note text);
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', on_missing => 'flag', on_altered => 'quarantine',
  on_denied => 'discard', flag_column => 'status', flag_value => '9');
CREATE VIEW incidents AS SELECT finding, action, done, operation, subject, row_image FROM verdict.incidents ORDER BY id;
CREATE VIEW held AS SELECT finding, operation, subject, row_values, old_values FROM verdict.quarantine ORDER BY id;
SELECT count(*) FROM verdict.approve('h', 'a', '{"body":"hi"}');
SELECT count(*) FROM verdict.approve('h', 'b', '{"body":"changed"}');
SELECT count(*) FROM verdict.deny('h', 'no');
CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.body := 'changed'; RETURN NEW; END $$;
CREATE FUNCTION unflag() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.status := 1; RETURN NEW; END $$;
CREATE FUNCTION leave_out() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE FUNCTION undeny() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.id := 'no'; RETURN NEW; END $$;

-- before the guard's: the guard judges what they made of the row
CREATE TRIGGER early BEFORE INSERT OR UPDATE ON msgs FOR EACH ROW EXECUTE FUNCTION change();
INSERT INTO msgs (id, body) VALUES ('a', 'hi'), ('b', 'hi'), ('c', 'hi') RETURNING *;
UPDATE msgs SET note = 'innocent' RETURNING *;
TABLE incidents;
TABLE held;
DROP TRIGGER early ON msgs;
-- an update that is innocent but for the trigger
TRUNCATE msgs, verdict.incidents, verdict.quarantine;
INSERT INTO msgs (id, body) VALUES ('a', 'hi');
CREATE TRIGGER early BEFORE UPDATE ON msgs FOR EACH ROW EXECUTE FUNCTION change();
UPDATE msgs SET note = 'innocent' RETURNING *;
TABLE msgs;
TABLE held;
DROP TRIGGER early ON msgs;

-- after the guard's: what is stored is not what was judged. Refused, not stored unflagged
TRUNCATE msgs, verdict.incidents, verdict.quarantine;
CREATE TRIGGER "zzz late" BEFORE INSERT OR UPDATE ON msgs FOR EACH ROW EXECUTE FUNCTION change();
INSERT INTO msgs (id, body) VALUES ('a', 'hi');
INSERT INTO msgs (id, body) VALUES ('b', 'changed') RETURNING *;
UPDATE msgs SET note = 'innocent' WHERE id = 'b' RETURNING *;
-- flagged before, flagged still
INSERT INTO msgs (id, body) VALUES ('c', 'hi') RETURNING *;
TABLE incidents;
TABLE held;
ALTER TRIGGER "zzz late" ON msgs RENAME TO "~";
INSERT INTO msgs (id, body) VALUES ('a', 'hi');
DROP TRIGGER "~" ON msgs;
-- the flag taken off again
TRUNCATE msgs, verdict.incidents, verdict.quarantine;
CREATE TRIGGER zzz BEFORE INSERT OR UPDATE ON msgs FOR EACH ROW EXECUTE FUNCTION unflag();
INSERT INTO msgs (id, body) VALUES ('c', 'hi');
DROP TRIGGER zzz ON msgs;
INSERT INTO msgs (id, body) VALUES ('c', 'hi');
CREATE TRIGGER zzz BEFORE UPDATE ON msgs FOR EACH ROW EXECUTE FUNCTION unflag();
UPDATE msgs SET note = 'innocent';
UPDATE msgs SET body = 'ho';
DROP TRIGGER zzz ON msgs;
-- another subject, which is denied
CREATE TRIGGER zzz BEFORE INSERT ON msgs FOR EACH ROW EXECUTE FUNCTION undeny();
INSERT INTO msgs (id, body) VALUES ('a', 'hi');
DROP TRIGGER zzz ON msgs;
TABLE msgs;
TABLE incidents;

-- left out after the guard's: a row that nobody stored has no incident, unless the guard had left it out already
TRUNCATE msgs, verdict.incidents, verdict.quarantine;
CREATE TRIGGER zzz BEFORE INSERT ON msgs FOR EACH ROW EXECUTE FUNCTION leave_out();
INSERT INTO msgs (id, body) VALUES ('a', 'hi'), ('c', 'hi'), ('a', 'ho'), ('no', 'hi') RETURNING *;
TABLE incidents;
TABLE held;
DROP TRIGGER zzz ON msgs;
-- left out before
TRUNCATE verdict.incidents, verdict.quarantine;
CREATE TRIGGER early BEFORE INSERT ON msgs FOR EACH ROW EXECUTE FUNCTION leave_out();
INSERT INTO msgs (id, body) VALUES ('a', 'hi'), ('c', 'hi'), ('a', 'ho'), ('no', 'hi') RETURNING *;
TABLE incidents;
DROP TRIGGER early ON msgs;

-- triggers of the application that store rows themselves, in both tables
CREATE TABLE log (id text, body text, status int);
SELECT verdict.create_hook('l', subject => '/id', fields => '{"body":"/body"}');
SELECT verdict.guard('log', 'l', key => 'id', content => '{"body":"body"}', on_missing => 'discard',
  on_altered => 'discard');
CREATE FUNCTION also() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (NEW.id, NEW.body, NEW.status); RETURN NEW; END $$;
CREATE TRIGGER also BEFORE INSERT ON msgs FOR EACH ROW EXECUTE FUNCTION also();
CREATE TRIGGER zzalso AFTER INSERT ON msgs FOR EACH ROW EXECUTE FUNCTION also();
SELECT count(*) FROM verdict.approve('l', 'a', '{"body":"hi"}');
INSERT INTO msgs (id, body) VALUES ('a', 'hi'), ('c', 'hi'), ('a', 'ho') RETURNING *;
TABLE log;
SELECT relation, finding, done, subject FROM verdict.incidents ORDER BY id;
-- INSTEAD OF
CREATE VIEW front AS SELECT id, body FROM msgs;
CREATE FUNCTION through() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO msgs (id, body) VALUES (NEW.id, NEW.body); RETURN NEW; END $$;
CREATE TRIGGER through INSTEAD OF INSERT ON front FOR EACH ROW EXECUTE FUNCTION through();
TRUNCATE msgs, log, verdict.incidents, verdict.quarantine;
INSERT INTO front VALUES ('a', 'hi'), ('a', 'ho'), ('no', 'hi');
TABLE msgs;
-- a rule
CREATE RULE copied AS ON INSERT TO log DO ALSO INSERT INTO msgs (id, body) VALUES (NEW.id, 'ho');
DROP TRIGGER also ON msgs;
DROP TRIGGER zzalso ON msgs;
INSERT INTO log VALUES ('a', 'hi');
TABLE log;
TABLE msgs;
SELECT relation, subject, row_values FROM verdict.quarantine ORDER BY id;
