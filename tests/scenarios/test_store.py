"""The store: leaves made at run time, dump and restore, retirement."""

import json

import psycopg
import pytest

HOOK = """SELECT verdict.create_hook('h', subject => '/id', fields => '{"content": "/content"}')"""
TABLE = "CREATE TABLE m (id text PRIMARY KEY, content text)"
GUARD = """SELECT verdict.guard('m', 'h', key => 'id', content => '{"content": "content"}')"""


@pytest.fixture
def guarded(cluster):
    """A database with a guarded table m, and a function that connects to it."""
    dbname = cluster.fresh_db()
    with cluster.connect(dbname, autocommit=True) as conn:
        conn.execute(HOOK)
        conn.execute(TABLE)
        conn.execute(GUARD)
    return lambda **kw: cluster.connect(dbname, **kw)


def approve(conn, subject, content="x"):
    return conn.execute(
        "SELECT id FROM verdict.approve('h', %s, %s::jsonb)", (subject, json.dumps({"content": content}))
    ).fetchone()[0]


def refusal(conn, sql, params=None):
    with pytest.raises(psycopg.Error) as caught:
        conn.execute(sql, params)
    return caught.value


def test_recorder_makes_leaves_itself(guarded):
    with guarded(autocommit=True) as conn:
        assert conn.execute("SELECT count(*) FROM verdict.leaves").fetchone() == (0,)
        approve(conn, "a")
        # Today's, and tomorrow's ahead of time.
        assert conn.execute("SELECT count(*) FROM verdict.leaves").fetchone() == (2,)
        attached = conn.execute(
            "SELECT count(*) FROM pg_inherits WHERE inhparent = 'verdict.verdicts'::regclass"
        ).fetchone()
        assert attached == (2,)


def test_recording_does_not_wait_for_readers(guarded):
    with guarded(autocommit=False) as reader, guarded(autocommit=True) as conn:
        reader.execute("SELECT count(*) FROM verdict.verdicts")
        conn.execute("SET lock_timeout = '2s'")
        approve(conn, "a")
        assert conn.execute("SELECT count(*) FROM verdict.verdicts").fetchone() == (1,)


def test_a_long_validity_raises_the_horizon_once(guarded):
    with guarded(autocommit=True) as conn:
        conn.execute("SELECT verdict.approve('h', 'long', NULL, '30 days')")
        horizon = "SELECT horizon - ends FROM verdict.leaves WHERE starts <= now() AND now() < ends"
        raised = conn.execute(horizon).fetchone()[0]
        assert 30 <= raised.days <= 31
        # The short-lived denial must decide for as long as the approval that it replaced could have.
        conn.execute("SELECT verdict.deny('h', 'long')")
        kept = conn.execute("SELECT min(horizon) = max(horizon) FROM verdict.verdicts").fetchone()
        assert kept == (True,)
        assert conn.execute(horizon).fetchone()[0] == raised


def test_leaves_are_retired_past_horizon_and_retention_only(guarded):
    with guarded(autocommit=True) as conn:
        approve(conn, "a")
        assert conn.execute("SELECT count(*) FROM verdict.retire() WHERE retired").fetchone() == (0,)
        conn.execute("UPDATE verdict.leaves SET ends = ends - interval '99 days', horizon = horizon - interval '99 days'")
        conn.execute("UPDATE verdict.hooks SET legal_hold = true")
        held = conn.execute("SELECT retired, reason FROM verdict.retire() ORDER BY leaf").fetchall()
        assert held[0] == (False, "a hook of its verdicts is under legal hold")
        conn.execute("SELECT verdict.alter_hook('h', legal_hold => false)")
        assert conn.execute("SELECT count(*) FROM verdict.retire() WHERE retired").fetchone() == (1,)
        # The other leaf went with the first call: no verdict under hold was in it.
        assert conn.execute("SELECT count(*) FROM verdict.leaves").fetchone() == (0,)
        approve(conn, "b")
        assert conn.execute("INSERT INTO m VALUES ('b', 'x')").rowcount == 1


def test_dump_and_restore_keep_guards_verdicts_and_their_order(cluster):
    source, target = cluster.fresh_db(), cluster.fresh_db(extension=False)
    with cluster.connect(source, autocommit=True) as conn:
        conn.execute(HOOK)
        conn.execute(TABLE)
        conn.execute(GUARD)
        approve(conn, "kept")
        conn.execute("INSERT INTO m VALUES ('kept', 'x')")
        approve(conn, "turned")
        newest = conn.execute("SELECT id FROM verdict.deny('h', 'turned', 5001, 'no')").fetchone()[0]
    dump = cluster.run("pg_dump", dbname=source).stdout
    cluster.run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-1", dbname=target, input=dump)
    with cluster.connect(target, autocommit=True) as conn:
        assert conn.execute("SELECT id FROM m").fetchall() == [("kept",)]
        error = refusal(conn, "INSERT INTO m VALUES ('turned', 'x')")
        assert error.sqlstate == "VD002" and "5001 no" in str(error)
        assert refusal(conn, "INSERT INTO m VALUES ('nobody', 'x')").sqlstate == "VD001"
        assert refusal(conn, "UPDATE m SET content = 'y'").sqlstate == "VD005"
        # New ids go on behind the old ones: an old approval never outranks a new denial.
        assert approve(conn, "turned") > newest
        assert conn.execute("INSERT INTO m VALUES ('turned', 'x')").rowcount == 1


def test_a_message_transaction_in_two_phases_holds_its_verdict(make_cluster):
    cluster = make_cluster(conf={"max_prepared_transactions": "2"})
    dbname = cluster.fresh_db()
    with cluster.connect(dbname, autocommit=True) as conn, cluster.connect(dbname, autocommit=True) as other:
        for statement in (HOOK, TABLE, GUARD):
            conn.execute(statement)
        approve(conn, "a")
        conn.execute("BEGIN")
        conn.execute("INSERT INTO m VALUES ('a', 'x')")
        conn.execute("PREPARE TRANSACTION 'message'")
        other.execute("SET lock_timeout = '200ms'")
        error = refusal(other, "SELECT verdict.deny('h', 'a')")
        assert error.sqlstate == "55P03"
        conn.execute("COMMIT PREPARED 'message'")
        assert other.execute("SELECT outcome FROM verdict.deny('h', 'a')").fetchone() == ("denied",)


def test_a_schema_of_somebody_elses_is_refused(cluster):
    dbname = cluster.fresh_db(extension=False)
    cluster.psql("CREATE ROLE squatter", dbname)
    cluster.psql("CREATE SCHEMA verdict AUTHORIZATION squatter", dbname)
    with cluster.connect(dbname, autocommit=True) as conn:
        error = refusal(conn, "CREATE EXTENSION pg_verdict")
        assert error.sqlstate == "42501"
        assert "not a superuser" in str(error)
        conn.execute("DROP SCHEMA verdict")
        conn.execute("DROP ROLE squatter")
