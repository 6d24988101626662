"""What a DBA does to the store's tables and indexes while sessions are open: nothing is approved by it, and nothing stops."""

import psycopg
import pytest

HOOK = """SELECT verdict.create_hook('h', subject => '/id', fields => '{"content": "/content"}')"""
TABLE = "CREATE TABLE m (id text, content text)"
LEAF = "SELECT name FROM verdict.leaves WHERE starts <= now() AND now() < ends"

# {leaf}: today's leaf
MAINTENANCE = [
    ["REINDEX INDEX verdict.{leaf}_subject"],
    ["REINDEX INDEX CONCURRENTLY verdict.{leaf}_subject"],
    ["REINDEX TABLE CONCURRENTLY verdict.{leaf}"],
    ["DROP INDEX verdict.{leaf}_subject"],
    ["CREATE INDEX mine ON verdict.{leaf} (subject_hash)", "DROP INDEX verdict.{leaf}_subject"],
    ["DROP INDEX verdict.{leaf}_subject", "CREATE INDEX mine ON verdict.{leaf} (subject_hash DESC, id)"],
    ["CREATE INDEX partial ON verdict.{leaf} (subject_hash, id) WHERE outcome = 'approved'", "DROP INDEX verdict.{leaf}_subject"],
    ["VACUUM FULL verdict.{leaf}"],
    ["CLUSTER verdict.{leaf} USING {leaf}_subject"],
    ["VACUUM FULL verdict.guards, verdict.hooks, verdict.leaves, verdict.quarantine"],
    ["CLUSTER verdict.guards USING guards_pkey", "CLUSTER verdict.leaves USING leaves_pkey"],
    ["REINDEX TABLE verdict.leaves", "REINDEX TABLE CONCURRENTLY verdict.quarantine"],
    ["REINDEX TABLE pg_class", "REINDEX TABLE pg_index", "REINDEX TABLE pg_attribute"],
]


def guard(conn, table="m", locking="share", **options):
    conn.execute(f"CREATE TABLE {table} (id text, content text)")
    given = "".join(f", {name} => '{value}'" for name, value in options.items())
    conn.execute(f"SELECT verdict.guard('{table}', 'h', key => 'id', content => '{{\"content\": \"content\"}}', locking => '{locking}'{given})")


def approve(conn, subject):
    conn.execute("SELECT verdict.approve('h', %s, '{\"content\": \"x\"}')", (subject,))


def refusal(conn, sql, params=None):
    with pytest.raises(psycopg.Error) as caught:
        conn.execute(sql, params)
    return caught.value.sqlstate


@pytest.mark.parametrize("statements", MAINTENANCE, ids=lambda statements: statements[-1].replace("{leaf}", "leaf"))
def test_open_sessions_go_on_after(cluster, db, conn, statements):
    conn.execute(HOOK)
    guard(conn)
    guard(conn, "spent", "consume")
    with cluster.connect(db) as chat, cluster.connect(db) as hook:
        for subject in "abc":
            approve(hook, subject)
        chat.execute("INSERT INTO m VALUES ('a', 'x')")
        leaf = conn.execute(LEAF).fetchone()[0]
        for statement in statements:
            conn.execute(statement.format(leaf=leaf))
        # The same sessions, without connecting again: old verdicts, new ones, a denial of an old one.
        chat.execute("INSERT INTO m VALUES ('b', 'x')")
        chat.execute("INSERT INTO spent VALUES ('c', 'x')")
        assert refusal(chat, "INSERT INTO spent VALUES ('c', 'x')") == "VD006"
        approve(hook, "d")
        chat.execute("INSERT INTO m VALUES ('d', 'x')")
        hook.execute("SELECT verdict.deny('h', 'a')")
        hook.execute("SELECT verdict.deny('h', 'c')")
        for session in (chat, conn):
            for subject in "ac":
                assert refusal(session, "INSERT INTO m VALUES (%s, 'x')", (subject,)) == "VD002"
    unmarked = "SELECT subject FROM verdict.verdicts WHERE superseded_by IS NULL GROUP BY subject HAVING count(*) <> 1"
    assert conn.execute(unmarked).fetchall() == []


@pytest.mark.parametrize("index", [None, "(subject_hash)", "(subject_hash, id)"])
def test_the_newest_is_the_highest_id_wherever_it_lies(conn, index):
    conn.execute(HOOK)
    guard(conn)
    approve(conn, "another")
    leaf = conn.execute(LEAF).fetchone()[0]
    conn.execute(f"DROP INDEX verdict.{leaf}_subject")
    if index:
        conn.execute(f"CREATE INDEX mine ON verdict.{leaf} {index}")
    for subject, outcomes in {"first": ["denied", "approved"], "second": ["approved", "denied"]}.items():
        approve(conn, subject)
        # The copy with the higher id is put before or behind the other, by hand: both without a mark.
        conn.execute("CREATE TEMPORARY TABLE v AS SELECT * FROM verdict.verdicts WHERE subject = %s", (subject,))
        conn.execute("DELETE FROM verdict.verdicts WHERE subject = %s", (subject,))
        for outcome in outcomes:
            conn.execute(
                "UPDATE v SET outcome = %s, id = %s", (outcome, 2_000_000 if outcome == "denied" else 1_000_000))
            conn.execute("INSERT INTO verdict.verdicts SELECT * FROM v")
        conn.execute("DROP TABLE v")
        assert refusal(conn, "INSERT INTO m VALUES (%s, 'x')", (subject,)) == "VD002"


def test_a_repeat_costs_as_much_as_the_first(conn):
    """Under consume, with the same content again and again: each look reads the newest verdict, not all that were spent."""
    conn.execute("SELECT verdict.create_hook('h', subject => '', fields => '{\"content\": \"/content\"}')")
    conn.execute("CREATE TABLE m (content text)")
    conn.execute("SELECT verdict.guard('m', 'h', content => '{\"content\": \"content\"}', locking => 'consume')")

    def read(times):
        conn.execute("SELECT pg_stat_force_next_flush()")  # or this counts what came before, too
        with conn.transaction():
            for _ in range(times):
                conn.execute("SELECT verdict.approve('h', NULL, '{\"content\": \"yo\"}')")
                conn.execute("INSERT INTO m VALUES ('yo')")
            return conn.execute(
                "SELECT sum(idx_tup_fetch + seq_tup_read) FROM pg_stat_xact_all_tables"
                " WHERE schemaname = 'verdict' AND relname LIKE 'verdicts_2%%'").fetchone()[0]

    few = read(10)
    read(1_000)
    assert read(10) <= few + 20, "reads grow with the number of repeats"


def test_coverage_names_a_leaf_without_an_index(conn):
    conn.execute(HOOK)
    approve(conn, "a")
    leaf = conn.execute(LEAF).fetchone()[0]
    risks = "SELECT differs, mend FROM verdict.coverage() WHERE differs LIKE '%reads it whole'"
    assert conn.execute(risks).fetchall() == []
    conn.execute(f"DROP INDEX verdict.{leaf}_subject")
    (differs, mend), = conn.execute(risks).fetchall()
    assert leaf in differs
    conn.execute(mend)
    assert conn.execute(risks).fetchall() == []


@pytest.mark.parametrize("table", ["leaf", "quarantine"])
def test_indexes_of_a_dbas_own_stay_sound(cluster, conn, table):
    """Each index holds each row once, whatever kind it is of: what heap_update says about indexes is done to the letter."""
    conn.execute(HOOK)
    guard(conn, "m", "consume")
    guard(conn, "held", on_missing="quarantine")
    approve(conn, "another")
    leaf = conn.execute(LEAF).fetchone()[0]
    name, changed = (leaf, "consumed_at") if table == "leaf" else ("quarantine", "last_at")
    for definition in (
        f"INDEX one ON verdict.{name} USING brin ({changed})",
        f"INDEX two ON verdict.{name} (id) WHERE id > 0",
        f"INDEX three ON verdict.{name} ((id + 0))",
        f"UNIQUE INDEX four ON verdict.{name} (id)",
        f"INDEX five ON verdict.{name} ((coalesce(subject, '')), {changed})" if table == "leaf" else
        f"INDEX five ON verdict.{name} ((coalesce(subject, '')))",
    ):
        conn.execute(f"CREATE {definition}")
    for i in range(40):
        approve(conn, f"s{i % 20}")
        conn.execute("INSERT INTO m VALUES (%s, 'x')", (f"s{i % 20}",))
        conn.execute("INSERT INTO held VALUES (%s, 'x')", (f"q{i % 5}",))
    rows = conn.execute(f"SELECT count(*) FROM verdict.{name}").fetchone()[0]
    assert rows == (41 if table == "leaf" else 5)
    # Then index-only scans count entries, without a look at the heap, which would leave wrong ones out.
    conn.execute(f"VACUUM verdict.{name}")
    conn.execute("SET enable_seqscan = off")
    conn.execute("SET enable_bitmapscan = off")
    for condition in ("id > 0", "(id + 0) > 0", "id >= 1", "coalesce(subject, '') >= ''"):
        plan = conn.execute(f"EXPLAIN SELECT count(*) FROM verdict.{name} WHERE {condition}").fetchall()
        assert "Index" in str(plan), plan
        assert conn.execute(f"SELECT count(*) FROM verdict.{name} WHERE {condition}").fetchone() == (rows,)
    has_amcheck = conn.execute("SELECT count(*) FROM pg_available_extensions WHERE name = 'amcheck'").fetchone() == (1,)
    assert has_amcheck or cluster.major == 16, "the builds for 15, 17 and 18 have amcheck"
    if has_amcheck:
        conn.execute("CREATE EXTENSION amcheck")
        checked = conn.execute(
            "SELECT c.relname, bt_index_check(c.oid, true) FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid"
            " JOIN pg_am AS a ON a.oid = c.relam"
            f" WHERE i.indrelid = 'verdict.{name}'::regclass AND a.amname = 'btree'").fetchall()
        assert len(checked) >= 5


def test_constraints_of_a_dbas_own_hold(conn):
    conn.execute(HOOK)
    guard(conn, "held", on_missing="quarantine")
    conn.execute("ALTER TABLE verdict.quarantine ADD CHECK (subject <> 'bad'), ADD COLUMN note text NOT NULL DEFAULT 'x'")
    assert refusal(conn, "INSERT INTO held VALUES ('bad', 'x')") in ("23514", "23502")
    conn.execute("ALTER TABLE verdict.quarantine ALTER note DROP NOT NULL")
    assert refusal(conn, "INSERT INTO held VALUES ('bad', 'x')") == "23514"
    conn.execute("INSERT INTO held VALUES ('good', 'x')")
    conn.execute("ALTER TABLE verdict.quarantine ADD UNIQUE (guard_id) DEFERRABLE INITIALLY DEFERRED")
    assert refusal(conn, "INSERT INTO held VALUES ('another', 'x')") == "55000"
    assert conn.execute("SELECT array_agg(subject) FROM verdict.quarantine").fetchone() == (["good"],)


def test_a_denial_in_the_statement_that_spent_the_approval(conn):
    conn.execute(HOOK)
    guard(conn, "m", "consume")
    approve(conn, "a")
    conn.execute("CREATE FUNCTION store() RETURNS bigint LANGUAGE sql AS $$ INSERT INTO m VALUES ('a', 'x') RETURNING 1 $$")
    conn.execute("SELECT store(), (verdict.deny('h', 'a')).outcome")
    marked = "SELECT outcome, consumed_at IS NOT NULL, superseded_by IS NOT NULL FROM verdict.verdicts ORDER BY id"
    assert conn.execute(marked).fetchall() == [("approved", True, True), ("denied", False, False)]
    assert refusal(conn, "INSERT INTO m VALUES ('a', 'x')") == "VD002"
