"""Verdicts in the publication: the subscriber makes the leaves itself, marks arrive, and a denial here denies there."""

import psycopg
import pytest
from harness.replication import CONF, Pair

HOOK = """SELECT verdict.create_hook('h', subject => '/id', fields => '{"content":"/content"}')"""
GUARD = """SELECT verdict.guard('m', 'h', key => 'id', content => '{"content":"content"}', locking => %s)"""
TABLE = "CREATE TABLE m (n int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id text, content text)"
# Order: a verdict needs its leaf, and its hook.
PUBLICATIONS = """
    CREATE PUBLICATION verdict_first FOR TABLE verdict.hooks, verdict.leaves WITH (publish = 'insert, update');
    CREATE PUBLICATION verdicts FOR TABLE verdict.verdicts WITH (publish = 'insert, update', publish_via_partition_root = {});
    CREATE PUBLICATION messages FOR TABLE m;
"""
VERDICTS = "id, recorded_at, expires_at, superseded_by, consumed_at, consumed_by, revokes, outcome, subject, digest, err_code"


@pytest.fixture(scope="module")
def two_servers(request):
    clusters = request.config.clusters
    made = [clusters.make("plain", CONF) for _ in range(2)]
    yield made
    for server in made:
        clusters.remove(server)


@pytest.fixture
def pair(two_servers):
    pair = Pair(*two_servers)
    pair.both(TABLE)
    pair.sub.execute("ALTER TABLE m ALTER n RESTART WITH 1000")  # sequences do not travel
    yield pair
    pair.close()


def sqlstate(conn, sql):
    with pytest.raises(psycopg.Error) as caught:
        conn.execute(sql)
    return caught.value.sqlstate


def approve(conn, *subjects, content="x"):
    for subject in subjects:
        conn.execute("SELECT verdict.approve('h', %s, jsonb_build_object('content', %s::text))", (subject, content))


def subscribe(pair):
    """As the runbook says: what verdicts need first, then the verdicts, then the messages."""
    pair.subscribe("verdict_first")
    for publication in ("verdicts", "messages"):
        pair.sub.execute(f"ALTER SUBSCRIPTION s ADD PUBLICATION {publication}")
        pair.wait()


def attached(conn):
    return conn.execute("SELECT l.name FROM verdict.leaves AS l JOIN pg_class AS c ON c.relname = l.name"
                        " JOIN pg_inherits AS i ON i.inhrelid = c.oid AND i.inhparent = 'verdict.verdicts'::regclass ORDER BY 1").fetchall()


@pytest.mark.parametrize("recorded", ["before", "after"])
@pytest.mark.parametrize("locking", ["share", "consume"])
def test_verdicts_and_their_marks_arrive(pair, locking, recorded):
    pair.pub.execute(HOOK)
    pair.pub.execute(GUARD, (locking,))
    pair.pub.execute(PUBLICATIONS.format("true"))

    def record():
        approve(pair.pub, "a", "b", "c")
        pair.pub.execute("SELECT verdict.deny('h', 'denied', 5001, 'no')")
        pair.pub.execute("INSERT INTO m (id, content) VALUES ('a', 'x')")
        pair.pub.execute("SELECT verdict.revoke('h', 'c', 'why')")

    if recorded == "before":
        record()
    subscribe(pair)
    pair.sub.execute(GUARD, (locking,))
    if recorded == "after":
        record()
    pair.wait()
    assert attached(pair.sub) == attached(pair.pub) != []
    assert len(pair.rows("verdict.verdicts", VERDICTS)) == 5
    assert [row[1:] for row in pair.rows("m")] == [("a", "x")]
    # An approved row makes no incident, though the publisher has spent its approval.
    assert pair.incidents() == []
    with pair.client() as client:
        client.execute("INSERT INTO m (id, content) VALUES ('b', 'x')")
        for subject, expected in (("denied", "VD002"), ("c", "VD007"), ("nobody", "VD001")):
            assert sqlstate(client, f"INSERT INTO m (id, content) VALUES ('{subject}', 'x')") == expected
        if locking == "consume":
            assert sqlstate(client, "INSERT INTO m (id, content) VALUES ('a', 'x')") == "VD006"
        # Denied there, it is denied here: also what a client of the subscriber has spent, or a row has relied on.
        for subject in ("a", "b"):
            pair.pub.execute("SELECT verdict.deny('h', %s, 5002, 'late')", (subject,))
        pair.wait()
        for subject in ("a", "b"):
            assert sqlstate(client, f"INSERT INTO m (id, content) VALUES ('{subject}', 'x')") == "VD002"
            assert client.execute("SELECT accepted, finding FROM verdict.status('h', %s)", (subject,)).fetchone() == (False, "denied")
        # And approved again.
        approve(pair.pub, "b", content="y")
        pair.wait()
        client.execute("INSERT INTO m (id, content) VALUES ('b', 'y')")
        if locking == "share":
            assert len(pair.rows("verdict.verdicts", VERDICTS)) == 8
    # What the publisher does not approve is an incident here.
    pair.pub.execute("SELECT verdict.break_glass('m', 'test', '1 hour')")
    pair.pub.execute("INSERT INTO m (id, content) VALUES ('denied', 'x')")
    pair.wait()
    assert pair.incidents() == [("public.m", "denied", "denied", "applied", "apply")]


@pytest.mark.parametrize("recorded", ["before", "after"])
def test_verdicts_and_messages_in_one_publication(pair, recorded):
    """Initial copies run at once and in any order: one that needs what another brings is made again until it has come."""
    pair.pub.execute(HOOK)
    pair.pub.execute(GUARD, ("share",))
    pair.pub.execute("CREATE PUBLICATION all_in_one FOR TABLE m, verdict.verdicts, verdict.leaves, verdict.hooks"
                     " WITH (publish_via_partition_root = true)")

    def record():
        approve(pair.pub, "a", "b")
        pair.pub.execute("SELECT verdict.deny('h', 'denied', 5001, 'no')")
        pair.pub.execute("INSERT INTO m (id, content) VALUES ('a', 'x')")

    if recorded == "before":
        record()
    pair.subscribe("all_in_one", may_retry=True)
    if recorded == "after":
        record()
    pair.wait(may_retry=True)
    pair.sub.execute(GUARD, ("share",))
    assert attached(pair.sub) == attached(pair.pub) != []
    assert len(pair.rows("verdict.verdicts", VERDICTS)) == 3
    pair.rows("m")
    # From here on one worker applies everything in the order of the publisher's commits, and meets no error.
    pair.forget_log()
    approve(pair.pub, "late")
    pair.pub.execute("INSERT INTO m (id, content) VALUES ('late', 'x')")
    pair.pub.execute("BEGIN; SELECT verdict.approve('h', 'same', '{\"content\":\"x\"}');"
                     " INSERT INTO m (id, content) VALUES ('same', 'x'); COMMIT")
    pair.wait()
    assert [row[1] for row in pair.rows("m", "n, id")] == ["a", "late", "same"]
    assert pair.incidents() == []
    with pair.client() as client:
        client.execute("INSERT INTO m (id, content) VALUES ('b', 'x')")
        for subject, expected in (("denied", "VD002"), ("nobody", "VD001")):
            assert sqlstate(client, f"INSERT INTO m (id, content) VALUES ('{subject}', 'x')") == expected


def test_a_client_here_does_not_hold_up_what_comes(pair):
    pair.pub.execute(HOOK)
    pair.pub.execute(PUBLICATIONS.format("true"))
    subscribe(pair)
    pair.sub.execute(GUARD, ("share",))
    approve(pair.pub, "a")
    pair.wait()
    with pair.client(autocommit=False) as moderator:
        # It has superseded the verdict and does not commit: a client would wait for it. A replicated row does not.
        moderator.execute("SELECT verdict.deny('h', 'a')")
        pair.pub.execute("INSERT INTO m (id, content) VALUES ('a', 'x')")
        pair.wait()
        moderator.rollback()
    assert pair.incidents() == []


def test_ids_of_a_promoted_subscriber_go_on(pair):
    """Sequences do not travel: recording here must not hand out ids below those that came."""
    pair.pub.execute(HOOK)
    pair.pub.execute(PUBLICATIONS.format("true"))
    subscribe(pair)
    pair.sub.execute(GUARD, ("share",))
    approve(pair.pub, "a", "b", "b", "b")
    pair.wait()
    pair.sub.execute("ALTER SUBSCRIPTION s DISABLE")
    highest = pair.sub.execute("SELECT max(id) FROM verdict.verdicts").fetchone()[0]
    assert pair.sub.execute("SELECT id FROM verdict.deny('h', 'b')").fetchone()[0] > highest
    assert pair.sub.execute("SELECT accepted FROM verdict.status('h', 'b')").fetchone() == (False,)
    assert sqlstate(pair.sub, "INSERT INTO m (id, content) VALUES ('b', 'x')") == "VD002"


def test_a_mark_that_did_not_find_its_verdict(pair):
    """A verdict that a client here has spent differs from the publisher's: the publisher's mark does not find it. What is newer
    is newer all the same, wherever in the table it lies."""
    pair.sub.execute(HOOK)
    pair.sub.execute(GUARD, ("consume",))
    approve(pair.sub, "a")
    pair.sub.execute("INSERT INTO m (id, content) VALUES ('a', 'x')")
    pair.sub.execute("SELECT verdict.deny('h', 'a', 5001, 'no')")
    pair.sub.execute("CREATE TEMP TABLE kept AS SELECT * FROM verdict.verdicts; DELETE FROM verdict.verdicts;"
                     " UPDATE kept SET superseded_by = NULL; INSERT INTO verdict.verdicts SELECT * FROM kept ORDER BY id DESC")
    assert pair.sub.execute("SELECT finding FROM verdict.status('h', 'a')").fetchone() == ("denied",)
    assert sqlstate(pair.sub, "INSERT INTO m (id, content) VALUES ('a', 'x')") == "VD002"


def test_partition_by_partition_needs_a_refresh_per_leaf(pair):
    """publish_via_partition_root = false: each leaf is a table of its own, which the subscription does not know until told."""
    pair.pub.execute(HOOK)
    pair.pub.execute(PUBLICATIONS.format("false"))
    subscribe(pair)
    pair.sub.execute(GUARD, ("share",))
    approve(pair.pub, "a")
    pair.pub.execute("SELECT verdict.deny('h', 'a')")
    pair.wait()
    assert attached(pair.sub) == attached(pair.pub) != []
    assert pair.sub.execute("SELECT count(*) FROM verdict.verdicts").fetchone() == (0,)
    pair.sub.execute("ALTER SUBSCRIPTION s REFRESH PUBLICATION")
    pair.wait()
    assert [row[1] for row in pair.rows("verdict.verdicts", "id, outcome")] == ["approved", "denied"]
    pair.pub.execute("SELECT verdict.approve('h', 'a', '{\"content\":\"x\"}')")
    pair.wait()
    assert [row[1] is None for row in pair.rows("verdict.verdicts", "id, superseded_by")] == [False, False, True]
    pair.sub.execute("INSERT INTO m (id, content) VALUES ('a', 'x')")


def test_a_publication_of_all_tables_does_not_break_the_publisher(pair):
    """Updates and deletes need a replica identity once they are published."""
    pair.pub.execute(HOOK)
    pair.pub.execute(GUARD, ("consume",))
    pair.pub.execute("CREATE PUBLICATION everything FOR ALL TABLES")
    approve(pair.pub, "a")
    pair.pub.execute("INSERT INTO m (id, content) VALUES ('a', 'x')")
    pair.pub.execute("SELECT verdict.alter_guard('m', 'h', mode => 'observe', on_missing => 'quarantine')")
    pair.pub.execute("INSERT INTO m (id, content) VALUES ('b', 'x')")
    assert pair.pub.execute("SELECT judged FROM verdict.readiness('m')").fetchone() == (1,)
    pair.pub.execute("SELECT verdict.alter_guard('m', 'h', mode => 'enforce')")
    pair.pub.execute("INSERT INTO m (id, content) VALUES ('c', 'x')")
    pair.pub.execute("SELECT verdict.release(id, 'ok') FROM verdict.quarantine")
    pair.pub.execute("SELECT verdict.break_glass('m', 'why', '1 hour')")
    pair.pub.execute("SELECT verdict.restore_glass('m')")
    pair.pub.execute("UPDATE verdict.leaves SET ends = ends - interval '99 days', horizon = horizon - interval '99 days'")
    pair.pub.execute("DELETE FROM verdict.observed; UPDATE verdict.incidents SET at = at - interval '999 days'")
    assert pair.pub.execute("SELECT count(*) > 0 FROM verdict.retire() WHERE retired").fetchone() == (True,)
    pair.pub.execute("SELECT verdict.unguard('m', 'h', 'why')")
