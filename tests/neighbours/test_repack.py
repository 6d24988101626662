"""pg_repack on a guarded table: it copies the rows and exchanges the files below the table, whose triggers stay as they are."""

import subprocess

import psycopg
import pytest

SETUP = """
    CREATE EXTENSION pg_repack;
    CREATE ROLE rp_owner LOGIN;
    CREATE TABLE msgs (id text PRIMARY KEY, body text, junk text);
    ALTER TABLE msgs OWNER TO rp_owner;
    ALTER TABLE msgs DROP COLUMN junk;
    SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
    SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}', on_missing => 'quarantine');
    SELECT count(verdict.approve('h', 'm' || i, '{"body":"x"}')) FROM generate_series(1, 500) AS i;
    INSERT INTO msgs SELECT 'm' || i, 'x' FROM generate_series(1, 500) AS i;
    DELETE FROM msgs WHERE substr(id, 2)::int % 2 = 0;
"""


def test_a_table_is_repacked(cluster, db, conn):
    if cluster.major != 15:
        pytest.skip("cannot run here: Debian 12 has pg_repack for PostgreSQL 15 only")
    cluster.psql(SETUP, db)
    file = conn.execute("SELECT pg_relation_filenode('msgs')").fetchone()
    tool = cluster.bin / "pg_repack"
    done = subprocess.run([tool, "-t", "public.msgs", "-d", db], env=cluster.client_env(db), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert conn.execute("SELECT pg_relation_filenode('msgs')").fetchone() != file
    assert conn.execute("SELECT count(*) FROM msgs").fetchone() == (250,)
    assert conn.execute("SELECT state FROM verdict.coverage() WHERE part IS NOT NULL AND guard IS NOT NULL").fetchall() == [("ok",)]
    with pytest.raises(psycopg.Error) as caught:
        conn.execute("UPDATE msgs SET body = 'y' WHERE id = 'm1'")
    assert caught.value.sqlstate == "VD005"
    assert conn.execute("INSERT INTO msgs VALUES ('never', 'x')").rowcount == 0
