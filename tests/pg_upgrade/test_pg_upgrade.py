"""pg_upgrade from one major to the next: everything is there afterwards, and as strong as before.

Its own tier, since it needs the trees of all majors with the extension: the last step of `scripts/test all`."""

import subprocess

import psycopg
import pytest
from harness.cluster import Cluster

CHAINS = ([15, 16, 17, 18], [15, 17], [15, 18], [16, 18])

SETUP = """
    CREATE ROLE up_owner; CREATE ROLE up_service LOGIN;
    CREATE TABLE m (id text PRIMARY KEY, content text, kind int NOT NULL DEFAULT 1);
    CREATE TABLE parts (id text, content text, kind int) PARTITION BY LIST (kind);
    CREATE TABLE parts1 PARTITION OF parts FOR VALUES IN (1);
    ALTER TABLE m OWNER TO up_owner; ALTER TABLE parts OWNER TO up_owner; ALTER TABLE parts1 OWNER TO up_owner;
    SELECT verdict.create_hook('h', subject => '/id', fields => '{"content":"/content"}');
    SELECT verdict.guard('m', 'h', key => 'id', content => '{"content":"content"}', condition => 'NEW.kind = 1', on_missing => 'quarantine');
    SELECT verdict.guard('parts', 'h', key => 'id', content => '{"content":"content"}');
    SELECT verdict.grant_role('recorder', 'up_service');
    SELECT verdict.approve('h', 'a', '{"content":"x"}');
    SELECT verdict.approve('h', 'turned', '{"content":"x"}');
    SELECT verdict.deny('h', 'turned', 5001, 'no');
    INSERT INTO m VALUES ('a', 'x', 1);
    INSERT INTO parts VALUES ('a', 'x', 1);
"""


def one(conn, sql):
    return conn.execute(sql).fetchone()[0]


def refused(conn, sql):
    with pytest.raises(psycopg.Error) as caught:
        conn.execute(sql)
    return caught.value.sqlstate


def hold(conn, major):
    """A held row, which the next major will release."""
    conn.execute(f"INSERT INTO m VALUES ('held on {major}', 'x', 1)")


def check(server, db, held_on):
    with server.connect(db) as conn:
        states = conn.execute("SELECT guard, part, state, differs FROM verdict.coverage()"
                              " WHERE state NOT IN ('ok', 'note') AND differs NOT LIKE 'role %'").fetchall()
        assert states == []
        assert one(conn, "SELECT count(*) FROM verdict.coverage() WHERE state = 'ok'") == 3
        # Before anything touches them: the guards were seen whole on the old server, and are watched on this one.
        conn.execute("SET ROLE up_owner")
        for statement in ("ALTER TABLE m DISABLE TRIGGER USER", "ALTER TABLE parts RENAME TO away", "ALTER TABLE parts1 DISABLE TRIGGER ALL",
                          "DROP TRIGGER verdict_guard_1 ON m"):
            assert refused(conn, statement) in ("VD010", "42501"), statement
        conn.execute("RESET ROLE")
        for table in ("m", "parts"):
            assert refused(conn, f"INSERT INTO {table} VALUES ('turned', 'x', 1)") == "VD002"
            assert refused(conn, f"UPDATE {table} SET content = 'y' WHERE id = 'a'") == "VD005"
        assert refused(conn, "INSERT INTO parts VALUES ('nobody', 'x', 1)") == "VD001"
        highest = one(conn, "SELECT max(id) FROM verdict.verdicts")
        conn.execute("SELECT verdict.approve('h', 'turned', '{\"content\":\"x\"}')")
        conn.execute("INSERT INTO parts VALUES ('turned', 'x', 1); DELETE FROM parts WHERE id = 'turned'")
        assert one(conn, "SELECT id FROM verdict.deny('h', 'turned', 5001, 'no')") > highest + 1
        assert refused(conn, "INSERT INTO parts VALUES ('turned', 'x', 1)") == "VD002"
        conn.execute("SELECT verdict.release(id, 'fine') FROM verdict.quarantine WHERE state = 'held'")
        assert one(conn, f"SELECT count(*) FROM m WHERE id = 'held on {held_on}'") == 1
        with server.connect(db, user="up_service") as service:
            assert one(service, "SELECT outcome FROM verdict.deny('h', 'by the service')") == "denied"
        hold(conn, server.major)


def upgrade(old, new):
    """pg_upgrade as the servers' owner; both must be down."""
    old.stop()
    done = subprocess.run(
        [new.bin / "pg_upgrade", "-b", old.bin, "-B", new.bin, "-d", old.data, "-D", new.data, "-U", "postgres", "-s", new.dir,
         "-p", "54321", "-P", "54322"],
        cwd=new.dir, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"}, capture_output=True, text=True, **new._identity())
    logs = "".join(f"\n--- {path}\n{path.read_text(errors='replace')[-2000:]}" for path in new.data.glob("pg_upgrade_output.d/*/log/*.log")
                   if done.returncode != 0)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr + logs
    new.start()


def emits_an_unknown_option(old, new, db):
    """Debian's PostgreSQL 15.20 keeps attribute options of its own, which other builds' pg_dump passes on and their server
    refuses. That is why 15 is the build of Debian's main archive, as long as that is an older one."""
    done = subprocess.run([new.bin / "pg_dump", "--schema-only", "-h", old.dir, "-p", "5432", "-U", "postgres", db],
                          capture_output=True, text=True)
    return "pg_attver" in done.stdout


@pytest.mark.parametrize("chain", CHAINS, ids=["-".join(map(str, chain)) for chain in CHAINS])
def test_from_major_to_major(request, chain):
    trees = request.config.clusters.trees_of
    run_dir = request.config.clusters.run_dir
    name = "up" + "".join(map(str, chain))
    psql = request.config.clusters.psql_path
    made = []

    def cluster(major):
        # Neither may a major have checksums on by default when the one before has not.
        more = ["--no-data-checksums"] if major >= 18 else []
        made.append(Cluster(trees[major], run_dir / f"{name}_{major}", psql, initdb=more))
        return made[-1]

    try:
        server = cluster(chain[0]).start()
        db = server.fresh_db()
        server.psql(SETUP, db)
        with server.connect(db) as conn:
            hold(conn, server.major)
        for major in chain[1:]:
            new = cluster(major)
            if emits_an_unknown_option(server, new, db):
                pytest.skip(f"cannot run here: pg_dump {major} passes on the attribute option pg_attver of this build of "
                            f"{server.major}, which no other build accepts")
            held_on = server.major
            upgrade(server, new)
            server = new
            check(server, db, held_on)
    finally:
        for cluster in made:
            cluster.remove()
