"""Recorders beside each other: of different subjects they do not wait for each other, and no transaction fills the lock table."""

import json

import pytest

from harness.waiting import Background, locks_of

HOOK = """SELECT verdict.create_hook('h', subject => '/id', fields => '{"content": "/content"}')"""


def approve(conn, subject, valid_for=None):
    content = json.dumps({"content": "x"})
    return conn.execute("SELECT id FROM verdict.approve('h', %s, %s, %s)", (subject, content, valid_for)).fetchone()[0]


def leaves(conn):
    return conn.execute("SELECT count(*) FROM verdict.leaves").fetchone()[0]


HORIZON = "SELECT extract(epoch FROM horizon - now()) / 86400 FROM verdict.leaves WHERE starts <= now() AND now() < ends"


@pytest.fixture
def guarded(conn):
    conn.execute(HOOK)
    conn.execute("CREATE TABLE m (id text, content text)")
    conn.execute("SELECT verdict.guard('m', 'h', key => 'id', content => '{\"content\": \"content\"}')")
    return conn


def test_the_first_verdict_of_a_day_keeps_nobody_waiting(cluster, db, guarded):
    with cluster.connect(db, autocommit=False) as first, cluster.connect(db) as second:
        approve(first, "a")
        second.execute("SET lock_timeout = '2s'")
        approve(second, "b")
        guarded.execute("INSERT INTO m VALUES ('b', 'x')")
        first.rollback()
    # What was made for the first one's verdict stays: it is everybody's.
    assert leaves(guarded) == 2
    approve(guarded, "c")
    assert leaves(guarded) == 2


def test_a_longer_validity_keeps_nobody_waiting(cluster, db, guarded):
    approve(guarded, "z")
    with cluster.connect(db, autocommit=False) as first, cluster.connect(db) as second:
        approve(first, "a", "20 days")
        second.execute("SET lock_timeout = '2s'")
        approve(second, "b", "40 days")
        first.commit()
    assert 40 <= guarded.execute(HORIZON).fetchone()[0] <= 42


def test_many_recorders_meet_at_a_missing_leaf(cluster, db, guarded):
    sessions = [cluster.connect(db, autocommit=False) for _ in range(8)]
    started = [
        Background(session, "SELECT outcome FROM verdict.approve('h', %s, '{\"content\": \"x\"}', '30 days')", (str(i),))
        for i, session in enumerate(sessions)
    ]
    for waiting in started:
        assert waiting.result(deadline=20) == [("approved",)]
    for session in sessions:
        session.commit()
        session.close()
    assert leaves(guarded) == 2
    assert guarded.execute("SELECT count(*) FROM verdict.verdicts").fetchone() == (8,)


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
@pytest.mark.parametrize("workers", ["8", "0"])
def test_an_old_snapshot_raises_the_horizon_too(make_cluster, level, workers):
    cluster = make_cluster(conf={"max_worker_processes": workers})
    db = cluster.fresh_db()
    with cluster.connect(db) as conn, cluster.connect(db) as recorder:
        conn.execute(HOOK)
        recorder.execute(f"BEGIN ISOLATION LEVEL {level}")
        recorder.execute("SELECT count(*) FROM verdict.hooks")
        approve(conn, "a")
        approve(recorder, "b", "30 days")
        recorder.execute("COMMIT")
        assert 30 <= conn.execute(HORIZON).fetchone()[0] <= 32
        assert conn.execute("SELECT bool_and(v.horizon <= l.horizon) FROM verdict.verdicts AS v, verdict.leaves AS l"
                            " WHERE v.recorded_at >= l.starts AND v.recorded_at < l.ends").fetchone() == (True,)


def test_without_a_free_worker_the_recorder_makes_its_leaf_itself(make_cluster):
    cluster = make_cluster(conf={"max_worker_processes": "0"})
    db = cluster.fresh_db()
    with cluster.connect(db) as conn, cluster.connect(db, autocommit=False) as first, cluster.connect(db) as second:
        conn.execute(HOOK)
        approve(first, "a")
        waiting = Background(second, "SELECT outcome FROM verdict.approve('h', 'a')")
        assert waiting.wait_blocked(conn) == [first.info.backend_pid]
        first.commit()
        waiting.result()
        assert leaves(conn) == 2
        newest = "SELECT count(*), count(*) FILTER (WHERE superseded_by IS NULL) FROM verdict.verdicts"
        assert conn.execute(newest).fetchone() == (2, 1)


def test_recording_in_the_transaction_that_creates_the_extension(cluster):
    db = cluster.fresh_db(extension=False)
    with cluster.connect(db, autocommit=False) as conn:
        conn.execute("CREATE EXTENSION pg_verdict")
        conn.execute(HOOK)
        approve(conn, "a")
        approve(conn, "b", "30 days")
        conn.commit()
        assert leaves(conn) == 2
        assert 30 <= conn.execute(HORIZON).fetchone()[0] <= 32


def test_a_transaction_of_many_verdicts_holds_few_locks(cluster, db, guarded):
    with cluster.connect(db, autocommit=False) as bulk, cluster.connect(db) as other:
        bulk.execute("SELECT count(*) FROM generate_series(1, 3000) AS i, verdict.approve('h', i::text, '{\"content\": \"x\"}')")
        bulk.execute("SELECT count(*) FROM generate_series(1, 1000) AS i, verdict.deny('h', i::text)")
        assert len(locks_of(guarded, bulk.info.backend_pid)) < 50
        # Others go on, but for its own subjects.
        other.execute("SET lock_timeout = '2s'")
        approve(other, "another")
        waiting = Background(other, "SELECT outcome FROM verdict.deny('h', '3000')")
        assert waiting.wait_blocked(guarded) == [bulk.info.backend_pid]
        bulk.commit()
        assert waiting.result() == [("denied",)]
    newest = "SELECT outcome, count(*) FROM verdict.verdicts WHERE superseded_by IS NULL GROUP BY 1 ORDER BY 1"
    assert guarded.execute(newest).fetchall() == [("approved", 2000), ("denied", 1001)]


def test_a_transaction_of_many_held_rows_holds_few_locks(cluster, db, guarded):
    guarded.execute("SELECT verdict.alter_guard('m', 'h', on_missing => 'quarantine')")
    with cluster.connect(db, autocommit=False) as bulk:
        bulk.execute("INSERT INTO m SELECT i::text, 'x' FROM generate_series(1, 2000) AS i")
        assert len(locks_of(guarded, bulk.info.backend_pid)) < 50
        bulk.commit()
        released = bulk.execute(
            "SELECT count(*), count(*) FILTER (WHERE decided) FROM verdict.release_all('m', 'all are fine', at_most => 2000)").fetchone()
        assert released == (2000, 2000)
        assert len(locks_of(guarded, bulk.info.backend_pid)) < 50
        bulk.commit()
    assert guarded.execute("SELECT count(*) FROM m").fetchone() == (2000,)
