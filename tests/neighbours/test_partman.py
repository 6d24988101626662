"""pg_partman at work on a guarded table, as the table's owner, who is no admin of ours: it is not hindered, and what it makes is
guarded. Both versions are SQL, and run on every major."""

import psycopg
import pytest

SETUP = """
    CREATE ROLE pm_owner LOGIN;
    CREATE SCHEMA partman; CREATE EXTENSION pg_partman SCHEMA partman VERSION '{version}';
    GRANT USAGE, CREATE ON SCHEMA partman TO pm_owner;
    GRANT ALL ON ALL TABLES IN SCHEMA partman TO pm_owner;
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA partman TO pm_owner;
    GRANT EXECUTE ON ALL PROCEDURES IN SCHEMA partman TO pm_owner;
    CREATE SCHEMA chat AUTHORIZATION pm_owner;
    SELECT verdict.create_hook('h', subject => '/id', fields => '{{"body":"/body"}}');
"""
TABLE = "CREATE TABLE chat.msgs (n bigint NOT NULL, id text, body text) PARTITION BY RANGE (n)"
VERSIONS = {
    "4.7.2": "SELECT partman.create_parent('chat.msgs', 'n', 'native', '10', p_premake => 2)",
    "5.2.4": "SELECT partman.create_parent('chat.msgs', 'n', '10', p_premake => 2)",
}
GUARD = "SELECT verdict.guard('chat.msgs', 'h', key => 'id', content => '{\"body\":\"body\"}')"


@pytest.fixture(params=VERSIONS)
def owner(request, cluster, db):
    """The owner's session, with a partitioned table that a superuser guards."""
    cluster.psql(SETUP.format(version=request.param), db)
    with cluster.connect(db, user="pm_owner") as session:
        session.execute(TABLE)
        session.execute(VERSIONS[request.param])
        with cluster.connect(db) as admin:
            admin.execute(GUARD)
        yield session


def one(conn, sql):
    return conn.execute(sql).fetchone()[0]


def states(conn):
    """State → in how many tables of the tree."""
    return dict(conn.execute("SELECT state, count(*) FROM verdict.coverage() WHERE part IS NOT NULL AND guard IS NOT NULL"
                             " GROUP BY state").fetchall())


def refused(conn, sql):
    with pytest.raises(psycopg.Error) as caught:
        conn.execute(sql)
    return caught.value


def parts(conn):
    return one(conn, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'chat.msgs'::regclass")


def test_partitions_made_in_advance_are_guarded(owner, conn):
    before = parts(conn)
    for n in range(0, 60, 10):
        conn.execute(f"SELECT verdict.approve('h', 'm{n}', '{{\"body\":\"x\"}}')")
        owner.execute(f"INSERT INTO chat.msgs VALUES ({n}, 'm{n}', 'x')")
        owner.execute("SELECT partman.run_maintenance('chat.msgs', p_analyze => false)")
    assert parts(conn) > before
    assert states(conn) == {"ok": parts(conn) + 1}
    assert refused(owner, "INSERT INTO chat.msgs VALUES (61, 'never', 'x')").sqlstate == "VD001"
    newest = one(conn, "SELECT max(inhrelid)::regclass::text FROM pg_inherits WHERE inhparent = 'chat.msgs'::regclass")
    assert refused(owner, f"ALTER TABLE {newest} DISABLE TRIGGER ALL").sqlstate in ("VD010", "42501")
    assert refused(owner, f"ALTER TABLE {newest} DISABLE TRIGGER USER").sqlstate == "VD010"


@pytest.mark.parametrize("keep_table", [True, False])
def test_partitions_go_by_retention(owner, conn, keep_table):
    for n in range(0, 60, 10):
        conn.execute(f"SELECT verdict.approve('h', 'm{n}', '{{\"body\":\"x\"}}')")
        owner.execute(f"INSERT INTO chat.msgs VALUES ({n}, 'm{n}', 'x')")
        owner.execute("SELECT partman.run_maintenance('chat.msgs', p_analyze => false)")
    owner.execute(f"UPDATE partman.part_config SET retention = '20', retention_keep_table = {keep_table}")
    before = parts(conn)
    owner.execute("SELECT partman.run_maintenance('chat.msgs', p_analyze => false)")
    gone = before - parts(conn)
    assert gone > 0
    assert states(conn)["ok"] == parts(conn) + 1
    # A table that is kept has rows and is guarded no more, which is written down; one that is dropped has none.
    assert one(conn, "SELECT count(*) FROM verdict.incidents WHERE finding = 'drift' AND done = 'detached'") == gone * keep_table


def test_rows_go_from_the_default_partition_into_their_own(owner, conn):
    """What partition_data_proc moves is judged again: approved rows pass, and one whose approval was revoked meanwhile stays."""
    for n in (500, 501, 510):
        conn.execute(f"SELECT verdict.approve('h', 'm{n}', '{{\"body\":\"x\"}}')")
        owner.execute(f"INSERT INTO chat.msgs VALUES ({n}, 'm{n}', 'x')")
    assert one(conn, "SELECT count(*) FROM chat.msgs_default") == 3
    owner.execute("CALL partman.partition_data_proc('chat.msgs')")
    assert one(conn, "SELECT count(*) FROM chat.msgs_default") == 0
    assert one(conn, "SELECT count(*) FROM chat.msgs") == 3
    assert states(conn) == {"ok": parts(conn) + 1}
    conn.execute("SELECT verdict.approve('h', 'm900', '{\"body\":\"x\"}')")
    owner.execute("INSERT INTO chat.msgs VALUES (900, 'm900', 'x')")
    conn.execute("SELECT verdict.revoke('h', 'm900', 'no')")
    assert "VD007" in str(refused(owner, "CALL partman.partition_data_proc('chat.msgs')"))
    assert one(conn, "SELECT count(*) FROM chat.msgs_default") == 1


def test_undo_moves_rows_out_of_the_guarded_table(owner, conn):
    owner.execute("CREATE TABLE chat.plain (LIKE chat.msgs)")
    conn.execute("SELECT verdict.approve('h', 'm1', '{\"body\":\"x\"}')")
    owner.execute("INSERT INTO chat.msgs VALUES (1, 'm1', 'x')")
    owner.execute("SELECT partman.undo_partition('chat.msgs', p_target_table => 'chat.plain', p_keep_table => false)")
    assert one(conn, "SELECT count(*) FROM chat.plain") == 1
    assert refused(owner, "INSERT INTO chat.msgs VALUES (1, 'never', 'x')").sqlstate in ("VD001", "23514")
