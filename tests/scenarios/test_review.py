"""Quarantine as reviewers, drivers and operators meet it."""

import json
import time

import psycopg
import pytest
from harness.waiting import Background

SETUP = """
    CREATE TABLE msgs (id text PRIMARY KEY, body text, n int);
    SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
    SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', on_missing => 'quarantine',
        on_altered => 'quarantine');
    SELECT verdict.approve('h', i::text, '{"body":"hi"}') FROM generate_series(1, 5) AS i;
    SELECT verdict.deny('h', 'd', 5001, 'no spam');
"""


@pytest.fixture
def held(cluster, db):
    """A database in which row 1 of the quarantine is held."""
    cluster.psql(SETUP, db)
    cluster.psql("INSERT INTO msgs VALUES ('a', 'hi', 1)", db)
    return db


def refused(call):
    with pytest.raises(psycopg.Error) as caught:
        call()
    return caught.value


def quarantine(conn):
    return conn.execute("SELECT subject, state, times FROM verdict.quarantine ORDER BY id").fetchall()


@pytest.mark.parametrize("second", ["release", "refuse"])
def test_two_reviewers_at_once(cluster, held, second):
    with cluster.connect(held) as observer, cluster.connect(held, autocommit=False) as one, cluster.connect(held) as two:
        one.execute("SELECT verdict.release(1, 'fine')")
        waiting = Background(two, f"SELECT verdict.{second}(1, 'me too')")
        assert waiting.wait_blocked(observer) == [one.info.backend_pid]
        one.commit()
        error = waiting.error()
        assert error.sqlstate == "55000"
        assert error.diag.message_primary.startswith("row 1 was released by postgres at ")
        assert observer.execute("SELECT count(*) FROM msgs").fetchone() == (1,)
        assert observer.execute("SELECT outcome, reason FROM verdict.verdicts WHERE subject = 'a'").fetchall() == [
            ("approved", "fine")]


def test_a_reviewer_who_gives_up_leaves_it_to_the_next(cluster, held):
    with cluster.connect(held) as observer, cluster.connect(held, autocommit=False) as one, cluster.connect(held) as two:
        one.execute("SELECT verdict.refuse(1, 'no')")
        waiting = Background(two, "SELECT verdict.release(1, 'fine')")
        waiting.wait_blocked(observer)
        one.rollback()
        waiting.result()
        assert quarantine(observer) == [("a", "released", 1)]


def test_batches_of_the_same_rows_in_another_order(cluster, held):
    with cluster.connect(held, autocommit=False) as one, cluster.connect(held, autocommit=False) as two:
        for conn in (one, two):
            conn.execute("SET lock_timeout = '5s'")
        one.execute("INSERT INTO msgs VALUES ('b', 'hi', 1)")
        two.execute("INSERT INTO msgs VALUES ('c', 'hi', 1)")
        # Neither waits for the other, which would be a deadlock. What cannot be seen yet is held a second time.
        one.execute("INSERT INTO msgs VALUES ('c', 'hi', 1)")
        two.execute("INSERT INTO msgs VALUES ('b', 'hi', 1)")
        one.commit()
        two.commit()
        assert sorted(quarantine(one)[1:]) == [("b", "held", 1), ("b", "held", 1), ("c", "held", 1), ("c", "held", 1)]


def test_a_batch_that_comes_again_waits_for_the_first(cluster, held):
    batch = "INSERT INTO msgs VALUES ('b', 'hi', 1), ('c', 'hi', 1), ('e', 'hi', 1)"
    with cluster.connect(held) as observer, cluster.connect(held, autocommit=False) as one, cluster.connect(held) as two:
        one.execute(batch)
        waiting = Background(two, batch)
        assert waiting.wait_blocked(observer) == [one.info.backend_pid]
        one.commit()
        assert waiting.result() == 0
        assert quarantine(observer)[1:] == [("b", "held", 2), ("c", "held", 2), ("e", "held", 2)]


def test_two_sessions_hold_the_same_row_at_once(cluster, held):
    with cluster.connect(held) as observer, cluster.connect(held, autocommit=False) as one, cluster.connect(held) as two:
        one.execute("INSERT INTO msgs VALUES ('b', 'hi', 1)")
        waiting = Background(two, "INSERT INTO msgs VALUES ('b', 'hi', 1)")
        assert waiting.wait_blocked(observer) == [one.info.backend_pid]
        one.commit()
        assert waiting.result() == 0
        assert quarantine(observer)[1:] == [("b", "held", 2)]
        # the first one's is rolled back: the second one's is its own
        one.execute("INSERT INTO msgs VALUES ('c', 'hi', 1)")
        waiting = Background(two, "INSERT INTO msgs VALUES ('c', 'hi', 1)")
        waiting.wait_blocked(observer)
        one.rollback()
        waiting.result()
        assert quarantine(observer)[2:] == [("c", "held", 1)]


def test_a_resend_that_meets_a_reviewer_is_held_anew(cluster, held):
    """The reviewer's decision was not about the row that comes while it is made: that one must not be lost."""
    with cluster.connect(held) as observer, cluster.connect(held, autocommit=False) as reviewer, cluster.connect(held) as chat:
        reviewer.execute("SELECT verdict.refuse(1, 'no')")
        waiting = Background(chat, "INSERT INTO msgs VALUES ('a', 'hi', 1)")
        assert waiting.wait_blocked(observer) == [reviewer.info.backend_pid]
        reviewer.rollback()
        waiting.result()
        assert quarantine(observer) == [("a", "held", 2)]
        reviewer.execute("SELECT verdict.refuse(1, 'no')")
        waiting = Background(chat, "INSERT INTO msgs VALUES ('a', 'hi', 1)")
        waiting.wait_blocked(observer)
        reviewer.commit()
        waiting.result()
        assert quarantine(observer) == [("a", "refused", 2), ("a", "held", 1)]
        told = observer.execute("SELECT quarantine_id FROM verdict.incidents ORDER BY id DESC LIMIT 1").fetchone()
        assert told == observer.execute("SELECT max(id) FROM verdict.quarantine").fetchone()


def test_what_a_driver_sees(cluster, held):
    with cluster.connect(held) as conn:
        # RETURNING gives no row for a row that was left out, simple and extended, prepared and not
        insert = "INSERT INTO msgs VALUES (%s, %s, %s) RETURNING id"
        for prepare in (None, True, False):
            assert conn.execute(insert, ("x", "hi", 1), prepare=prepare).fetchall() == []
        assert conn.execute("INSERT INTO msgs VALUES ('x', 'hi', 1)").rowcount == 0
        assert conn.execute(insert, ("1", "hi", 1)).fetchall() == [("1",)]
        cursor = conn.cursor()
        cursor.executemany(insert, [("2", "hi", 1), ("y", "hi", 1), ("3", "hi", 1)], returning=True)
        seen = []
        while True:
            seen.append(cursor.fetchall())
            if not cursor.nextset():
                break
        assert seen == [[("2",)], [], [("3",)]]
        cursor.executemany("INSERT INTO msgs VALUES (%s, %s)", [("z", "hi"), ("4", "hi")])
        assert cursor.rowcount == 1
        # a pipeline, in which one row is held and one refused
        with pytest.raises(psycopg.Error) as caught, conn.pipeline():
            conn.execute("INSERT INTO msgs VALUES ('p', 'hi')")
            conn.execute("INSERT INTO msgs VALUES ('d', 'hi')")
        assert caught.value.sqlstate == "VD002"
        assert quarantine(conn) == [("a", "held", 1), ("x", "held", 4), ("y", "held", 1), ("z", "held", 1)]
        assert conn.execute("UPDATE msgs SET body = 'ho' WHERE id = '1' RETURNING id").fetchall() == []


def test_copy_from_a_driver(cluster, held):
    with cluster.connect(held) as conn:
        cursor = conn.cursor()
        with cursor.copy("COPY msgs (id, body) FROM STDIN (FORMAT binary)") as out:
            out.set_types(["text", "text"])
            for subject in ("1", "x", "2", "x", "y", "3"):
                out.write_row((subject, "hi"))
        assert cursor.rowcount == 3
        assert conn.execute("SELECT array_agg(id ORDER BY id) FROM msgs").fetchone() == (["1", "2", "3"],)
        assert quarantine(conn) == [("a", "held", 1), ("x", "held", 2), ("y", "held", 1)]


def test_another_guards_word_reaches_the_reviewer_whole(cluster, held):
    with cluster.connect(held) as conn:
        conn.execute("SELECT verdict.create_hook('h2', subject => '/id', fields => '{\"body\":\"/body\"}')")
        conn.execute("SELECT verdict.guard('msgs', 'h2', key => 'id', name => 'second')")
        conn.execute("SELECT verdict.deny('h2', 'a', 4711, 'not here')")
        error = refused(lambda: conn.execute("SELECT verdict.release(1, 'fine')"))
        assert error.sqlstate == "VD002"
        diag = error.diag
        assert diag.message_primary == 'VD002 denied: row for table public.msgs refused by guard "second": 4711 not here'
        assert json.loads(diag.message_detail)["guard"] == "second"
        assert (diag.schema_name, diag.table_name, diag.constraint_name) == ("public", "msgs", "second")
        assert "INSERT INTO public.msgs" in diag.context
        assert quarantine(conn) == [("a", "held", 1)]
        # in bulk: the same words, and the others go on
        conn.execute("SELECT verdict.approve('h2', 'b')")
        conn.execute("INSERT INTO msgs VALUES ('b', 'hi')")
        rows = conn.execute("SELECT decided, problem FROM verdict.release_all('msgs', 'fine')").fetchall()
        assert rows[0][0] is False and rows[0][1].startswith(diag.message_primary) and rows[1] == (True, None)


def test_a_cancelled_review_decides_nothing_more(cluster, held):
    with cluster.connect(held) as observer, cluster.connect(held, autocommit=False) as holder, cluster.connect(held) as reviewer:
        cluster.psql("INSERT INTO msgs VALUES ('b', 'hi')", held)
        holder.execute("SELECT FROM verdict.quarantine WHERE subject = 'b' FOR UPDATE")
        waiting = Background(reviewer, "SELECT * FROM verdict.release_all('msgs', 'fine')")
        waiting.wait_blocked(observer)
        reviewer.cancel()
        assert waiting.error().sqlstate == "57014"
        assert quarantine(observer) == [("a", "held", 1), ("b", "held", 1)]
        holder.rollback()
        reviewer.execute("SET lock_timeout = '100ms'")
        holder.execute("SELECT FROM verdict.quarantine WHERE subject = 'b' FOR UPDATE")
        rows = reviewer.execute("SELECT decided, problem FROM verdict.release_all('msgs', 'fine')").fetchall()
        assert rows == [(True, None), (False, "canceling statement due to lock timeout")]


def test_held_rows_survive_a_crash_and_a_restore(make_cluster):
    server = make_cluster()
    db = server.fresh_db()
    server.psql(SETUP, db)
    server.psql("INSERT INTO msgs VALUES ('a', E'tab\\t\\\\ ü', 1), ('b', 'hi', 2), ('b', 'hi', 2); SELECT verdict.refuse(2, 'no')", db)
    server.crash()
    server.start()
    dump = server.run("pg_dump", dbname=db).stdout
    restored = server.fresh_db(extension=False)
    server.run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-1", dbname=restored, input=dump)
    for name in (db, restored):
        with server.connect(name) as conn:
            assert quarantine(conn) == [("a", "held", 1), ("b", "refused", 2)]
            assert conn.execute("SELECT count(*) FROM verdict.incidents").fetchone() == (3,)
            conn.execute("SELECT verdict.release(1, 'fine')")
            assert conn.execute("SELECT * FROM msgs").fetchall() == [("a", "tab\t\\ ü", 1)]
            # new ids go on behind the old ones, and what was refused is held again
            conn.execute("INSERT INTO msgs VALUES ('c', 'hi')")
            assert conn.execute("SELECT max(id) FROM verdict.quarantine").fetchone()[0] > 2
            assert refused(lambda: conn.execute("INSERT INTO msgs VALUES ('b', 'hi', 2)")).sqlstate == "VD002"


def test_a_row_that_is_too_large_is_refused_before_memory_is_spent(cluster, held):
    with cluster.connect(held) as conn:
        def peak():
            with open(f"/proc/{conn.info.backend_pid}/status") as status:
                return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) // 1024
        conn.execute("INSERT INTO msgs VALUES ('big', repeat('x', 1000))")
        conn.execute("SELECT length(repeat('x', 300 * 1024 * 1024))")
        before = peak()
        error = refused(lambda: conn.execute("INSERT INTO msgs VALUES ('big', repeat('x', 300 * 1024 * 1024))"))
        print(f"a row of 300 MiB: {before} MiB for the value alone, {peak()} MiB with the refusal")
        assert error.sqlstate == "VD001"
        assert "cannot be held: at most 268435456 can" in error.diag.message_hint
        # the value, and what its digest needs of it; no text of it, no copy in the quarantine
        assert peak() - before < 400
        assert conn.execute("SELECT count(*) FROM verdict.quarantine").fetchone() == (2,)


def test_twenty_thousand_held_rows(cluster, held):
    rows = 20_000
    with cluster.connect(held) as conn:
        def contexts():
            return conn.execute("SELECT sum(total_bytes)::int8 FROM pg_backend_memory_contexts").fetchone()[0]

        def peak():
            with open(f"/proc/{conn.info.backend_pid}/status") as status:
                return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) // 1024

        def timed(what, sql):
            start = time.monotonic()
            found = conn.execute(sql).fetchone()
            took = time.monotonic() - start
            print(f"{what}: {took:.2f} s, at most {peak()} MiB")
            assert took < 120
            return found
        conn.execute("DELETE FROM verdict.quarantine")
        start = time.monotonic()
        conn.execute(f"INSERT INTO msgs SELECT 's' || i, 'hi', i FROM generate_series(1, {rows}) AS i")
        print(f"{rows} rows held: {time.monotonic() - start:.1f} s, at most {peak()} MiB")
        assert conn.execute("SELECT count(*) FROM verdict.quarantine").fetchone() == (rows,)
        # as recorders do: a transaction for a few, each of which takes a lock
        for i in range(0, rows // 2, 1000):
            conn.execute("SELECT verdict.approve('h', 's' || i, '{\"body\":\"hi\"}') FROM generate_series(%s::int, %s) AS i", (i + 1, i + 1000))
        before = contexts()
        settled = timed("half of them settled", "SELECT count(*) FILTER (WHERE decision = 'released'), count(*) FROM verdict.settle('msgs')")
        assert settled == (rows // 2, rows // 2)
        for _ in range(rows // 2 // 1000):
            released = timed("a thousand released", "SELECT count(*) FILTER (WHERE decided), count(*) FROM verdict.release_all('msgs', 'fine')")
            assert released == (1000, 1000)
        assert conn.execute("SELECT count(*) FROM msgs").fetchone() == (rows,)
        assert contexts() - before < 16 * 1024 * 1024
        assert peak() < 400
