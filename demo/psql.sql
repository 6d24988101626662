-- What `make psql` begins with: a hook, a guarded table, and a verdict of each kind.
CREATE EXTENSION pg_verdict;
CREATE TABLE messages (id text PRIMARY KEY, sender text, body text);
SELECT verdict.create_hook('before_send', subject => '/id', fields => '{"sender":"/sender","body":"/body"}') \g /dev/null
SELECT verdict.guard('messages', 'before_send', key => 'id', content => '{"sender":"sender","body":"body"}') \g /dev/null
SELECT verdict.approve('before_send', 'm1', '{"sender":"ann","body":"hello"}') \g /dev/null
SELECT verdict.approve('before_send', 'm2', '{"sender":"bob","body":"hello"}') \g /dev/null
SELECT verdict.deny('before_send', 'm3', 5001, 'no spam') \g /dev/null
INSERT INTO messages VALUES ('m1', 'ann', 'hello');
