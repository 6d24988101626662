-- Large, odd and unreadable input: recorded as what it is, or refused by name; never half done.
CREATE EXTENSION pg_verdict;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"content": "/content"}');
CREATE TABLE m (id text, content text);
SELECT verdict.guard('m', 'h', key => 'id', content => '{"content": "content"}');

-- A response of 10 MB: over the cap, so no approval, and 64 KiB of it are kept.
SELECT outcome, failed_because
FROM verdict.record('h', '{"id": "big", "content": "x"}',
    '{"actionCode":0,"nextCode":0,"errMsg":"' || repeat('x', 10000000) || '"}');
SELECT octet_length(response) AS kept, response_bytes FROM verdict.verdicts;
INSERT INTO m VALUES ('big', 'x');
-- A refusal at its end is a refusal all the same.
SELECT outcome, failed_because
FROM verdict.record('h', '{"id": "big", "content": "x"}',
    '{"errMsg":"' || repeat('x', 10000000) || '","nextCode":1}');

-- A body of 1 MB is bound like any other.
SELECT outcome FROM verdict.record('h', '{"id": "long", "content": "' || repeat('é', 500000) || '"}',
    '{"actionCode":0,"nextCode":0}');
INSERT INTO m VALUES ('long', repeat('é', 500000));
INSERT INTO m VALUES ('long', repeat('é', 499999) || 'e');
-- Toasted content that an update leaves alone is not judged again.
SELECT outcome FROM verdict.revoke('h', 'long', 'later');
UPDATE m SET id = id;
UPDATE m SET content = content || '';

-- U+0000 is content that no column can hold: recorded, never equal to a row.
SELECT outcome FROM verdict.record('h', '{"id": "nul", "content": "a\u0000b"}', '{"actionCode":0,"nextCode":0}');
INSERT INTO m VALUES ('nul', 'ab');
SELECT verdict.record('h', '{"id": "n\u0000l", "content": "x"}', '{"actionCode":0,"nextCode":0}');

-- Bytes that are no text at all.
SELECT outcome, failed_because
FROM verdict.record('h', convert_to('{"id": "bytes", "content": "x"}', 'UTF8'), '\xfffe00'::bytea);

-- Subjects have an end.
SELECT verdict.deny('h', repeat('s', 10000));
SELECT verdict.record('h', '{"id": "' || repeat('s', 10000) || '", "content": "x"}', '{}');
SELECT verdict.deny('h', '');

-- Duplicate keys: two readers, two contents. On record, but bound to nothing.
SELECT outcome, digest IS NULL AS unbound
FROM verdict.record('h', '{"id": "twice", "content": "a", "content": "b"}', '{"actionCode":0,"nextCode":0}');
INSERT INTO m VALUES ('twice', 'b');

-- An expiry that no clock reaches.
SELECT verdict.approve('h', 'x', NULL, '1000 years');
SELECT verdict.approve('h', 'x', NULL, '0');
