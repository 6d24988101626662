-- jsonb that is too deep or holds a number too large: the caller's mistake, by name
CREATE EXTENSION pg_verdict;
CREATE FUNCTION deep(n int) RETURNS jsonb LANGUAGE sql AS $$ SELECT (repeat('{"a":', n) || '1' || repeat('}', n))::jsonb $$;
SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
SELECT verdict.create_hook('j', subject => '/id', fields => '{"doc":"/doc"}');
CREATE TABLE msgs (id text PRIMARY KEY, body text, doc jsonb);
SELECT verdict.guard('msgs', 'j', key => 'id', content => '{"doc":"doc"}', name => 'j');
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', name => 'h');
SELECT v.what, e.sqlstate, e.message, e.hint
FROM (VALUES (1, 'deep', deep(200)), (2, 'large', '{"a": 1e400}'::jsonb), (3, 'an array', '[1]'), (4, 'a number', '1e400'), (5, 'null', 'null'),
    (6, 'a string', '"x"'), (7, 'deep array', (repeat('[', 3000) || repeat(']', 3000))::jsonb)) AS v (n, what, value)
CROSS JOIN (VALUES (1, $$SELECT verdict.create_hook('x', fields => %L)$$), (2, $$SELECT verdict.alter_hook('h', fields => %L)$$),
    (3, $$SELECT verdict.guard('msgs', 'h', key => 'id', content => %L, name => 'x')$$), (4, $$SELECT verdict.alter_guard('msgs', 'h', content => %L)$$),
    (5, $$SELECT verdict.approve('h', 'x', %L)$$), (6, $$SELECT verdict.explain('msgs', %L)$$), (7, $$SELECT count(*) FROM verdict.self_test('msgs', sample => %L)$$)
) AS f (n, call) CROSS JOIN LATERAL t.error(format(f.call, v.value)) AS e
WHERE e.sqlstate NOT LIKE '22___' AND e.sqlstate <> '42710';
SELECT verdict.create_hook('x', fields => deep(200));
SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body": 1e400}');
SELECT verdict.alter_guard('msgs', 'h', content => deep(128));
SELECT verdict.self_test('msgs', sample => deep(130));
SELECT verdict.approve('j', 'x', jsonb_build_object('doc', deep(200)));
SELECT verdict.approve('j', 'x', '{"doc": 1e400}');
SELECT verdict.explain('msgs', '[]');
-- a row may hold what it likes: such a document has no digest
SELECT question, answer FROM verdict.explain('msgs', jsonb_build_object('id', 'x', 'doc', deep(200))) WHERE guard = 'j' AND question = 'Decision';
SELECT question, answer FROM verdict.explain('msgs', '{"id": "x", "doc": 1e400}') WHERE guard = 'j' AND question = 'Decision';
SELECT question, answer FROM verdict.explain('msgs', deep(6000)) WHERE question = 'Decision';
-- explain tells what a refusal said
SELECT outcome FROM verdict.deny('h', 'd', 5001, 'no spam');
SELECT question, answer, detail FROM verdict.explain('msgs', '{"id": "d", "body": "x"}') WHERE guard = 'h' AND (answer IN ('no', 'denied'));
SELECT outcome FROM verdict.deny('h', 'e');
SELECT answer, detail FROM verdict.explain('msgs', '{"id": "e", "body": "x"}') WHERE guard = 'h' AND question = 'Decision';
