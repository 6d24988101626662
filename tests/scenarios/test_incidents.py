"""What is written down, and where; and settings that only a superuser may change."""

import json
import re

import psycopg
import pytest
from harness.waiting import wait_until

SETUP = """
    CREATE TABLE msgs (id text, body text, status int DEFAULT 1);
    SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
    SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}');
    SELECT verdict.deny('h', 'd', 5001, 'no spam');
    CREATE ROLE chat_app LOGIN;
    GRANT SELECT, INSERT, UPDATE ON msgs TO chat_app;
"""
REFUSED = """DO $$ BEGIN FOR i IN 1..%s LOOP
    BEGIN INSERT INTO msgs VALUES ('d', 'hi'); EXCEPTION WHEN SQLSTATE 'VD002' THEN NULL; END;
    END LOOP; END $$"""


@pytest.fixture
def guarded(cluster, db):
    cluster.psql(SETUP, db)
    return db


def refused(call):
    with pytest.raises(psycopg.Error) as caught:
        call()
    return caught.value


def lines(log):
    return [json.loads(found) for found in re.findall(r"LOG:  verdict: (\{.*\})$", log, re.MULTILINE)]


def test_a_refused_row_leaves_one_line_in_the_servers_log(cluster, guarded):
    mark = cluster.log_mark()
    with cluster.connect(guarded, user="chat_app") as conn:
        seen = []
        conn.add_notice_handler(lambda diag: seen.append(diag.message_primary))
        conn.execute("SET client_min_messages = debug1")
        assert refused(lambda: conn.execute("INSERT INTO msgs VALUES ('d', 'secret body')")).sqlstate == "VD002"
        assert not [text for text in seen if "verdict" in text]
    [line] = wait_until(lambda: lines(cluster.log(mark)))
    assert line == {"event": "row_rejected", "code": "VD002", "finding": "denied", "guard": "msgs_h", "table": "public.msgs",
                    "subject": "d", "verdict": line["verdict"], "err_code": 5001, "err_msg": "no spam", "operation": "insert",
                    "path": "client", "left_out": 0}
    with cluster.connect(guarded) as conn:
        assert conn.execute("SELECT count(*) FROM verdict.incidents").fetchone() == (0,)


def test_no_more_lines_than_the_rate(cluster, guarded):
    mark = cluster.log_mark()
    with cluster.connect(guarded) as conn:
        conn.execute("SET verdict.log_rate = 3")
        conn.execute(REFUSED % 20)
        assert [line["left_out"] for line in lines(cluster.log(mark))] == [0, 0, 0]
        conn.execute("SELECT pg_sleep(1.1)")
        conn.execute(REFUSED % 5)
        assert [line["left_out"] for line in lines(cluster.log(mark))] == [0, 0, 0, 17, 0, 0]
        # what is left out when a session ends is told then
        conn.execute("SELECT pg_sleep(1.1)")
        conn.execute(REFUSED % 13)
    told = wait_until(lambda: [line for line in lines(cluster.log(mark)) if line["event"] == "rows_rejected"])
    assert told == [{"event": "rows_rejected", "left_out": 10}]
    assert [line["left_out"] for line in lines(cluster.log(mark)) if line["event"] == "row_rejected"] == [0, 0, 0, 17, 0, 0, 2, 0, 0]


def test_a_session_that_left_nothing_out_says_nothing_and_all_lines_can_be_had(cluster, guarded):
    mark = cluster.log_mark()
    with cluster.connect(guarded) as conn:
        conn.execute("SET verdict.log_rate = -1")
        conn.execute(REFUSED % 50)
    with cluster.connect(guarded) as conn:
        conn.execute("SET verdict.log_rate = 0")
        conn.execute(REFUSED % 5)
        pid = conn.info.backend_pid
    wait_until(lambda: "rows_rejected" in cluster.log(mark))
    found = lines(cluster.log(mark))
    assert [line["event"] for line in found] == ["row_rejected"] * 50 + ["rows_rejected"]
    assert found[-1]["left_out"] == 5
    assert f"[{pid}]" in [line for line in cluster.log(mark).splitlines() if "rows_rejected" in line][0]


def test_a_terminated_session_tells_what_it_left_out(cluster, guarded):
    mark = cluster.log_mark()
    with cluster.connect(guarded) as observer:
        conn = cluster.connect(guarded)
        conn.execute("SET verdict.log_rate = 1")
        conn.execute(REFUSED % 4)
        observer.execute("SELECT pg_terminate_backend(%s)", (conn.info.backend_pid,))
        wait_until(lambda: "rows_rejected" in cluster.log(mark))
        assert lines(cluster.log(mark))[-1] == {"event": "rows_rejected", "left_out": 3}
        conn.close()


@pytest.mark.parametrize("how", ["set", "set_config", "options", "alter_role"])
def test_nobody_switches_enforcement_off_before_the_library_is_loaded(cluster, guarded, how):
    """Until the first guarded row, a session does not know the setting, and takes any name with a dot in it."""
    options = {"options": "-c verdict.enforce=observe"} if how == "options" else {}
    if how == "alter_role":
        with cluster.connect(guarded, user="chat_app") as conn:
            assert refused(lambda: conn.execute("ALTER ROLE chat_app SET verdict.enforce = 'observe'")).sqlstate == "42501"
    with cluster.connect(guarded, user="chat_app", **options) as conn:
        if how == "set":
            conn.execute("SET verdict.enforce = 'observe'")
        if how == "set_config":
            conn.execute("SELECT set_config('verdict.enforce', 'observe', false)")
        for _ in range(2):
            assert refused(lambda: conn.execute("INSERT INTO msgs VALUES ('d', 'hi')")).sqlstate == "VD002"
        assert conn.execute("SHOW verdict.enforce").fetchone() == ("on",)
        for sql in ("SET verdict.enforce = 'observe'", "SET LOCAL verdict.enforce = 'observe'", "SET verdict.enforced = on"):
            assert refused(lambda: conn.execute(sql)).sqlstate in ("42501", "42602")


def test_the_switch_in_the_configuration_counts_for_everybody_at_once(make_cluster):
    server = make_cluster()
    db = server.fresh_db()
    server.psql(SETUP, db)
    with server.connect(db, user="chat_app") as conn, server.connect(db) as admin:
        assert refused(lambda: conn.execute("INSERT INTO msgs VALUES ('d', 'hi')")).sqlstate == "VD002"
        # some majors take only settings that the session knows
        admin.execute("LOAD 'pg_verdict'")
        admin.execute("ALTER SYSTEM SET verdict.enforce = 'observe'")
        admin.execute("SELECT pg_reload_conf()")
        wait_until(lambda: conn.execute("SHOW verdict.enforce").fetchone() == ("observe",))
        conn.execute("INSERT INTO msgs VALUES ('d', 'hi')")
        admin.execute("ALTER SYSTEM RESET verdict.enforce")
        admin.execute("SELECT pg_reload_conf()")
        wait_until(lambda: conn.execute("SHOW verdict.enforce").fetchone() == ("on",))
        assert refused(lambda: conn.execute("INSERT INTO msgs VALUES ('d', 'hi')")).sqlstate == "VD002"
        assert admin.execute("SELECT finding, done FROM verdict.incidents").fetchall() == [("denied", "observed")]
        # for one role
        admin.execute("ALTER ROLE chat_app SET verdict.enforce = 'observe'")
    with server.connect(db, user="chat_app") as conn:
        conn.execute("INSERT INTO msgs VALUES ('d', 'hi')")


def test_a_session_in_replica_role_is_a_client_unless_the_guard_says_otherwise(cluster, guarded):
    with cluster.connect(guarded) as conn:
        conn.execute("SELECT verdict.alter_guard('msgs', 'h', on_missing => 'quarantine', on_altered => 'flag',"
                     " flag_column => 'status', flag_value => '9')")
        conn.execute("SELECT verdict.approve('h', 'a', '{\"body\":\"ho\"}')")
        conn.execute("SET session_replication_role = replica")
        insert = "INSERT INTO msgs VALUES ('x', 'hi'), ('a', 'hi') RETURNING id, status"
        assert conn.execute(insert).fetchall() == [("a", 9)]
        assert refused(lambda: conn.execute("INSERT INTO msgs VALUES ('d', 'hi')")).sqlstate == "VD002"
        conn.execute("SELECT verdict.alter_guard('msgs', 'h', replica_role => 'apply')")
        assert conn.execute(insert).fetchall() == [("x", 1), ("a", 1)]
        conn.execute("INSERT INTO msgs VALUES ('d', 'hi')")
        conn.execute("UPDATE msgs SET status = 2 WHERE status = 9")
        found = conn.execute("SELECT subject, finding, done, path, operation FROM verdict.incidents ORDER BY id OFFSET 2").fetchall()
        assert found == [("x", "missing", "applied", "apply", "insert"), ("a", "altered", "applied", "apply", "insert"),
                         ("d", "denied", "applied", "apply", "insert"), ("a", "altered", "applied", "apply", "update")]
        conn.execute("SET session_replication_role = origin")
        assert refused(lambda: conn.execute("INSERT INTO msgs VALUES ('d', 'hi')")).sqlstate == "VD002"


def test_a_replication_worker_stores_everything_and_writes_it_down(make_cluster):
    server = make_cluster()
    source, target = server.fresh_db(), server.fresh_db()
    server.psql("CREATE TABLE msgs (id text PRIMARY KEY, body text, status int DEFAULT 1); CREATE PUBLICATION p FOR TABLE msgs", source)
    with server.connect(source) as conn, server.connect(target) as there:
        there.execute("CREATE TABLE msgs (id text PRIMARY KEY, body text, status int DEFAULT 1)")
        there.execute("SELECT verdict.create_hook('h', subject => '/id', fields => '{\"body\":\"/body\"}')")
        there.execute("SELECT verdict.guard('msgs', 'h', key => 'id', content => '{\"body\":\"body\"}', on_missing => 'quarantine',"
                      " on_altered => 'flag', flag_column => 'status', flag_value => '9')")
        there.execute("SELECT verdict.deny('h', 'd')")
        there.execute("SELECT verdict.approve('h', 'a', '{\"body\":\"hi\"}')")
        conn.execute("SELECT pg_create_logical_replication_slot('s', 'pgoutput')")
        there.execute(f"CREATE SUBSCRIPTION s CONNECTION '{server.conninfo(source)}' PUBLICATION p"
                      " WITH (create_slot = false, slot_name = 's', copy_data = false)")
        conn.execute("INSERT INTO msgs VALUES ('a', 'hi'), ('d', 'hi'), ('x', 'hi')")
        conn.execute("UPDATE msgs SET body = 'ho' WHERE id = 'a'")
        wait_until(lambda: there.execute("SELECT id, body, status FROM msgs ORDER BY id").fetchall() == [
            ("a", "ho", 1), ("d", "hi", 1), ("x", "hi", 1)], 30, "all rows have come as they are")
        assert there.execute("SELECT subject, finding, done, path, operation FROM verdict.incidents ORDER BY id").fetchall() == [
            ("d", "denied", "applied", "apply", "insert"), ("x", "missing", "applied", "apply", "insert"),
            ("a", "altered", "applied", "apply", "update")]
        there.execute("DROP SUBSCRIPTION s")


def test_the_log_hears_of_broken_glass(cluster, guarded):
    mark = cluster.log_mark()
    with cluster.connect(guarded) as conn:
        conn.execute("SELECT verdict.break_glass('msgs', 'ticket 4711', '100 ms')")
        conn.execute("SELECT pg_sleep(0.15)")
        assert refused(lambda: conn.execute("INSERT INTO msgs VALUES ('d', 'hi')")).sqlstate == "VD002"
        assert refused(lambda: conn.execute("INSERT INTO msgs VALUES ('d', 'hi')")).sqlstate == "VD002"
        conn.execute("SELECT verdict.break_glass('msgs', 'again', '1 hour')")
        conn.execute("SELECT verdict.restore_glass('msgs')")
    told = re.findall(r"LOG:  verdict: (glass .*)$", cluster.log(mark), re.MULTILINE)
    assert [re.sub(r"(until|at) \S+ \S+", r"\1 …", text) for text in told] == [
        "glass broken until … for table public.msgs by postgres: ticket 4711",
        "glass expired for table public.msgs at …",
        "glass broken until … for table public.msgs by postgres: again",
        "glass restored for table public.msgs by postgres"]


def test_glass_broken_by_one_session_counts_for_others_at_once(cluster, guarded):
    with cluster.connect(guarded, user="chat_app") as chat, cluster.connect(guarded) as admin:
        assert refused(lambda: chat.execute("INSERT INTO msgs VALUES ('d', 'hi')")).sqlstate == "VD002"
        admin.execute("SELECT verdict.break_glass('msgs', 'why', '1 hour')")
        chat.execute("INSERT INTO msgs VALUES ('d', 'hi')")
        admin.execute("SELECT verdict.restore_glass('msgs')")
        assert refused(lambda: chat.execute("INSERT INTO msgs VALUES ('d', 'hi')")).sqlstate == "VD002"
        assert admin.execute("SELECT done, session_role FROM verdict.incidents").fetchall() == [("glass_broken", "chat_app")]


def test_observed_rows_are_counted_across_two_phases(make_cluster):
    server = make_cluster()
    db = server.fresh_db()
    server.psql(SETUP, db)
    with server.connect(db) as conn:
        conn.execute("SELECT verdict.alter_guard('msgs', 'h', mode => 'observe')")
        for end in ("COMMIT PREPARED 'g'", "ROLLBACK PREPARED 'g'"):
            conn.execute("BEGIN")
            conn.execute("INSERT INTO msgs VALUES ('d', 'hi'), ('x', 'hi')")
            conn.execute("PREPARE TRANSACTION 'g'")
            conn.execute(end)
        found = conn.execute("SELECT judged, finding, found FROM verdict.readiness('msgs')").fetchall()
        assert found == [(2, "denied", 1), (2, "missing", 1)]
