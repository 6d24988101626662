"""Every text argument of every function, with texts that would do harm if they ever became part of a statement."""

import psycopg
import pytest

SETUP = """
    CREATE TABLE canary (x int);
    CREATE TABLE msgs (id text PRIMARY KEY, body text, status text, at timestamptz);
    CREATE TABLE free (id text, body text, status text, at timestamptz);
    SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
    SELECT verdict.create_hook('h2', subject => '/id', fields => '{"body":"/body"}');
    SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', on_missing => 'quarantine',
        flag_column => 'status', flag_value => 'bad');
    SELECT verdict.approve('h', 'a', '{"body":"hi"}');
    INSERT INTO msgs (id, body) VALUES ('x', 'y');
    CREATE ROLE injected;
"""
PAYLOADS = (
    "'; DROP TABLE canary; --",
    "\"; DROP TABLE canary; --",
    "x') ; DROP TABLE canary; SELECT ('",
    "$$; DROP TABLE canary; $$",
    "\\'; DROP TABLE canary; --",
    "%s %I %L {} \\x00",
    "msgs\"; DROP TABLE canary",
    "\u202e'\"\\;--/*",
)
# What lets a call go as far as possible while one of its arguments is the payload.
GOOD = {
    "relation": "'msgs'::regclass", "old": "'msgs'::regclass", "new": "'free'::regclass", "hook": "'h'", "name": "'n'", "dialect": "'openim'",
    "subject": "'a'", "request": "'{\"id\":\"a\",\"body\":\"hi\"}'", "response": "'{}'", "cause": "'timeout'", "reason": "'why'", "kind": "'auditor'",
    "role": "'injected'::regrole", "id": "1", "err_code": "1", "err_msg": "'no'", "key": "'id'", "content": "'{\"body\":\"body\"}'::jsonb",
    "duration": "'1 minute'::interval", "new_name": "'renamed'", "dry_run": "false", "since": "now()", "flag_column": "'status'",
    "flag_value": "'bad'", "condition": "'NEW.body <> ''x'''", "r": "'{\"id\":\"a\"}'::jsonb", "at_most": "10", "adapt": "true",
}
# Taken as a whole by a parser of PostgreSQL's, which may call it a syntax error.
PARSED = {"condition"}


def calls(conn):
    """(function, its arguments as name and type, the one to be replaced)"""
    rows = conn.execute("""
        SELECT p.proname, p.oid::regprocedure::text, p.proargnames[:p.pronargs], ARRAY(
            SELECT format_type(t, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY AS u (t, n) ORDER BY n)
        FROM pg_proc AS p WHERE p.pronamespace = 'verdict'::regnamespace AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
        ORDER BY 2""").fetchall()
    for function, _, names, types in rows:
        for name, kind in zip(names or [], types):
            if kind in ("text", "text[]", "jsonb"):
                yield function, list(zip(names, types)), name


def call(function, arguments, replaced, payload, dialect_of):
    parts = []
    for name, kind in arguments:
        if name == replaced:
            value = {"text": dialect_of(payload), "text[]": f"ARRAY[{dialect_of(payload)}]",
                     "jsonb": f"jsonb_build_object({dialect_of(payload)}, {dialect_of(payload)})"}[kind]
        elif name in GOOD:
            # record's overload for bytea
            value = f"convert_to({GOOD[name]}, 'UTF8')" if kind == "bytea" else GOOD[name]
        else:
            continue
        parts.append(f"{name} => {value}")
    return f"SELECT * FROM verdict.{function}({', '.join(parts)})"


def test_no_text_becomes_a_statement(cluster, db):
    cluster.psql(SETUP, db)
    tried = refused = 0
    with cluster.connect(db) as conn:
        for function, arguments, replaced in list(calls(conn)):
            for payload in PAYLOADS:
                sql = call(function, arguments, replaced, payload, lambda text: psycopg.sql.quote(text, conn))
                tried += 1
                with conn.transaction(force_rollback=True):
                    try:
                        conn.execute(sql)
                    except psycopg.Error as error:
                        refused += 1
                        # 42601 is what a statement with a piece of the payload in it would say; XX000 what a slip of ours would.
                        if replaced not in PARSED:
                            assert error.sqlstate not in ("42601", "XX000"), f"{sql}\n{error}"
                assert conn.execute("SELECT to_regclass('canary') IS NOT NULL").fetchone() == (True,), sql
    print(f"{tried} calls, {refused} of them refused")
    assert tried > 500


@pytest.mark.parametrize("payload", PAYLOADS)
def test_names_that_are_such_texts_work(cluster, db, payload):
    """A table, its columns, its hook and its guard may be called like that."""
    with cluster.connect(db) as conn:
        quote = psycopg.sql.Identifier(payload).as_string(conn)
        text = psycopg.sql.quote(payload, conn)
        conn.execute(f"CREATE TABLE canary (x int); CREATE TABLE {quote} ({quote} text, body text, status text)")
        conn.execute(f"SELECT verdict.create_hook({text}, subject => '/id', fields => '{{\"body\":\"/body\"}}')")
        conn.execute(f"""SELECT verdict.guard({psycopg.sql.quote(quote, conn)}::regclass, {text}, key => {text}, content => '{{"body":"body"}}',
            on_missing => 'quarantine', on_denied => 'flag', flag_column => 'status', flag_value => {text}, name => {text})""")
        conn.execute(f"SELECT verdict.approve({text}, 'a', '{{\"body\":\"hi\"}}'), verdict.deny({text}, 'd', 1, {text})")
        conn.execute(f"INSERT INTO {quote} VALUES ('a', 'hi'), ('d', 'hi'), ({text}, 'held')")
        assert conn.execute(f"SELECT count(*) FROM {quote} WHERE status = {text}").fetchone() == (1,)
        conn.execute(f"SELECT verdict.release(id, {text}) FROM verdict.quarantine")
        assert conn.execute(f"SELECT count(*) FROM {quote}").fetchone() == (3,)
        conn.execute(f"SELECT * FROM verdict.reconcile({text}, {psycopg.sql.quote(quote, conn)}::regclass)")
        states = conn.execute(f"SELECT state FROM verdict.coverage() WHERE guard = {text}").fetchall()
        assert states == [("ok",)]
        blocked = dict(conn.execute(f"SELECT result, count(*) FROM verdict.self_test({psycopg.sql.quote(quote, conn)}::regclass) GROUP BY 1").fetchall())
        assert blocked["blocked"] > 15
        conn.execute(f"SELECT verdict.rename({psycopg.sql.quote(quote, conn)}::regclass, {psycopg.sql.quote(payload + '2', conn)})")
        conn.execute("SELECT * FROM canary")
