"""pg_dump and pg_restore: whatever way a database comes back, its guards stand, or somebody says that they do not."""

import os
import shutil
import subprocess

import psycopg
import pytest

# The extension's owner is a superuser, the tables' owner is not; the recorder has what grant_role gives.
ROLES = ("dump_owner LOGIN", "dump_service LOGIN")
SOURCE = """
    CREATE TABLE m (id text PRIMARY KEY, content text, kind int NOT NULL DEFAULT 1);
    CREATE TABLE other (id text);
    CREATE TABLE parts (id text, content text, kind int) PARTITION BY LIST (kind);
    CREATE TABLE parts1 PARTITION OF parts FOR VALUES IN (1);
    CREATE TABLE parts2 PARTITION OF parts FOR VALUES IN (2);
    ALTER TABLE m OWNER TO dump_owner; ALTER TABLE parts OWNER TO dump_owner;
    ALTER TABLE parts1 OWNER TO dump_owner; ALTER TABLE parts2 OWNER TO dump_owner; ALTER TABLE other OWNER TO dump_owner;
    CREATE SCHEMA zz AUTHORIZATION dump_owner; CREATE TABLE zz.last (id text); ALTER TABLE zz.last OWNER TO dump_owner;
    INSERT INTO m VALUES ('legacy', 'older than the guard', 1);
    SELECT verdict.create_hook('gone', subject => '/id', fields => '{"content":"/content"}');
    SELECT verdict.drop_hook('gone');
    SELECT verdict.create_hook('h', subject => '/id', fields => '{"content":"/content"}');
    SELECT verdict.guard('m', 'h', key => 'id', content => '{"content":"content"}', condition => 'NEW.kind = 1', on_missing => 'quarantine');
    SELECT verdict.guard('parts', 'h', key => 'id', content => '{"content":"content"}');
    SELECT verdict.guard('zz.last', 'h', key => 'id');
    SELECT verdict.grant_role('recorder', 'dump_service');
    SELECT verdict.approve('h', 'a', '{"content":"x"}');
    SELECT verdict.approve('h', 'turned', '{"content":"x"}');
    SELECT verdict.deny('h', 'turned', 5001, 'no');
    SELECT verdict.approve('h', 'back', '{"content":"x"}');
    INSERT INTO m VALUES ('a', 'x', 1), ('held', 'x', 1), ('free', 'y', 2);
    INSERT INTO parts VALUES ('a', 'x', 1), ('a', 'x', 2);
    SELECT verdict.break_glass('parts', 'a fire', '1 hour');
    INSERT INTO parts VALUES ('leak', 'x', 2);
    SELECT verdict.restore_glass('parts');
"""
ROWS = """SELECT 'm', count(*) FROM m UNION ALL SELECT 'parts', count(*) FROM parts UNION ALL SELECT 'verdicts', count(*) FROM verdict.verdicts
    UNION ALL SELECT 'hooks', count(*) FROM verdict.hooks UNION ALL SELECT 'guards', count(*) FROM verdict.guards
    UNION ALL SELECT 'quarantine', count(*) FROM verdict.quarantine UNION ALL SELECT 'incidents', count(*) FROM verdict.incidents
    UNION ALL SELECT 'glass', count(*) FROM verdict.glass UNION ALL SELECT 'leaves', count(*) FROM verdict.leaves"""


@pytest.fixture(scope="module")
def two_servers(request):
    clusters = request.config.clusters
    made = [clusters.make("plain") for _ in range(2)]
    for server in made:
        server.psql("".join(f"CREATE ROLE {role};" for role in ROLES))
    yield made
    for server in made:
        clusters.remove(server)


@pytest.fixture
def server(two_servers):
    return two_servers[0]


@pytest.fixture
def source(server):
    db = server.fresh_db()
    server.psql(SOURCE, db)
    return db


@pytest.fixture
def archive(server, source, tmp_path):
    """The whole database in custom format."""
    server.run("pg_dump", "-Fc", "-f", tmp_path / "dump", dbname=source)
    return tmp_path / "dump"


def refused(conn, sql):
    with pytest.raises(psycopg.Error) as caught:
        conn.execute(sql)
    return caught.value


def one(conn, sql):
    return conn.execute(sql).fetchone()[0]


def states(conn):
    return {row[0] for row in conn.execute("SELECT state FROM verdict.coverage() WHERE guard IS NOT NULL AND state <> 'note'")}


def findings(conn):
    return [row[0] for row in conn.execute("SELECT differs FROM verdict.coverage() WHERE state NOT IN ('ok', 'note') AND differs NOT LIKE 'role %'")]


def check(server, db, source, more_incidents=0):
    """All that matters after a restore: rows, guards, order of verdicts, ids, held rows, rights, and the watch."""
    with server.connect(db) as conn:
        restored = dict(conn.execute(ROWS).fetchall())
        expected = dict(source)
        restored["incidents"] -= more_incidents
        assert restored == expected
        assert states(conn) == {"ok"}, conn.execute("SELECT * FROM verdict.coverage()").fetchall()
        assert findings(conn) == []
        # Nobody has touched the guards since: they are protected as they came.
        conn.execute("SET ROLE dump_owner")
        for table in ("m", "parts", "zz.last"):
            assert refused(conn, f"ALTER TABLE {table} DISABLE TRIGGER USER").sqlstate == "VD010"
        conn.execute("RESET ROLE")
        assert one(conn, "SELECT count(*) FROM verdict.baselines WHERE weakened_at IS NULL") == 3
        # The newest verdict is still the newest, and new ones are newer.
        assert refused(conn, "INSERT INTO parts VALUES ('turned', 'x', 1)").sqlstate == "VD002"
        highest = one(conn, "SELECT max(id) FROM verdict.verdicts")
        conn.execute("INSERT INTO parts VALUES ('back', 'x', 1)")
        assert one(conn, "SELECT id FROM verdict.deny('h', 'back', 5002, 'late')") > highest
        assert refused(conn, "INSERT INTO parts VALUES ('back', 'x', 1)").sqlstate == "VD002"
        conn.execute("SELECT verdict.approve('h', 'turned', '{\"content\":\"x\"}')")
        conn.execute("INSERT INTO parts VALUES ('turned', 'x', 1)")
        assert refused(conn, "UPDATE parts SET content = 'changed' WHERE id = 'turned'").sqlstate == "VD005"
        # Held rows: released, and new ones get ids of their own.
        conn.execute("INSERT INTO m VALUES ('held again', 'x', 1)")
        assert [row[0] for row in conn.execute("SELECT subject FROM verdict.quarantine ORDER BY id")] == ["held", "held again"]
        conn.execute("SELECT verdict.release(id, 'fine') FROM verdict.quarantine")
        assert one(conn, "SELECT count(*) FROM m WHERE id LIKE 'held%'") == 2
        # New hooks and guards do not take the place of old ones.
        hooks = one(conn, "SELECT max(id) FROM verdict.hooks")
        conn.execute("""SELECT verdict.create_hook('new', subject => '/id', fields => '{"content":"/content"}')""")
        assert one(conn, "SELECT id FROM verdict.hooks WHERE name = 'new'") > hooks
        assert one(conn, "SELECT verdict.guard('other', 'new', key => 'id')") == 4
        assert one(conn, "SELECT count(*) = count(DISTINCT id) FROM verdict.incidents")
    with server.connect(db, user="dump_service") as service:
        assert one(service, "SELECT outcome FROM verdict.deny('h', 'by the service')") == "denied"
        assert refused(service, "SELECT * FROM verdict.coverage()").sqlstate == "42501"


def counts(server, db):
    with server.connect(db) as conn:
        return conn.execute(ROWS).fetchall()


@pytest.mark.parametrize("other_server", [False, True], ids=["same server", "other server"])
@pytest.mark.parametrize("how", ["custom", "plain", "parallel", "clean", "inserts"])
def test_the_whole_database(two_servers, source, tmp_path, how, other_server):
    server, target = two_servers[0], two_servers[1 if other_server else 0]
    before = counts(server, source)
    db = target.fresh_db(extension=False)
    dump = tmp_path / "dump"
    if how in ("plain", "inserts"):
        sql = server.run("pg_dump", *(["--inserts"] if how == "inserts" else []), dbname=source).stdout
        target.run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-1", dbname=db, input=sql)
    elif how == "parallel":
        server.run("pg_dump", "-Fd", "-j", "4", "-f", dump, dbname=source)
        target.run("pg_restore", "-j", "4", "--exit-on-error", "-d", db, dump)
    else:
        server.run("pg_dump", "-Fc", "-f", dump, dbname=source)
        for clean in ([[], ["--clean", "--if-exists"]] if how == "clean" else [[]]):
            target.run("pg_restore", "--exit-on-error", *clean, "-d", db, dump)
    check(target, db, before)


@pytest.fixture
def piped(server, source, tmp_path):
    """An archive that went through a pipe: it knows no sizes, and pg_restore -j makes a partitioned table's triggers before it
    fills the partitions (they wait for nothing: the table itself has no rows)."""
    os.mkfifo(tmp_path / "pipe")
    with open(tmp_path / "piped", "wb") as archive:
        reader = subprocess.Popen(["cat", tmp_path / "pipe"], stdout=archive)
        server.run("pg_dump", "-Fc", "--no-sync", "-f", tmp_path / "pipe", dbname=source)
        assert reader.wait(30) == 0
    return tmp_path / "piped"


def test_in_parallel_a_guard_comes_before_its_rows(server, source, piped):
    before = counts(server, source)
    db = server.fresh_db(extension=False)
    mark = server.log_mark()
    # Two at a time: both begin with a trigger of the partitioned table, so that no partition is filled before.
    server.run("pg_restore", "-j", "2", "--exit-on-error", "-d", db, piped)
    assert all(f"verdict: not judged on path restore: public.parts{n}" in server.log(mark) for n in (1, 2))
    check(server, db, before)


def test_only_a_superusers_restore_of_its_own_tables_is_let_by(server, source, archive):
    db = server.fresh_db(extension=False)
    # Not for somebody who is no superuser, whatever the program calls itself.
    server.psql(f'ALTER DATABASE "{db}" OWNER TO dump_owner', db)
    server.run("pg_restore", "--exit-on-error", "-d", db, archive)
    load = "BEGIN; TRUNCATE parts1; INSERT INTO parts1 VALUES ('stranger', 'x', 1)"
    with server.connect(db, user="dump_owner", application_name="pg_restore") as conn:
        assert refused(conn, load).sqlstate == "VD001"
    # Not for another program, and not into a table that stood before: only `load` empties it first.
    with server.connect(db) as conn:
        assert refused(conn, load).sqlstate == "VD001"
    with server.connect(db, application_name="pg_restore") as conn:
        assert refused(conn, "INSERT INTO parts1 VALUES ('stranger', 'x', 1)").sqlstate == "VD001"
        assert refused(conn, "BEGIN; TRUNCATE parts1; ROLLBACK; INSERT INTO parts1 VALUES ('stranger', 'x', 1)").sqlstate == "VD001"
        assert refused(conn, "UPDATE parts SET content = 'other'").sqlstate == "VD005"
        conn.execute(load + "; ROLLBACK")
        # Nor for a function of another role's that a superuser's statement runs.
        conn.execute("""
            CREATE SCHEMA trap AUTHORIZATION dump_owner; GRANT CREATE ON SCHEMA public TO dump_owner; SET ROLE dump_owner;
            CREATE FUNCTION trap.load() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
                PERFORM set_config('application_name', 'pg_restore', true);
                TRUNCATE public.parts1; INSERT INTO public.parts1 VALUES ('stranger', 'x', 1); END $$;
            CREATE FUNCTION trap.f(x int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
                IF session_user <> 'dump_owner' AND EXISTS (SELECT FROM trap.ready) THEN PERFORM trap.load(); END IF; RETURN x; END $$;
            CREATE TABLE trap.ready (); CREATE TABLE trap.bait (x int); INSERT INTO trap.bait SELECT generate_series(1, 1000);
            CREATE INDEX ON trap.bait (trap.f(x)); INSERT INTO trap.ready DEFAULT VALUES; RESET ROLE""")
        assert refused(conn, "ANALYZE trap.bait").sqlstate == "VD001"
        conn.execute("SET ROLE dump_owner")
        assert refused(conn, load).sqlstate == "VD001"
        conn.execute("ROLLBACK; RESET ROLE")


def schema_only(server, source, db):
    sql = server.run("pg_dump", "--schema-only", dbname=source).stdout
    server.run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-1", dbname=db, input=sql)


def test_data_only_with_disabled_triggers(server, source, archive):
    before = counts(server, source)
    db = server.fresh_db(extension=False)
    schema_only(server, source, db)
    server.run("pg_restore", "--data-only", "--disable-triggers", "--exit-on-error", "-d", db, archive)
    with server.connect(db) as conn:
        # pg_restore has enabled them as ordinary triggers: coverage says so, and names what mends it.
        assert "drifted" in states(conn)
        assert any("not ENABLE ALWAYS" in finding for finding in findings(conn))
        mends = [row[0] for row in conn.execute(
            "SELECT DISTINCT mend FROM verdict.coverage() WHERE state IN ('drifted', 'risk') AND mend IS NOT NULL AND differs NOT LIKE 'role %'")]
        for mend in mends:
            conn.execute(mend)
        # Only then clients in replica role, and a replication worker, are seen again.
        assert one(conn, "SELECT count(*) FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal"
                         " AND t.tgenabled <> 'A'") == 0
    check(server, db, before)


def test_data_only_needs_the_registry_first(server, source, archive):
    before = counts(server, source)
    db = server.fresh_db(extension=False)
    schema_only(server, source, db)
    done = server.run("pg_restore", "--data-only", "--exit-on-error", "-d", db, archive, check=False)
    assert done.returncode != 0 and "VD009" in done.stderr
    server.run("pg_restore", "--data-only", "--exit-on-error", "-n", "verdict", "-d", db, archive)
    # With its guards awake, a table takes only what is approved today: an older row is held, or refused.
    with server.connect(db) as conn:
        assert refused(conn, "INSERT INTO parts VALUES ('leak', 'x', 2)").sqlstate == "VD001"
    server.psql(f'ALTER DATABASE "{db}" SET verdict.enforce = observe', db)
    server.run("pg_restore", "--data-only", "--exit-on-error", "-N", "verdict", "-d", db, archive)
    server.psql(f'ALTER DATABASE "{db}" RESET verdict.enforce', db)
    with server.connect(db) as conn:
        observed = one(conn, "SELECT count(*) FROM verdict.incidents WHERE done = 'observed'")
        assert observed == 2  # legacy, leak
        for table in ("m", "parts"):
            conn.execute(f"SELECT verdict.repair('{table}')")
    check(server, db, before, more_incidents=observed)


def test_all_but_the_verdicts_and_then_the_verdicts(server, source, archive, tmp_path):
    before = counts(server, source)
    db = server.fresh_db()
    server.run("pg_dump", "-Fc", "-N", "verdict", "-f", tmp_path / "rest", dbname=source)
    server.run("pg_restore", "--exit-on-error", "-d", db, tmp_path / "rest")
    with server.connect(db) as conn:
        # Closed until somebody says what the guards are, and said by coverage.
        assert refused(conn, "INSERT INTO m VALUES ('x', 'x', 1)").sqlstate == "VD009"
        assert any("belongs to no guard" in finding for finding in findings(conn))
    server.run("pg_restore", "--exit-on-error", "-n", "verdict", "-d", db, archive)
    with server.connect(db) as conn:
        # The grants on the extension's functions went with neither part.
        conn.execute("SELECT verdict.grant_role('recorder', 'dump_service')")
    check(server, db, before)


@pytest.mark.parametrize("chosen_by", ["pg_restore", "pg_dump"])
def test_only_the_verdicts_beside_other_tables(server, source, archive, tmp_path, chosen_by):
    db = server.fresh_db()
    if chosen_by == "pg_restore":
        server.run("pg_restore", "--exit-on-error", "-n", "verdict", "-d", db, archive)
    else:
        server.run("pg_dump", "-Fc", "-n", "verdict", "-f", tmp_path / "verdicts", dbname=source)
        done = server.run("pg_restore", "-d", db, tmp_path / "verdicts", check=False)
        assert 'schema "verdict" already exists' in done.stderr and "errors ignored on restore: 1" in done.stderr
    with server.connect(db) as conn:
        assert dict(conn.execute("SELECT guard, state FROM verdict.coverage() WHERE guard IS NOT NULL AND state <> 'note'").fetchall()) == {
            "m_h": "missing", "parts_h": "missing", "last_h": "missing"}
        assert one(conn, "SELECT accepted FROM verdict.status('h', 'back')")
        assert one(conn, "SELECT finding FROM verdict.status('h', 'turned')") == "denied"
        highest = one(conn, "SELECT max(id) FROM verdict.verdicts")
        assert one(conn, "SELECT id FROM verdict.deny('h', 'back')") > highest


def test_one_table_into_a_database_with_other_guards(server, source, tmp_path):
    db = server.fresh_db()
    server.psql("""CREATE TABLE elsewhere (id text);
        SELECT verdict.create_hook('h', subject => '/id', fields => '{"content":"/content"}');
        SELECT verdict.guard('elsewhere', 'h', key => 'id', mode => 'observe')""", db)
    sql = server.run("pg_dump", "-t", "m", dbname=source).stdout
    server.run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-1", dbname=db, input=sql)
    with server.connect(db) as conn:
        # Guard 1 here is another's: it is not taken for this table's.
        assert refused(conn, "INSERT INTO m VALUES ('x', 'x', 1)").sqlstate == "VD009"
        assert refused(conn, "UPDATE m SET content = 'y'").sqlstate == "VD009"
        conn.execute("INSERT INTO elsewhere VALUES ('x')")
        assert any("belongs to no guard" in finding for finding in findings(conn))
        for (mend,) in conn.execute("SELECT mend FROM verdict.coverage() WHERE differs LIKE '%belongs to no guard%'").fetchall():
            conn.execute(mend)
        assert findings(conn) == []
        conn.execute("SELECT verdict.guard('m', 'h', key => 'id', content => '{\"content\":\"content\"}')")
        assert refused(conn, "INSERT INTO m VALUES ('x', 'x', 1)").sqlstate == "VD001"


@pytest.mark.parametrize("steps", [
    pytest.param([["--single-transaction"]], id="one transaction"),
    pytest.param([["-j", "4", "--section=pre-data", "--section=data"], ["-j", "4", "--section=post-data"]], id="parallel")])
def test_restored_by_an_owner_who_is_no_superuser(server, source, archive, tmp_path, steps):
    """The superuser brings the extension and its schema's rows; the tables come by the hand of their owner."""
    before = counts(server, source)
    db = server.fresh_db()
    server.psql(f'ALTER DATABASE "{db}" OWNER TO dump_owner; GRANT ALL ON SCHEMA public TO dump_owner', db)
    server.run("pg_restore", "--exit-on-error", "-n", "verdict", "-d", db, archive)
    server.run("pg_dump", "-Fc", "-N", "verdict", "-f", tmp_path / "rest", dbname=source)
    rest = ["--exit-on-error", "--no-owner", "--no-privileges", "--no-comments", "-d", db, tmp_path / "rest"]
    # To name the trigger function one must be able to look into the schema.
    done = server.run("pg_restore", *rest, "--single-transaction", user="dump_owner", check=False)
    assert done.returncode != 0 and "permission denied for schema verdict" in done.stderr
    server.psql("GRANT USAGE ON SCHEMA verdict TO dump_owner", db)
    for step in steps:
        server.run("pg_restore", *step, *rest, user="dump_owner")
    server.psql("REVOKE USAGE ON SCHEMA verdict FROM dump_owner; SELECT verdict.grant_role('recorder', 'dump_service')", db)
    check(server, db, before)


def test_a_restore_is_not_hindered_by_guards_of_the_same_name(server, source, archive):
    """Into a database that has the same guards already: the dump's tables do not come, and what stands is left as it is."""
    db = server.fresh_db(extension=False)
    server.run("pg_restore", "--exit-on-error", "-d", db, archive)
    before = counts(server, db)
    done = server.run("pg_restore", "-d", db, archive, check=False)
    assert done.returncode != 0 and "already exists" in done.stderr
    after = counts(server, db)
    twice = {"verdicts", "parts"}  # PostgreSQL itself takes rows again where there is no key
    assert {row for row in after if row[0] not in twice} == {row for row in before if row[0] not in twice}
    check(server, db, after)
