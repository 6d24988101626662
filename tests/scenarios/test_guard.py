"""A guard as chat servers' drivers and operators meet it."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import psycopg
import pytest
from harness.waiting import Background

SETUP = """
    CREATE TABLE msgs (id text PRIMARY KEY, body text, status int DEFAULT 0);
    SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
    SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}');
    SELECT verdict.approve('h', i::text, '{"body":"hi"}') FROM generate_series(1, 20) AS i;
    SELECT verdict.deny('h', 'd', 5001, 'no spam');
"""


@pytest.fixture
def guarded(cluster, db):
    cluster.psql(SETUP, db)
    return db


def refused(call):
    with pytest.raises(psycopg.Error) as caught:
        call()
    return caught.value


def check_denied(error):
    assert error.sqlstate == "VD002"
    diag = error.diag
    assert diag.message_primary == 'VD002 denied: row for table public.msgs refused by guard "msgs_h": 5001 no spam'
    detail = json.loads(diag.message_detail)
    assert detail["verdict"] > 0
    assert detail == {"code": "VD002", "finding": "denied", "guard": "msgs_h", "table": "public.msgs", "subject": "d",
                      "verdict": detail["verdict"], "err_code": 5001, "err_msg": "no spam"}
    assert diag.message_hint
    assert (diag.schema_name, diag.table_name, diag.constraint_name) == ("public", "msgs", "msgs_h")
    assert diag.severity_nonlocalized == "ERROR"


def test_a_driver_gets_every_field(cluster, guarded):
    with cluster.connect(guarded) as conn:
        check_denied(refused(lambda: conn.execute("INSERT INTO msgs VALUES ('d', 'hi')")))
        check_denied(refused(lambda: conn.execute("INSERT INTO msgs VALUES (%s, %s)", ("d", "hi"), prepare=True)))
        check_denied(refused(lambda: conn.execute("INSERT INTO msgs VALUES (%b, %b)", ("d", "hi"))))
        conn.execute("INSERT INTO msgs VALUES (%s, %s)", ("1", "hi"), prepare=True)


def test_one_refusal_in_a_pipeline_and_in_executemany(cluster, guarded):
    with cluster.connect(guarded, autocommit=False) as conn:
        rows = [("1", "hi"), ("d", "hi"), ("2", "hi")]
        check_denied(refused(lambda: conn.cursor().executemany("INSERT INTO msgs VALUES (%s, %s)", rows)))
        conn.rollback()
        conn.cursor().executemany("INSERT INTO msgs VALUES (%s, %s)", [row for row in rows if row[0] != "d"])
        assert conn.execute("SELECT count(*) FROM msgs").fetchone() == (2,)


def test_copy(cluster, guarded):
    with cluster.connect(guarded) as conn:
        def copy(ids):
            with conn.cursor().copy("COPY msgs (id, body) FROM STDIN") as out:
                for subject in ids:
                    out.write_row((subject, "hi"))
        check_denied(refused(lambda: copy(["1", "2", "d", "3"])))
        assert conn.execute("SELECT count(*) FROM msgs").fetchone() == (0,)
        copy(["1", "2", "3"])
        assert conn.execute("SELECT count(*) FROM msgs").fetchone() == (3,)


def test_a_portal_that_is_read_in_parts(cluster, guarded):
    """asyncpg's cursors run INSERT … RETURNING with a row limit; AFTER triggers fire at the end of the portal."""
    async def run():
        conn = await asyncpg.connect(**cluster.asyncpg_args(guarded))
        insert = "INSERT INTO msgs SELECT i, 'hi' FROM unnest($1::text[]) AS i RETURNING id"
        try:
            async with conn.transaction():
                cursor = await conn.cursor(insert, ["1", "2", "3"])
                assert await cursor.fetchrow() == ("1",)
                assert [row["id"] for row in await cursor.fetch(5)] == ["2", "3"]
            with pytest.raises(asyncpg.PostgresError) as caught:
                async with conn.transaction():
                    cursor = await conn.cursor(insert, ["4", "d", "5"])
                    await cursor.fetch(1)
                    await cursor.fetch(5)
            assert caught.value.sqlstate == "VD002"
            assert json.loads(caught.value.detail)["subject"] == "d"
            return await conn.fetchval("SELECT string_agg(id, ',' ORDER BY id) FROM msgs")
        finally:
            await conn.close()

    # in a thread of its own, for whatever loop the runner may have
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(asyncio.run, run()).result() == "1,2,3"


def test_a_message_that_waits_for_a_verdict_keeps_postgresqls_own_errors(cluster, guarded):
    """Another message is spending the approval: who waits gets 55P03 and 57014 as PostgreSQL made them."""
    with cluster.connect(guarded) as observer, cluster.connect(guarded, autocommit=False) as first, \
            cluster.connect(guarded) as second:
        observer.execute("SELECT verdict.alter_guard('msgs', 'h', locking => 'consume')")
        observer.execute("ALTER TABLE msgs DROP CONSTRAINT msgs_pkey")
        first.execute("INSERT INTO msgs VALUES ('1', 'hi')")

        second.execute("SET lock_timeout = '100ms'")
        error = refused(lambda: second.execute("INSERT INTO msgs VALUES ('1', 'hi')"))
        assert error.sqlstate == "55P03"
        assert error.diag.message_primary == "canceling statement due to lock timeout"
        assert "while" in error.diag.context

        second.execute("SET lock_timeout = 0")
        waiting = Background(second, "INSERT INTO msgs VALUES ('1', 'hi')")
        assert waiting.wait_blocked(observer) == [first.info.backend_pid]
        second.cancel()
        error = waiting.error()
        assert error.sqlstate == "57014"
        assert error.diag.message_primary == "canceling statement due to user request"
        assert "while" in error.diag.context

        waiting = Background(second, "INSERT INTO msgs VALUES ('1', 'hi')")
        waiting.wait_blocked(observer)
        first.rollback()
        waiting.result()


def test_a_deadlock_is_told_as_postgresql_tells_it(cluster, guarded):
    """Two messages spend each other's approvals: one gets 40P01, with PostgreSQL's own DETAIL and CONTEXT."""
    with cluster.connect(guarded) as observer, cluster.connect(guarded, autocommit=False) as one, \
            cluster.connect(guarded, autocommit=False) as two:
        # Without a key of its own: who waits, waits in the guard.
        observer.execute("CREATE TABLE keyless (id text, body text)")
        observer.execute("SELECT verdict.guard('keyless', 'h', key => 'id', content => '{\"body\":\"body\"}', locking => 'consume')")
        one.execute("INSERT INTO keyless VALUES ('1', 'hi')")
        two.execute("SET deadlock_timeout = '50ms'")
        two.execute("INSERT INTO keyless VALUES ('2', 'hi')")
        waiting = Background(one, "INSERT INTO keyless VALUES ('2', 'hi')")
        waiting.wait_blocked(observer)
        error = refused(lambda: two.execute("INSERT INTO keyless VALUES ('1', 'hi')"))
        assert error.sqlstate == "40P01"
        assert error.diag.message_primary == "deadlock detected"
        assert "waits for ShareLock on transaction" in error.diag.message_detail
        assert "verdicts_" in error.diag.context
        two.rollback()
        waiting.result()
        one.rollback()


def test_a_hook_dropped_meanwhile_takes_no_more_verdicts(cluster, guarded):
    with cluster.connect(guarded) as admin, cluster.connect(guarded, autocommit=False) as recorder:
        admin.execute("SELECT verdict.create_hook('short', subject => '/id')")
        recorder.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        recorder.execute("SELECT verdict.approve('short', '1')")
        admin.execute("SELECT verdict.drop_hook('short')")
        error = refused(lambda: recorder.execute("SELECT verdict.approve('short', '2')"))
        assert error.sqlstate == "42704"
        assert 'hook "short" does not exist' in error.diag.message_primary


def test_a_revoke_waits_and_names_who_holds_the_verdict(cluster, guarded):
    with cluster.connect(guarded) as observer, cluster.connect(guarded, autocommit=False, application_name="chatd") as chat, \
            cluster.connect(guarded) as moderation:
        notices = []
        moderation.add_notice_handler(lambda diag: notices.append(diag.message_primary))
        chat.execute("INSERT INTO msgs VALUES ('1', 'hi')")
        revoke = Background(moderation, "SELECT verdict.revoke('h', '1', 'why')")
        assert revoke.wait_blocked(observer) == [chat.info.backend_pid]
        chat.commit()
        revoke.result()
        assert any("chatd" in notice and str(chat.info.backend_pid) in notice for notice in notices)

        chat.execute("INSERT INTO msgs VALUES ('2', 'hi')")
        moderation.execute("SET verdict.revoke_timeout = '100ms'")
        assert refused(lambda: moderation.execute("SELECT verdict.revoke('h', '2', 'why')")).sqlstate == "55P03"
        assert moderation.execute("SHOW lock_timeout").fetchone() == ("0",)
        chat.rollback()
        moderation.execute("SELECT verdict.revoke('h', '2', 'why')")


def test_no_path_and_no_backtrace_reaches_a_client_or_the_log(make_cluster):
    server = make_cluster(env={"RUST_BACKTRACE": "1"}, conf={"log_error_verbosity": "default"})
    db = server.fresh_db()
    server.psql(SETUP, db)
    mark = server.log_mark()
    with server.connect(db) as conn:
        texts = []
        for sql in ("INSERT INTO msgs VALUES ('d', 'hi')", "INSERT INTO msgs VALUES ('x', 'hi')",
                    "SELECT verdict.record('h', 'nonsense', '{}')", "SELECT verdict.create_hook('h')",
                    "SELECT verdict.guard('msgs', 'nobody')", "SELECT verdict.guard_row()"):
            diag = refused(lambda: conn.execute(sql)).diag
            texts += [diag.message_primary, diag.message_detail or "", diag.message_hint or "", diag.context or ""]
    for text in ("\n".join(texts), server.log(mark)):
        for leak in ("backtrace", ".rs", "pgrx", "/src/", "stack", "panicked"):
            assert leak not in text


def test_caught_refusals_leave_no_memory_behind(cluster, guarded):
    with cluster.connect(guarded) as conn:
        def loop(times):
            conn.execute(f"""DO $$ BEGIN FOR i IN 1..{times} LOOP
                BEGIN INSERT INTO msgs VALUES ('d', 'hi'); EXCEPTION WHEN SQLSTATE 'VD002' THEN NULL; END;
                END LOOP; END $$""")

        def resident():
            with open(f"/proc/{conn.info.backend_pid}/statm") as statm:
                return int(statm.read().split()[1]) * 4096

        def contexts():
            return conn.execute("SELECT sum(total_bytes)::int8 FROM pg_backend_memory_contexts").fetchone()[0]
        # The first rounds fill caches; shared buffers become resident as they are touched, and so count at first.
        loop(20_000)
        before, before_contexts = resident(), contexts()
        loop(20_000)
        print(f"20,000 caught refusals: contexts {contexts() - before_contexts:+} bytes, resident {resident() - before:+} bytes")
        assert contexts() - before_contexts < 512 * 1024
        # msgs grows by 20,000 dead rows, about 1 MB in shared buffers
        assert resident() - before < 6 * 1024 * 1024


def test_prepared_statements_and_a_table_that_grows(cluster, guarded):
    with cluster.connect(guarded) as conn, cluster.connect(guarded) as other:
        conn.execute("PREPARE store AS INSERT INTO msgs (id, body) VALUES ($1, $2)")
        conn.execute("EXECUTE store('1', 'hi')")
        other.execute("ALTER TABLE msgs ADD COLUMN extra text DEFAULT 'x'")
        conn.execute("EXECUTE store('2', 'hi')")
        check_denied(refused(lambda: conn.execute("EXECUTE store('d', 'hi')")))
        other.execute("ALTER TABLE msgs DROP COLUMN status")
        conn.execute("EXECUTE store('3', 'hi')")
        check_denied(refused(lambda: conn.execute("EXECUTE store('d', 'hi')")))
        assert refused(lambda: conn.execute("UPDATE msgs SET body = 'x' WHERE id = '2'")).sqlstate == "VD005"


def test_a_guard_counts_in_sessions_that_are_already_open(cluster, guarded):
    with cluster.connect(guarded) as conn, cluster.connect(guarded) as admin:
        check_denied(refused(lambda: conn.execute("INSERT INTO msgs VALUES ('d', 'hi')")))
        admin.execute("SELECT verdict.alter_guard('msgs', 'h', mode => 'observe')")
        conn.execute("INSERT INTO msgs VALUES ('d', 'hi')")
        conn.execute("DELETE FROM msgs")
        admin.execute("SELECT verdict.alter_guard('msgs', 'h', mode => 'enforce')")
        check_denied(refused(lambda: conn.execute("INSERT INTO msgs VALUES ('d', 'hi')")))
        admin.execute("SELECT verdict.unguard('msgs', 'h', 'why')")
        conn.execute("INSERT INTO msgs VALUES ('d', 'hi')")


def test_a_replicas_session_is_no_way_around(cluster, guarded):
    with cluster.connect(guarded) as conn:
        conn.execute("SET session_replication_role = replica")
        check_denied(refused(lambda: conn.execute("INSERT INTO msgs VALUES ('d', 'hi')")))


def test_a_role_without_rights_is_judged_and_can_do_nothing_else(cluster, guarded):
    cluster.psql("CREATE ROLE chat_app LOGIN; GRANT SELECT, INSERT, UPDATE ON msgs TO chat_app", guarded)
    with cluster.connect(guarded, user="chat_app") as conn:
        conn.execute("INSERT INTO msgs VALUES ('1', 'hi')")
        check_denied(refused(lambda: conn.execute("INSERT INTO msgs VALUES ('d', 'hi')")))
        for sql in ("SELECT verdict.approve('h', 'd')", "SELECT verdict.unguard('msgs', 'h', 'why')",
                    "SELECT * FROM verdict.verdicts", "DELETE FROM verdict.guards", "SELECT verdict.guard_row()",
                    "SET session_replication_role = replica", "ALTER TABLE msgs DISABLE TRIGGER ALL"):
            assert refused(lambda: conn.execute(sql)).sqlstate == "42501"


def test_dump_and_restore(cluster, guarded):
    with cluster.connect(guarded) as conn:
        conn.execute("INSERT INTO msgs VALUES ('1', 'hi')")
        conn.execute("SELECT verdict.revoke('h', '2', 'why')")
        newest = conn.execute("SELECT max(id) FROM verdict.verdicts").fetchone()[0]
        before = conn.execute("SELECT v::text FROM verdict.verdicts AS v ORDER BY id").fetchall()
    dump = cluster.run("pg_dump", dbname=guarded).stdout
    restored = cluster.fresh_db(extension=False)
    cluster.psql(dump, restored)
    with cluster.connect(restored) as conn:
        assert conn.execute("SELECT v::text FROM verdict.verdicts AS v ORDER BY id").fetchall() == before
        assert conn.execute("SELECT id, body FROM msgs").fetchall() == [("1", "hi")]
        check_denied(refused(lambda: conn.execute("INSERT INTO msgs VALUES ('d', 'hi')")))
        assert refused(lambda: conn.execute("INSERT INTO msgs VALUES ('2', 'hi')")).sqlstate == "VD007"
        assert refused(lambda: conn.execute("INSERT INTO msgs VALUES ('3', 'x')")).sqlstate == "VD005"
        conn.execute("INSERT INTO msgs VALUES ('3', 'hi')")
        assert conn.execute("SELECT id FROM verdict.deny('h', '4')").fetchone()[0] > newest
        assert refused(lambda: conn.execute("INSERT INTO msgs VALUES ('4', 'hi')")).sqlstate == "VD002"


def test_the_trigger_runs_no_sql(cluster, guarded):
    """What goes through SPI or a function of SQL is planned and executed, and logged so; the guard's work is not."""
    with cluster.connect(guarded) as conn:
        conn.execute("INSERT INTO msgs VALUES ('1', 'hi')")  # fills the caches
        lines = []
        conn.add_notice_handler(lambda diag: lines.append(diag.message_primary))
        conn.execute("SET client_min_messages = log")
        conn.execute("SET log_planner_stats = on")
        conn.execute("SET log_executor_stats = on")
        conn.execute("INSERT INTO msgs VALUES ('2', 'hi'), ('3', 'hi'), ('4', 'hi')")
        conn.execute("SET log_planner_stats = off")
        conn.execute("SET log_executor_stats = off")
        plans = [line for line in lines if "PLANNER STATISTICS" in line]
        assert len(plans) == 1

        # the method notices: the same with a trigger that asks with SQL
        conn.execute("RESET client_min_messages")
        conn.execute("""CREATE FUNCTION asks() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM FROM msgs WHERE id = NEW.id; RETURN NULL; END $$""")
        conn.execute("CREATE TRIGGER asks AFTER INSERT ON msgs FOR EACH ROW EXECUTE FUNCTION asks()")
        lines.clear()
        conn.execute("SET client_min_messages = log")
        conn.execute("SET log_planner_stats = on")
        conn.execute("INSERT INTO msgs VALUES ('5', 'hi')")
        assert len([line for line in lines if "PLANNER STATISTICS" in line]) > 1


@pytest.mark.parametrize(("setting", "sqlstate"), [("statement_timeout", "57014"), ("lock_timeout", "55P03")])
def test_a_statement_that_is_cancelled_stays_cancelled(cluster, db, setting, sqlstate):
    """While a value of the flag column's type is read: that is no bad argument."""
    with cluster.connect(db) as conn, cluster.connect(db, autocommit=False) as other:
        conn.execute(SETUP)
        conn.execute("CREATE TABLE held_up ()")
        other.execute("LOCK TABLE held_up")
        conn.execute("CREATE FUNCTION waits(text) RETURNS boolean LANGUAGE plpgsql AS"
                     " $$ BEGIN PERFORM 1 FROM public.held_up; RETURN true; END $$")
        conn.execute("CREATE DOMAIN slow AS text CHECK (public.waits(VALUE))")
        conn.execute("ALTER TABLE msgs ADD mark slow")
        conn.execute(f"SET {setting} = '200ms'")
        call = "SELECT verdict.alter_guard('msgs', 'h', on_missing => 'flag', flag_column => 'mark', flag_value => 'x')"
        assert refused(lambda: conn.execute(call)).sqlstate == sqlstate
        other.rollback()
        conn.execute(call)
