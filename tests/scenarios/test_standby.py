"""A physical standby: what can be read there, that nothing is written there, and that it goes on where the primary ended."""

import psycopg
import pytest
from harness.cluster import Cluster
from harness.waiting import wait_until

SETUP = """
    CREATE TABLE m (id text PRIMARY KEY, content text);
    CREATE TABLE parts (id text, content text, kind int) PARTITION BY LIST (kind);
    CREATE TABLE parts1 PARTITION OF parts FOR VALUES IN (1);
    SELECT verdict.create_hook('h', subject => '/id', fields => '{"content":"/content"}');
    SELECT verdict.guard('m', 'h', key => 'id', content => '{"content":"content"}', on_missing => 'quarantine');
    SELECT verdict.guard('parts', 'h', key => 'id', content => '{"content":"content"}', mode => 'observe');
    SELECT verdict.approve('h', 'a', '{"content":"x"}');
    SELECT verdict.approve('h', 'turned', '{"content":"x"}');
    SELECT verdict.deny('h', 'turned', 5001, 'no');
    INSERT INTO m VALUES ('a', 'x'), ('held', 'x');
    INSERT INTO parts VALUES ('a', 'x', 1), ('b', 'x', 1);
"""
READS = (
    "SELECT accepted, finding, id, outcome, err_code FROM verdict.status('h', '{}')",
    "SELECT guard, step, question, answer FROM verdict.explain('m', '{{\"id\":\"{}\",\"content\":\"x\"}}')",
    "SELECT guard, step, question, answer FROM verdict.explain((SELECT m FROM m WHERE id = 'a'))",
    "SELECT * FROM verdict.parse('openim', '{{\"actionCode\":0,\"errCode\":5001,\"errMsg\":\"{}\",\"nextCode\":1}}')",
    "SELECT * FROM verdict.coverage() ORDER BY 1, 2, 3, 4, 5",
    "SELECT * FROM verdict.readiness('parts')",
    "SELECT * FROM verdict.reconcile('h', 'm')",
    "SELECT * FROM verdict.verdicts ORDER BY id",
    "SELECT id, state, row_values FROM verdict.quarantine",
    "SELECT id, subject, finding, done FROM verdict.incidents ORDER BY id",
)
# 25006 is what PostgreSQL itself says to whoever writes on a standby.
WRITES = (
    "SELECT verdict.approve('h', 'new', '{\"content\":\"x\"}')",
    "SELECT verdict.deny('h', 'a')",
    "SELECT verdict.revoke('h', 'a', 'why')",
    "SELECT verdict.record('h', '{\"id\":\"new\",\"content\":\"x\"}', '{\"actionCode\":0,\"errCode\":0,\"nextCode\":0}')",
    "SELECT verdict.record_no_answer('h', '{\"id\":\"new\",\"content\":\"x\"}', 'timeout')",
    "SELECT verdict.create_hook('h2', subject => '/id', fields => '{\"content\":\"/content\"}')",
    "SELECT verdict.alter_hook('h', legal_hold => true)",
    "SELECT verdict.guard('parts1', 'h', key => 'id')",
    "SELECT verdict.alter_guard('m', 'h', mode => 'observe')",
    "SELECT verdict.unguard('m', 'h', 'why')",
    "SELECT verdict.break_glass('m', 'why', '1 hour')",
    "SELECT verdict.restore_glass('m')",
    "SELECT verdict.release(1, 'why')",
    "SELECT verdict.refuse(1, 'why')",
    "SELECT * FROM verdict.release_all('m', 'why')",
    "SELECT * FROM verdict.refuse_all('m', 'why')",
    "SELECT * FROM verdict.settle('m')",
    "SELECT verdict.retire()",
    "SELECT verdict.repair('m')",
    "SELECT verdict.rename('m', 'n')",
    "SELECT verdict.self_test('m')",
    "SELECT verdict.grant_role('recorder', 'reader')",
    "INSERT INTO m VALUES ('a2', 'x')",
)


class Standby(Cluster):
    """A copy of a running primary that follows it."""

    def __init__(self, primary, directory):
        self._primary = primary
        super().__init__(primary.bin, directory, primary.psql_path)

    def _as_owner(self, program, *args):
        assert program == "initdb"
        super()._as_owner("pg_basebackup", "-h", self._primary.dir, "-p", "5432", "-U", "postgres", "-D", self.data, "-R",
                          "--checkpoint=fast", "--no-sync")


def answers(conn, subject):
    return [conn.execute(read.format(subject)).fetchall() for read in READS]


def refused(conn, sql):
    with pytest.raises(psycopg.Error) as caught:
        conn.execute(sql)
    return caught.value


def not_refused_as_writing(conn):
    """What was done or refused with another error: (statement, SQLSTATE or rows, message)."""
    otherwise = []
    for write in WRITES:
        try:
            otherwise.append((write, conn.execute(write).fetchall(), ""))
        except psycopg.Error as error:
            if error.sqlstate != "25006":
                otherwise.append((write, error.sqlstate, str(error)))
    return otherwise


def test_a_standby_reads_and_takes_over(make_cluster):
    primary = make_cluster()
    db = primary.fresh_db()
    primary.psql("CREATE ROLE reader", db)
    primary.psql(SETUP, db)
    standby = Standby(primary, primary.dir.parent / (primary.dir.name + "_standby"))
    try:
        standby.start()
        check(primary, standby, db)
    finally:
        standby.remove()


def check(primary, standby, db):
    with primary.connect(db) as conn, standby.connect(db) as there:
        assert there.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
        conn.execute("SELECT verdict.approve('h', 'late', '{\"content\":\"x\"}')")
        lsn = conn.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone()[0]
        conn.execute("SELECT pg_switch_wal()")  # so that what is not flushed is, too
        wait_until(lambda: there.execute("SELECT pg_last_wal_replay_lsn() >= %s", (lsn,)).fetchone()[0], 30, "the standby has replayed")
        for subject in ("a", "turned", "held", "late", "nobody"):
            here = answers(conn, subject)
            assert answers(there, subject) == here
        assert here[0] == [(False, "missing", None, None, None)] and len(here[4]) > 3 and len(here[9]) > 1
        here = not_refused_as_writing(there)
        assert here == [], '\n'.join(map(str, here))
        newest = conn.execute("SELECT max(id) FROM verdict.verdicts").fetchone()[0]
        primary.crash()
        assert there.execute("SELECT pg_promote(true, 60)").fetchone() == (True,)
        there.execute("INSERT INTO m VALUES ('late', 'x'), ('turned2', 'x')")
        assert there.execute("SELECT id FROM m ORDER BY 1").fetchall() == [("a",), ("late",)]
        assert refused(there, "INSERT INTO m VALUES ('turned', 'x')").sqlstate == "VD002"
        assert there.execute("SELECT id FROM verdict.deny('h', 'late')").fetchone()[0] > newest
        assert refused(there, "UPDATE m SET content = 'y' WHERE id = 'late'").sqlstate == "VD002"
        there.execute("SELECT verdict.release(id, 'fine') FROM verdict.quarantine WHERE subject = 'held'")
        assert there.execute("SELECT count(*) FROM m WHERE id = 'held'").fetchone() == (1,)
        assert there.execute("SELECT DISTINCT state FROM verdict.coverage() WHERE part IS NOT NULL").fetchall() == [("ok",)]
        # The watch is awake as on the primary.
        there.execute("CREATE ROLE owner_here; ALTER TABLE m OWNER TO owner_here; SET ROLE owner_here")
        assert refused(there, "ALTER TABLE m DISABLE TRIGGER USER").sqlstate == "VD010"


def test_a_read_only_transaction(cluster, db, conn):
    conn.execute("CREATE ROLE reader")
    cluster.psql(SETUP, db)
    conn.execute("SET default_transaction_read_only = on")
    answers(conn, "a")
    here = not_refused_as_writing(conn)
    assert here == [], '\n'.join(map(str, here))
