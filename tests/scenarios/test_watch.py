"""Guards under DDL: many partitions, two administrators at once, locks that do not come, a library that is gone."""

import shutil
import subprocess
import time
from pathlib import Path

import psycopg
import pytest
from harness.cluster import Cluster
from harness.waiting import Background

SETUP = """
    CREATE TABLE msgs (id text, body text, day int) PARTITION BY RANGE (day);
    CREATE TABLE msgs1 PARTITION OF msgs FOR VALUES FROM (0) TO (10);
    CREATE TABLE msgs2 PARTITION OF msgs FOR VALUES FROM (10) TO (20);
    CREATE TABLE plain (id text, body text);
    SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
    SELECT verdict.create_hook('h2', subject => '/id', fields => '{"body":"/body"}');
    SELECT verdict.approve('h', 'a', '{"body":"hi"}');
"""
GUARD = "SELECT verdict.guard('{}', 'h', key => 'id', content => '{{\"body\":\"body\"}}')"


@pytest.fixture
def tables(cluster, db):
    cluster.psql(SETUP, db)
    return db


def refused(call):
    with pytest.raises(psycopg.Error) as caught:
        call()
    return caught.value


def one(conn, sql):
    return conn.execute(sql).fetchone()[0]


def triggers(conn):
    return one(conn, "SELECT count(*) FROM pg_trigger WHERE tgname ~ 'verdict_guard'")


def test_a_thousand_partitions(cluster, tables):
    with cluster.connect(tables) as conn:
        conn.execute("""DO $$ BEGIN FOR i IN 1..1000 LOOP
            EXECUTE format('CREATE TABLE many_%s PARTITION OF many FOR VALUES IN (%s)', i, i); END LOOP; END $$"""
                     .replace("DO $$ BEGIN", "CREATE TABLE many (id text, body text, n int) PARTITION BY LIST (n); DO $$ BEGIN"))
        began = time.monotonic()
        conn.execute(GUARD.format("many"))
        guarded = time.monotonic()
        assert triggers(conn) == 3 * 1001
        assert one(conn, "SELECT count(*) FROM verdict.coverage() WHERE state = 'ok'") == 1001
        covered = time.monotonic()
        conn.execute("INSERT INTO many SELECT 'a', 'hi', i FROM generate_series(1, 1000) AS i")
        assert refused(lambda: conn.execute("INSERT INTO many VALUES ('x', 'hi', 777)")).sqlstate == "VD001"
        conn.execute("CREATE ROLE watch_many; ALTER TABLE many OWNER TO watch_many")
        owned = time.monotonic()
        conn.execute("ALTER TABLE many ADD COLUMN extra int")
        added = time.monotonic()
        conn.execute("ALTER TABLE many_500 ADD CHECK (id <> 'no')")
        print(f"1,000 partitions: guard {guarded - began:.2f} s, coverage {covered - guarded:.2f} s, ADD COLUMN {added - owned:.2f} s")
        conn.execute("SELECT verdict.unguard('many', 'h', 'why')")
        assert triggers(conn) == 0
        conn.execute("DROP TABLE many")


def test_attach_and_detach_in_one_transaction(cluster, tables):
    with cluster.connect(tables) as conn, cluster.connect(tables) as other:
        conn.execute(GUARD.format("msgs"))
        with conn.transaction():
            conn.execute("CREATE TABLE msgs3 (id text, body text, day int)")
            conn.execute("ALTER TABLE msgs ATTACH PARTITION msgs3 FOR VALUES FROM (20) TO (30)")
            conn.execute("INSERT INTO msgs VALUES ('a', 'hi', 25)")
            for table in ("msgs", "msgs3"):
                with conn.transaction(force_rollback=True):
                    assert refused(lambda: conn.execute(f"INSERT INTO {table} VALUES ('x', 'hi', 25)")).sqlstate == "VD001"
            conn.execute("ALTER TABLE msgs DETACH PARTITION msgs3")
            conn.execute("INSERT INTO msgs3 VALUES ('x', 'hi', 25)")
        assert refused(lambda: other.execute("INSERT INTO msgs VALUES ('x', 'hi', 5)")).sqlstate == "VD001"
        other.execute("INSERT INTO msgs3 VALUES ('y', 'hi', 25)")
        # With rows in it that nobody has judged it comes back only by an admin's hand.
        conn.execute("CREATE ROLE watch_attach; ALTER TABLE msgs OWNER TO watch_attach; ALTER TABLE msgs3 OWNER TO watch_attach; SET ROLE watch_attach")
        attach = "ALTER TABLE msgs ATTACH PARTITION msgs3 FOR VALUES FROM (20) TO (30)"
        assert refused(lambda: conn.execute(attach)).sqlstate == "VD010"
        conn.execute("RESET ROLE")
        conn.execute(attach)
        assert one(conn, "SELECT detail FROM verdict.incidents WHERE finding = 'drift' ORDER BY id DESC LIMIT 1").startswith("ALTER TABLE: table public.msgs3")
        leaks = conn.execute("SELECT problem, subject FROM verdict.reconcile('h', 'msgs') ORDER BY subject").fetchall()
        assert leaks == [("stored unasked", "x"), ("stored unasked", "y")]


def test_a_hook_is_dropped_while_it_is_used(cluster, tables):
    """No foreign key holds the two together (a parallel restore could not load them): the functions do."""
    with cluster.connect(tables) as observer, cluster.connect(tables, autocommit=False) as first, cluster.connect(tables) as two:
        first.execute(GUARD.format("plain"))
        second = Background(two, "SELECT verdict.drop_hook('h')")
        second.wait_blocked(observer)
        first.commit()
        assert refused(second.result).sqlstate == "2BP01"
        first.execute("SELECT verdict.drop_hook('h2')")
        second = Background(two, GUARD.format("msgs").replace("'h'", "'h2'"))
        second.wait_blocked(observer)
        first.commit()
        assert refused(second.result).sqlstate == "42704"
        assert observer.execute("SELECT name FROM verdict.guards").fetchall() == [("plain_h",)]


def test_two_administrators_at_once(cluster, tables):
    with cluster.connect(tables) as observer, cluster.connect(tables, autocommit=False) as one_admin, cluster.connect(tables) as two:
        one_admin.execute(GUARD.format("plain"))
        second = Background(two, GUARD.format("plain"))
        second.wait_blocked(observer)
        one_admin.commit()
        assert refused(second.result).sqlstate == "42710"
        assert triggers(observer) == 2
        # One takes the guard off while the other changes it.
        one_admin.execute("SELECT verdict.unguard('plain', 'h', 'why')")
        second = Background(two, "SELECT verdict.alter_guard('plain', 'h', condition => 'NEW.body <> ''x''')")
        second.wait_blocked(observer)
        one_admin.commit()
        assert refused(second.result).sqlstate == "42704"
        assert triggers(observer) == 0
        observer.execute("INSERT INTO plain VALUES ('x', 'x')")
        # Two changes of one guard: both count.
        one_admin.execute(GUARD.format("plain"))
        one_admin.commit()
        one_admin.execute("SELECT verdict.alter_guard('plain', 'h', mode => 'observe')")
        second = Background(two, "SELECT verdict.alter_guard('plain', 'h', on_missing => 'quarantine')")
        second.wait_blocked(observer)
        one_admin.commit()
        second.result()
        assert observer.execute("SELECT mode, on_missing FROM verdict.guards").fetchall() == [("observe", "quarantine")]
        assert one(observer, "SELECT count(*) FROM verdict.coverage() WHERE state = 'ok'") == 1


def test_a_lock_that_does_not_come_leaves_nothing_half_done(cluster, tables):
    with cluster.connect(tables, autocommit=False) as writer, cluster.connect(tables) as admin:
        def timed_out(sql):
            error = refused(lambda: admin.execute(sql))
            assert error.sqlstate == "55P03", error

        admin.execute("SET lock_timeout = '200ms'")
        writer.execute("INSERT INTO msgs2 VALUES ('a', 'hi', 15)")
        timed_out(GUARD.format("msgs"))
        assert triggers(admin) == 0
        assert one(admin, "SELECT count(*) FROM verdict.guards") == 0
        writer.commit()
        admin.execute(GUARD.format("msgs"))
        before = triggers(admin)
        writer.execute("INSERT INTO msgs2 VALUES ('a', 'hi', 15)")
        timed_out("SELECT verdict.alter_guard('msgs', 'h', on_missing => 'quarantine')")
        timed_out("SELECT verdict.alter_guard('msgs', 'h', condition => 'NEW.day > 3')")
        timed_out("SELECT verdict.unguard('msgs', 'h', 'why')")
        assert triggers(admin) == before
        assert admin.execute("SELECT on_missing, condition FROM verdict.guards").fetchall() == [("reject", None)]
        results = dict(admin.execute("SELECT result, count(*) FROM verdict.self_test('msgs') GROUP BY 1").fetchall())
        assert results["not run"] > 5
        # Options alone need no lock on the table.
        admin.execute("SELECT verdict.alter_guard('msgs', 'h', mode => 'observe', edits => 'refuse')")
        writer.commit()
        assert one(admin, "SELECT count(*) FROM verdict.coverage() WHERE state = 'ok'") == 3


def test_other_statements_do_not_wait_for_a_guarded_table(cluster, tables):
    with cluster.connect(tables, autocommit=False) as holder, cluster.connect(tables) as other:
        other.execute(GUARD.format("plain"))
        other.execute("CREATE TYPE unrelated AS ENUM ('a'); CREATE DOMAIN word AS text")
        holder.execute("LOCK TABLE plain")
        other.execute("SET lock_timeout = '200ms'")
        for statement in ("ALTER TYPE unrelated RENAME VALUE 'a' TO 'b'", "ALTER TYPE unrelated ADD VALUE 'c'", "ALTER DOMAIN word SET NOT NULL",
                          "CREATE TABLE away (i int)", "ALTER TABLE away ADD COLUMN j int", "DROP TABLE away"):
            other.execute(statement)
        holder.rollback()


def test_a_table_under_another_guarded_tables_name_takes_no_rows(cluster, tables):
    with cluster.connect(tables) as conn:
        conn.execute("CREATE TABLE plain2 (id text, body text)")
        conn.execute(GUARD.format("plain"))
        conn.execute(GUARD.format("plain2"))
        conn.execute("ALTER TABLE plain RENAME TO plain_old; ALTER TABLE plain2 RENAME TO plain")
        for table in ("plain", "plain_old"):
            assert refused(lambda: conn.execute(f"INSERT INTO {table} VALUES ('a', 'hi')")).sqlstate == "VD009"
        states = conn.execute("SELECT part, state FROM verdict.coverage() WHERE guard IS NOT NULL AND part IS NOT NULL ORDER BY 1, 2").fetchall()
        assert states == [("public.plain", "formerly guarded"), ("public.plain", "missing"), ("public.plain_old", "formerly guarded")]
        conn.execute("ALTER TABLE plain RENAME TO plain2; ALTER TABLE plain_old RENAME TO plain")
        conn.execute("INSERT INTO plain VALUES ('a', 'hi')")
        assert one(conn, "SELECT count(*) FROM verdict.coverage() WHERE state = 'ok'") == 2


def test_a_registry_that_somebody_has_edited(cluster, tables):
    """Only a superuser can; the guard refuses rather than guesses."""
    with cluster.connect(tables) as conn:
        conn.execute(GUARD.format("plain"))
        conn.execute("DELETE FROM verdict.hooks WHERE name = 'h'")
        error = refused(lambda: conn.execute("INSERT INTO plain VALUES ('a', 'hi')"))
        assert error.sqlstate == "VD009" and "its hook does not exist" in error.diag.message_primary


def test_the_extension_dropped_and_made_again_in_one_session(cluster, tables):
    with cluster.connect(tables) as conn, cluster.connect(tables) as other:
        conn.execute(GUARD.format("plain"))
        other.execute("INSERT INTO plain VALUES ('a', 'hi')")
        conn.execute("DROP EXTENSION pg_verdict CASCADE")
        for session in (conn, other):
            session.execute("INSERT INTO plain VALUES ('x', 'y')")
        conn.execute("CREATE EXTENSION pg_verdict")
        conn.execute("SELECT verdict.create_hook('h', subject => '/id', fields => '{\"body\":\"/body\"}')")
        conn.execute(GUARD.format("plain"))
        for session in (conn, other):
            assert refused(lambda: session.execute("INSERT INTO plain VALUES ('a', 'hi')")).sqlstate == "VD001"
        conn.execute("SELECT verdict.approve('h', 'a', '{\"body\":\"hi\"}')")
        for session in (conn, other):
            session.execute("INSERT INTO plain VALUES ('a', 'hi')")


def test_a_new_expression_for_guarded_content(cluster, tables):
    """PostgreSQL 17 can replace the expression of a stored column, and rewrites all rows without a row trigger."""
    with cluster.connect(tables) as conn:
        conn.execute("CREATE TABLE made (id text, raw text, body text GENERATED ALWAYS AS (lower(raw)) STORED)")
        conn.execute(GUARD.format("made"))
        conn.execute("CREATE ROLE watch_made; ALTER TABLE made OWNER TO watch_made; SET ROLE watch_made")
        error = refused(lambda: conn.execute("ALTER TABLE made ALTER COLUMN body SET EXPRESSION AS (upper(raw))"))
        assert error.sqlstate == ("VD010" if cluster.major >= 17 else "42601")


def tree_of(bin_dir):
    """Where the tree begins: above usr/ in Debian's layout, else above bin/."""
    return next((directory.parent for directory in bin_dir.parents if directory.name == "usr"), bin_dir.parent)


def test_without_its_library_a_guarded_database_can_be_mended(request):
    """A package was removed: rows and DDL fail, closed, and switching the event triggers off needs no library."""
    bin_dir, run_dir = Path(request.config.clusters.trees["plain"]), Path(request.config.clusters.run_dir)
    tree, copy = tree_of(bin_dir), run_dir / "without-library"
    subprocess.run(["cp", "-al", str(tree), str(copy)], check=True)
    server = Cluster(copy / bin_dir.relative_to(tree), run_dir / "c-without-library", request.config.clusters.psql_path)
    try:
        server.start()
        db = server.fresh_db()
        server.psql(SETUP, db)
        server.psql(GUARD.format("plain"), db)
        libdir = subprocess.run([server.bin / "pg_config", "--pkglibdir"], capture_output=True, text=True, check=True).stdout.strip()
        Path(libdir, "pg_verdict.so").unlink()
        with server.connect(db) as conn:
            for sql in ("INSERT INTO plain VALUES ('a', 'hi')", "CREATE TABLE other (x int)", "DROP TABLE msgs"):
                assert refused(lambda: conn.execute(sql)).sqlstate == "58P01"
            conn.execute("ALTER EVENT TRIGGER verdict_watch_ddl DISABLE")
            conn.execute("ALTER EVENT TRIGGER verdict_watch_drop DISABLE")
            conn.execute("CREATE TABLE other (x int)")
            conn.execute("DROP TABLE other")
            assert refused(lambda: conn.execute("INSERT INTO plain VALUES ('a', 'hi')")).sqlstate == "58P01"
            # The last way: the extension goes, and with it the guards.
            conn.execute("DROP EXTENSION pg_verdict CASCADE")
            conn.execute("INSERT INTO plain VALUES ('a', 'hi')")
    finally:
        server.remove()
        shutil.rmtree(copy)


@pytest.mark.parametrize("swapped", [("id", "body"), ("body", "other")], ids=["two guarded columns", "with one that is not guarded"])
def test_columns_change_places_while_nobody_watches(cluster, tables, swapped):
    """Two guarded columns that change places keep every name that the triggers have; the attribute numbers tell."""
    with cluster.connect(tables) as conn:
        conn.execute("ALTER TABLE plain ADD COLUMN other text")
        conn.execute(GUARD.format("plain"))
        conn.execute("INSERT INTO plain VALUES ('a', 'hi')")
        watchers = [row[0] for row in conn.execute("SELECT evtname FROM pg_event_trigger").fetchall()]
        for event_trigger in watchers:
            conn.execute(f"ALTER EVENT TRIGGER {event_trigger} DISABLE")
        conn.execute(f"ALTER TABLE plain RENAME {swapped[0]} TO between; ALTER TABLE plain RENAME {swapped[1]} TO {swapped[0]};"
                     f" ALTER TABLE plain RENAME between TO {swapped[1]}")
        for event_trigger in watchers:
            conn.execute(f"ALTER EVENT TRIGGER {event_trigger} ENABLE ALWAYS")
        covered = "SELECT state, differs, mend FROM verdict.coverage() WHERE part = 'public.plain' AND guard IS NOT NULL"
        state, differs, mend = conn.execute(covered).fetchone()
        assert state == "drifted"
        for column in set(swapped) & {"id", "body"}:
            assert f"column {column} is not the same column as before" in differs
        assert "verdict.repair('public.plain')" in mend
        assert one(conn, "SELECT count(*) FROM verdict.reconcile('h', 'plain') WHERE problem <> 'approved, never stored'") == 1
        mended = [row[0] for row in conn.execute("SELECT mended FROM verdict.repair('plain')").fetchall()]
        assert any("is not the same column as before" in what for what in mended)
        assert conn.execute(covered).fetchone() == ("ok", None, None)
        assert refused(lambda: conn.execute("INSERT INTO plain (id, body) VALUES ('a', 'no')")).sqlstate == "VD005"
        conn.execute("INSERT INTO plain (id, body) VALUES ('a', 'hi')")


def test_a_guarded_table_does_not_move_with_an_extension(cluster, tables):
    """ALTER EXTENSION … SET SCHEMA takes member tables along, and names none of them to an event trigger."""
    share = subprocess.run([cluster.bin / "pg_config", "--sharedir"], capture_output=True, text=True, check=True).stdout.strip()
    files = Path(share) / "extension"
    (files / "verdict_mover.control").write_text("relocatable = true\nsuperuser = false\ndefault_version = '1'\n")
    (files / "verdict_mover--1.sql").write_text("CREATE TABLE moves_along (i int);\n")
    with cluster.connect(tables) as conn:
        conn.execute("CREATE ROLE watch_mover; CREATE SCHEMA one AUTHORIZATION watch_mover; CREATE SCHEMA two AUTHORIZATION watch_mover;"
                     f"GRANT CREATE ON DATABASE {tables} TO watch_mover; SET ROLE watch_mover;"
                     "CREATE TABLE one.msgs (id text, body text); CREATE EXTENSION verdict_mover SCHEMA one; RESET ROLE")
        conn.execute(GUARD.format("one.msgs"))
        conn.execute("SET ROLE watch_mover; ALTER EXTENSION verdict_mover ADD TABLE one.msgs")
        assert refused(lambda: conn.execute("ALTER EXTENSION verdict_mover SET SCHEMA two")).sqlstate == "VD010"
        conn.execute("RESET ROLE; ALTER EXTENSION verdict_mover SET SCHEMA two")
        assert conn.execute("SELECT done, detail FROM verdict.incidents").fetchall() == [
            ("weakened", "ALTER EXTENSION: its table would be called two.msgs, not one.msgs")]


CODE_IN_AN_INDEX = """
    CREATE FUNCTION write() RETURNS int LANGUAGE plpgsql AS $$
    DECLARE made text;
    BEGIN
        FOR made IN SELECT relname FROM pg_class WHERE relrewrite = 'public.plain'::regclass LOOP
            EXECUTE format('INSERT INTO public.%I (id, body) VALUES (''evil'', ''x'')', made);
        END LOOP;
        RETURN 1;
    END $$;
    CREATE FUNCTION sort(text) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN public.write(); END';
    CREATE ROLE watch_code;
    ALTER FUNCTION sort(text) OWNER TO watch_code;
    CREATE INDEX sorted ON plain (sort(id));
"""
RISK = "SELECT count(*) FROM verdict.coverage() WHERE state = 'risk' AND relation = 'public.plain' AND differs ~ 'sort'"


def test_a_table_is_rewritten_by_a_session_that_has_not_loaded_the_library(cluster, tables):
    """CLUSTER fires no event trigger. Where sessions load the library as they start, it is refused; where not, it is told of."""
    with cluster.connect(tables) as conn:
        conn.execute(GUARD.format("plain"))
        conn.execute("INSERT INTO plain VALUES ('a', 'hi'), ('a', 'hi')")
        conn.execute(CODE_IN_AN_INDEX)
        assert one(conn, "SELECT count(*) FROM verdict.incidents WHERE done = 'risk'") == 1
        assert one(conn, RISK) == 1
        conn.execute(f"ALTER DATABASE {tables} SET session_preload_libraries = pg_verdict")
    rewrite = "SET enable_indexscan = off; CLUSTER plain USING sorted"
    with cluster.connect(tables) as conn:
        assert one(conn, RISK) == 0
    with cluster.connect(tables) as conn:
        assert refused(lambda: conn.execute(rewrite)).sqlstate == "VD010"
        assert refused(lambda: conn.execute("VACUUM FULL plain")).sqlstate == "VD010"
        assert conn.execute("SELECT * FROM plain").fetchall() == [("a", "hi")] * 2
        conn.execute(f"ALTER DATABASE {tables} RESET session_preload_libraries")
    with cluster.connect(tables) as conn:
        conn.execute(rewrite)
        assert one(conn, RISK) == 1
        stored = one(conn, "SELECT count(*) FROM plain WHERE id = 'evil'")
        assert one(conn, "SELECT count(*) FROM verdict.reconcile('h', 'plain') WHERE subject = 'evil'") == stored
