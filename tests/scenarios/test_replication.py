"""Logical replication: what comes from a publisher is never refused, changed or left out, and every unapproved row is an incident."""

import psycopg
import pytest
from harness.replication import CONF, Pair
from harness.waiting import wait_until

ACTIONS = ("reject", "flag", "quarantine", "discard")
HOOK = """SELECT verdict.create_hook('h', subject => '/id', fields => '{"content":"/content"}')"""
MAPPING = """key => 'id', content => '{"content":"content"}'"""


@pytest.fixture(scope="module")
def two_servers(request):
    clusters = request.config.clusters
    made = [clusters.make("plain", CONF) for _ in range(2)]
    for server in made:
        server.psql("CREATE ROLE app")
    yield made
    for server in made:
        clusters.remove(server)


@pytest.fixture
def pair(two_servers):
    pair = Pair(*two_servers)
    yield pair
    pair.close()


def sqlstate(conn, sql):
    with pytest.raises(psycopg.Error) as caught:
        conn.execute(sql)
    return caught.value.sqlstate


def make_tables(pair):
    """One table per action, owned by somebody who is no superuser: then the worker applies as that role (16 and later)."""
    for action in ACTIONS:
        pair.both(f"CREATE TABLE m_{action} (id text PRIMARY KEY, content text, flag int NOT NULL DEFAULT 0)")
        pair.both(f"ALTER TABLE m_{action} OWNER TO app")


def guard_tables(conn, **more):
    conn.execute(HOOK)
    given = "".join(f", {name} => '{value}'" for name, value in more.items())
    for action in ACTIONS:
        flag = ", flag_column => 'flag', flag_value => '1'" if action == "flag" else ""
        # An edit that no verdict could allow is not held: the pair is refused.
        altered = "reject" if action == "quarantine" and more.get("edits") == "refuse" else action
        conn.execute(f"SELECT verdict.guard('m_{action}', 'h', {MAPPING}{flag}, on_missing => '{action}',"
                     f" on_denied => '{action}', on_altered => '{altered}'{given})")


def approve(conn, *subjects, content="x"):
    for subject in subjects:
        conn.execute("SELECT verdict.approve('h', %s, jsonb_build_object('content', %s::text))", (subject, content))


@pytest.mark.parametrize("where", ["publisher", "subscriber", "both"])
def test_initial_copy_and_stream(pair, where):
    make_tables(pair)
    for conn, role in ((pair.pub, "publisher"), (pair.sub, "subscriber")):
        if where in (role, "both"):
            guard_tables(conn)
            approve(conn, "old good", "new good")
            conn.execute("SELECT verdict.deny('h', 'denied', 5001, 'no')")
    if where != "subscriber":
        # So that unapproved rows are stored there, and travel.
        for action in ACTIONS:
            pair.pub.execute(f"SELECT verdict.break_glass('m_{action}', 'test', '1 hour')")
    for action in ACTIONS:
        pair.pub.execute(f"INSERT INTO m_{action} (id, content) VALUES ('old good', 'x'), ('old bad', 'x')")
    pair.pub.execute("CREATE PUBLICATION p FOR TABLE m_reject, m_flag, m_quarantine, m_discard")
    pair.subscribe("p", copy_data="true")
    for action in ACTIONS:
        pair.pub.execute(f"INSERT INTO m_{action} (id, content) VALUES ('new good', 'x'), ('new bad', 'x'), ('denied', 'x')")
        pair.pub.execute(f"UPDATE m_{action} SET content = 'y' WHERE id IN ('old good', 'new good')")
        pair.pub.execute(f"UPDATE m_{action} SET flag = 7 WHERE id = 'old bad'")
        pair.pub.execute(f"UPDATE m_{action} SET content = 'x' WHERE id = 'new good'")
        pair.pub.execute(f"DELETE FROM m_{action} WHERE id = 'old bad'")
    pair.wait()
    for action in ACTIONS:
        assert [row[:2] for row in pair.rows(f"m_{action}")] == [
            ("denied", "x"), ("new bad", "x"), ("new good", "x"), ("old good", "y")]
    if where == "publisher":
        assert pair.incidents() == []
        for action in ACTIONS:
            pair.sub.execute(f"INSERT INTO m_{action} (id, content) VALUES ('client', 'x')")
        return
    # The update by which 'new good' comes back to what was approved is none; neither is one of another column.
    assert pair.incidents() == [
        (f"public.m_{action}", subject, finding, "applied", "apply")
        for action in sorted(ACTIONS)
        for subject, finding in (("old bad", "missing"), ("new bad", "missing"), ("denied", "denied"), ("old good", "altered"),
                                 ("new good", "altered"))]
    assert pair.sub.execute("SELECT count(*) FROM verdict.quarantine").fetchone() == (0,)
    # A client of the subscriber is a client.
    insert = "INSERT INTO m_{} (id, content) VALUES ('client', 'x')"
    assert sqlstate(pair.sub, insert.format("reject")) == "VD001"
    for action in ("flag", "quarantine", "discard"):
        pair.sub.execute(insert.format(action))
    assert pair.sub.execute("SELECT flag FROM m_flag WHERE id = 'client'").fetchall() == [(1,)]
    assert pair.sub.execute("SELECT FROM m_quarantine WHERE id = 'client' UNION ALL SELECT FROM m_discard WHERE id = 'client'").fetchall() == []
    assert [row[2:] for row in pair.incidents()[-1:]] == [("altered", "applied", "apply")]
    done = pair.sub.execute("SELECT done, path FROM verdict.incidents WHERE subject = 'client' ORDER BY id").fetchall()
    assert done == [("flagged", "client"), ("held", "client"), ("discarded", "client")]


@pytest.mark.parametrize("edits", ["enforce", "refuse", "allow"])
def test_edits(pair, edits):
    make_tables(pair)
    guard_tables(pair.sub, edits=edits)
    approve(pair.sub, "a")
    pair.pub.execute("CREATE PUBLICATION p FOR TABLE m_reject, m_flag, m_quarantine, m_discard")
    pair.subscribe("p")
    for action in ACTIONS:
        pair.pub.execute(f"INSERT INTO m_{action} (id, content) VALUES ('a', 'x')")
        pair.pub.execute(f"UPDATE m_{action} SET content = 'edited' WHERE id = 'a'")
    pair.wait()
    for action in ACTIONS:
        assert pair.rows(f"m_{action}") == [("a", "edited", 0)]
    expected = [] if edits == "allow" else [("a", "altered", "applied", "apply")] * 4
    assert [row[1:] for row in pair.incidents()] == expected
    if edits == "refuse":
        assert sqlstate(pair.sub, "UPDATE m_reject SET content = 'x'") == "VD005"


def streaming_modes(server):
    return ["on"] + (["parallel"] if server.major >= 16 else [])


def test_a_large_transaction_is_streamed(pair):
    make_tables(pair)
    guard_tables(pair.sub)
    approve(pair.sub, "good0")
    pair.pub.execute("CREATE PUBLICATION p FOR TABLE m_reject, m_flag, m_quarantine, m_discard")
    expected = 0
    for mode in streaming_modes(pair.servers[1]):
        pair.subscribe("p", name=f"streamed_{mode}", streaming=mode, copy_data="false")
        with pair.pub.transaction():
            for action in ACTIONS:
                pair.pub.execute(f"INSERT INTO m_{action} (id, content) SELECT CASE i WHEN 0 THEN 'good0' ELSE 'bad' || i END, 'x'"
                                 " FROM generate_series(0, 2000) AS i")
            with pair.pub.transaction(force_rollback=True):
                pair.pub.execute("INSERT INTO m_reject (id, content) SELECT 'gone' || i, 'x' FROM generate_series(0, 2000) AS i")
        pair.wait(f"streamed_{mode}")
        assert pair.pub.execute("SELECT stream_txns > 0 FROM pg_stat_replication_slots WHERE slot_name LIKE %s",
                                (f"streamed_{mode}%",)).fetchone() == (True,)
        expected += 4 * 2000
        assert pair.sub.execute("SELECT count(*), count(*) FILTER (WHERE path = 'apply' AND done = 'applied' AND finding = 'missing')"
                                " FROM verdict.incidents").fetchone() == (expected, expected)
        for action in ACTIONS:
            assert len(pair.rows(f"m_{action}")) == 2001
        # The next round begins with the same rows again.
        pair.pub.execute("DELETE FROM m_reject; DELETE FROM m_flag; DELETE FROM m_quarantine; DELETE FROM m_discard")
        pair.wait(f"streamed_{mode}")
        pair.sub.execute(f"DROP SUBSCRIPTION streamed_{mode}")


@pytest.mark.parametrize("mode", ["enforce", "observe"])
def test_prepared_transactions(pair, mode):
    make_tables(pair)
    guard_tables(pair.sub, mode=mode)
    approve(pair.sub, "good")
    pair.pub.execute("CREATE PUBLICATION p FOR TABLE m_reject, m_flag, m_quarantine, m_discard")
    pair.subscribe("p", two_phase="true", streaming="on")
    wait_until(lambda: pair.sub.execute("SELECT subtwophasestate = 'e' FROM pg_subscription WHERE subname = 's' AND subdbid ="
                                        " (SELECT oid FROM pg_database WHERE datname = current_database())").fetchone()[0],
               30, "two_phase is on")
    for name, rows in (("kept", 3), ("kept_large", 2000), ("dropped", 3)):
        with pair.pub.transaction(force_rollback=False):
            pass
        pair.pub.execute("BEGIN")
        for action in ACTIONS:
            pair.pub.execute(f"INSERT INTO m_{action} (id, content) SELECT '{name}' || i, 'x' FROM generate_series(1, {rows}) AS i")
        pair.pub.execute(f"PREPARE TRANSACTION '{name}_{pair.names[0]}'")
        there = "SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()"
        wait_until(lambda: pair.failed() or pair.sub.execute(there).fetchone() == (1,), 30, f"{name} is prepared on the subscriber")
        assert pair.sub.execute("SELECT count(*) FROM m_reject WHERE id LIKE %s", (f"{name}%",)).fetchone() == (0,)
        end = "ROLLBACK" if name == "dropped" else "COMMIT"
        pair.pub.execute(f"{end} PREPARED '{name}_{pair.names[0]}'")
        pair.wait()
        assert pair.sub.execute(there).fetchone() == (0,)
    for action in ACTIONS:
        assert len(pair.rows(f"m_{action}")) == 2003
    assert pair.sub.execute("SELECT relation, count(*), min(done), max(path) FROM verdict.incidents GROUP BY relation ORDER BY 1").fetchall() == [
        (f"public.m_{action}", 2003, "applied", "apply") for action in sorted(ACTIONS)]


def test_partitions(pair):
    pair.both("CREATE TABLE parts (id text, content text, kind int, PRIMARY KEY (id, kind)) PARTITION BY LIST (kind)")
    for kind in (1, 2):
        pair.both(f"CREATE TABLE parts{kind} PARTITION OF parts FOR VALUES IN ({kind})")
    pair.sub.execute(HOOK)
    pair.sub.execute(f"SELECT verdict.guard('parts', 'h', {MAPPING}, on_missing => 'quarantine')")
    approve(pair.sub, "good")
    pair.pub.execute("INSERT INTO parts VALUES ('good', 'x', 1), ('bad', 'x', 1)")
    for via_root in ("false", "true"):
        pair.pub.execute(f"CREATE PUBLICATION p_{via_root} FOR TABLE parts WITH (publish_via_partition_root = {via_root})")
        pair.subscribe(f"p_{via_root}", name=f"s_{via_root}", copy_data="true")
        pair.pub.execute("UPDATE parts SET kind = 2 WHERE id = 'good'")
        pair.pub.execute("INSERT INTO parts VALUES ('bad2', 'x', 2)")
        pair.wait(f"s_{via_root}")
        assert pair.rows("parts") == [("bad", "x", 1), ("bad2", "x", 2), ("good", "x", 2)]
        assert [(row[1], row[3], row[4]) for row in pair.incidents()] == [("bad", "applied", "apply"), ("bad2", "applied", "apply")]
        pair.sub.execute(f"DROP SUBSCRIPTION s_{via_root}")
        pair.sub.execute("TRUNCATE parts, verdict.incidents")
        pair.pub.execute("DELETE FROM parts WHERE id = 'bad2'; UPDATE parts SET kind = 1 WHERE id = 'good'")


def test_a_session_in_replica_role(pair):
    make_tables(pair)
    guard_tables(pair.sub)
    pair.sub.execute("SET session_replication_role = replica")
    assert sqlstate(pair.sub, "INSERT INTO m_reject VALUES ('r', 'x')") == "VD001"
    pair.sub.execute("INSERT INTO m_discard VALUES ('r', 'x')")
    assert pair.sub.execute("SELECT count(*) FROM m_discard").fetchone() == (0,)
    pair.sub.execute("RESET session_replication_role; TRUNCATE verdict.incidents")
    for action in ACTIONS:
        pair.sub.execute(f"SELECT verdict.alter_guard('m_{action}', 'h', replica_role => 'apply')")
        assert pair.sub.execute("SELECT differs FROM verdict.coverage() WHERE state = 'note' AND relation = %s",
                                (f"public.m_{action}",)).fetchone() == ("sessions in replica role are not refused",)
    assert sqlstate(pair.sub, "INSERT INTO m_reject VALUES ('r', 'x')") == "VD001"
    pair.sub.execute("SET session_replication_role = replica")
    for action in ACTIONS:
        pair.sub.execute(f"INSERT INTO m_{action} VALUES ('r', 'x')")
        assert pair.sub.execute(f"SELECT * FROM m_{action}").fetchall() == [("r", "x", 0)]
    assert pair.incidents() == [(f"public.m_{action}", "r", "missing", "applied", "apply") for action in sorted(ACTIONS)]


@pytest.mark.parametrize("name", ["citus_shard_move_subscription_10_7", "citus_shard_split_subscription_10_7"])
def test_a_move_of_a_shard_is_not_judged(pair, name):
    make_tables(pair)
    guard_tables(pair.sub)
    pretend_that_citus_is_there(pair.sub)
    for action in ACTIONS:
        pair.pub.execute(f"INSERT INTO m_{action} (id, content) VALUES ('before', 'x')")
    pair.pub.execute("CREATE PUBLICATION p FOR TABLE m_reject, m_flag, m_quarantine, m_discard")
    pair.subscribe("p", name=name, copy_data="true")
    for action in ACTIONS:
        pair.pub.execute(f"INSERT INTO m_{action} (id, content) VALUES ('after', 'x')")
        pair.pub.execute(f"UPDATE m_{action} SET content = 'y'")
    pair.wait()
    for action in ACTIONS:
        assert pair.rows(f"m_{action}") == [("after", "y", 0), ("before", "y", 0)]
    assert pair.incidents() == []
    assert sqlstate(pair.sub, "INSERT INTO m_reject VALUES ('client', 'x')") == "VD001"
    assert shard_moves(pair.sub) == [(f"subscription {name} is taken for one of Citus' own: what it brings is not judged",)]


@pytest.mark.parametrize("citus, owner", [(False, "superuser"), (True, "other")])
def test_a_subscription_that_has_a_name_like_citus_is_judged(pair, citus, owner):
    """Without Citus, and with it when somebody else than a superuser owns the subscription."""
    make_tables(pair)
    guard_tables(pair.sub)
    if citus:
        pretend_that_citus_is_there(pair.sub)
    name = "citus_shard_move_subscription_10_7"
    pair.pub.execute("CREATE PUBLICATION p FOR TABLE m_reject, m_flag, m_quarantine, m_discard")
    pair.subscribe("p", name=name, copy_data="true")
    if owner == "other":
        # All that it will need comes first: a worker starts again after each change, and must not find half of it.
        pair.sub.execute("CREATE ROLE like_citus LOGIN SUPERUSER")
        pair.sub.execute("GRANT ALL ON m_reject, m_flag, m_quarantine, m_discard TO like_citus")
        if pair.sub.info.server_version >= 160000:
            pair.sub.execute(f"GRANT app TO like_citus; ALTER SUBSCRIPTION {name} SET (password_required = false)")
        pair.sub.execute(f"ALTER SUBSCRIPTION {name} OWNER TO like_citus; ALTER ROLE like_citus NOSUPERUSER")
    for action in ACTIONS:
        pair.pub.execute(f"INSERT INTO m_{action} (id, content) VALUES ('after', 'x')")
    pair.wait()
    assert [(row[1], row[3], row[4]) for row in pair.incidents()] == [("after", "applied", "apply")] * len(ACTIONS)
    assert shard_moves(pair.sub) == []


def pretend_that_citus_is_there(conn):
    conn.execute("SET allow_system_table_mods = on")
    conn.execute("INSERT INTO pg_extension VALUES (99999, 'citus', 10, 2200, false, '12.0', NULL, NULL)")
    conn.execute("RESET allow_system_table_mods")


def shard_moves(conn):
    return conn.execute("SELECT differs FROM verdict.coverage() WHERE state = 'risk' AND differs ~ 'Citus'").fetchall()


def test_a_guard_that_cannot_judge_does_not_stall_the_subscriber(pair):
    make_tables(pair)
    guard_tables(pair.sub)
    pair.pub.execute("CREATE PUBLICATION p FOR TABLE m_reject, m_flag, m_quarantine, m_discard")
    pair.subscribe("p")
    # As a replicated verdict.hooks would do it: foreign keys do not hold there.
    pair.sub.execute("SET session_replication_role = replica; DELETE FROM verdict.hooks; RESET session_replication_role")
    for action in ACTIONS:
        pair.pub.execute(f"INSERT INTO m_{action} (id, content) VALUES ('a', 'x')")
        pair.pub.execute(f"UPDATE m_{action} SET content = 'y'")
    pair.wait()
    for action in ACTIONS:
        assert pair.rows(f"m_{action}") == [("a", "y", 0)]
    assert "verdict: not judged" in pair.log()
    assert sqlstate(pair.sub, "INSERT INTO m_reject VALUES ('client', 'x')") == "VD009"
