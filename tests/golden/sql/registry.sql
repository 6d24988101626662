-- A column of ours that is gone or null is an error that names it: nothing is guessed.
CREATE EXTENSION pg_verdict;
SELECT verdict.create_hook('h', 'openim');
CREATE TABLE msgs (id text, body text);
SELECT verdict.guard('msgs', 'h', key => 'id', content => NULL, on_missing => 'allow');
INSERT INTO msgs VALUES ('1', 'stored: missing is allowed');
-- the watch reads the registry after each command: what makes it unreadable is undone
ALTER TABLE verdict.guards RENAME hook_id TO hook;
INSERT INTO msgs VALUES ('2', 'stored: missing is allowed');
-- a table without a name
ALTER TABLE verdict.guards ALTER relation_name DROP NOT NULL;
UPDATE verdict.guards SET relation_name = NULL;
INSERT INTO msgs VALUES ('3', 'refused');
UPDATE verdict.guards SET relation_name = 'msgs';
-- a guard without a mode, and one with a mode of tomorrow
ALTER TABLE verdict.guards ALTER mode DROP NOT NULL;
UPDATE verdict.guards SET mode = NULL;
INSERT INTO msgs VALUES ('4', 'refused');
UPDATE verdict.guards SET mode = 'dream';
INSERT INTO msgs VALUES ('5', 'refused');
UPDATE verdict.guards SET mode = 'enforce';
-- content and hidden columns in another form than ours
UPDATE verdict.guards SET content = '{"content": 7}';
INSERT INTO msgs VALUES ('6', 'refused');
UPDATE verdict.guards SET content = NULL, redact = '[7]';
INSERT INTO msgs VALUES ('6', 'refused');
UPDATE verdict.guards SET redact = '[]';
-- a column of another type
ALTER TABLE verdict.guards ALTER flag_column TYPE int USING NULL;
INSERT INTO msgs VALUES ('6', 'refused');
ALTER TABLE verdict.guards ALTER flag_column TYPE text;
-- a hook that does not say whether failures pass
ALTER TABLE verdict.hooks RENAME failed_continue TO goes_on;
INSERT INTO msgs VALUES ('6', 'refused');
SELECT verdict.approve('h', '6', NULL);
ALTER TABLE verdict.hooks RENAME goes_on TO failed_continue;
-- a leaf without a column that decides
SELECT id IS NOT NULL AS recorded FROM verdict.approve('h', '6', NULL);
ALTER TABLE verdict.verdicts RENAME superseded_by TO replaced_by;
INSERT INTO msgs VALUES ('6', 'refused');
ALTER TABLE verdict.verdicts RENAME replaced_by TO superseded_by;
-- the same where rows are written
ALTER TABLE verdict.incidents ALTER err_code TYPE text;
INSERT INTO msgs VALUES ('8', 'refused');
ALTER TABLE verdict.incidents ALTER err_code TYPE int USING err_code::int;
INSERT INTO msgs VALUES ('9', 'stored: missing is allowed');
SELECT id FROM msgs ORDER BY id;
