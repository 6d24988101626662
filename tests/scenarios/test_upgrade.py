"""From one version of the SQL to the next: guards stand, data stays, and nothing differs from a fresh install."""

import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest

HERE = Path(__file__).resolve().parents[1]
OLD = "0.1.0"
NEW = "0.2.0"

SETUP = f"""
    CREATE EXTENSION pg_verdict VERSION '{OLD}';
    CREATE TABLE msgs (id text, body text, kind int);
    CREATE TABLE parts (id text, body text, kind int) PARTITION BY LIST (kind);
    CREATE TABLE parts1 PARTITION OF parts FOR VALUES IN (1);
    CREATE ROLE upgrade_recorder; CREATE ROLE upgrade_auditor; CREATE ROLE upgrade_admin;
    SELECT verdict.create_hook('h', subject => '/id', fields => '{{"body":"/body"}}');
    SELECT verdict.approve('h', 'a', '{{"body":"hi"}}');
    SELECT verdict.deny('h', 'd', 5001, 'no spam');
    SELECT verdict.grant_role('recorder', 'upgrade_recorder');
    SELECT verdict.grant_role('auditor', 'upgrade_auditor');
    SELECT verdict.grant_role('admin', 'upgrade_admin');
"""
# The old version's own statements: its functions take fewer arguments, and the library of today refuses them by name.
GUARDS = """
    INSERT INTO verdict.guards (name, relation_schema, relation_name, hook_id, key, content, condition, condition_columns, columns,
        on_missing, on_denied, on_failed, on_expired, on_altered, on_reused, on_revoked, locking, mode, edits, created_by)
    SELECT t || '_h', 'public', t, 1, 'id', '{"body":"body"}', 'NEW.kind = 1', '["kind"]', '{"body":2,"id":1,"kind":3}',
        'reject', 'reject', 'reject', 'reject', 'reject', 'reject', 'reject', 'share', 'enforce', 'enforce', 'postgres'
    FROM unnest(ARRAY['msgs', 'parts']) AS t;
    CREATE TRIGGER verdict_guard_1 AFTER INSERT OR UPDATE OF body, id, kind ON msgs FOR EACH ROW
        WHEN ((NEW.kind = 1) IS NOT FALSE) EXECUTE FUNCTION verdict.guard_row();
    CREATE TRIGGER verdict_guard_1_update AFTER UPDATE ON msgs FOR EACH ROW EXECUTE FUNCTION verdict.guard_row();
    CREATE TRIGGER verdict_guard_2 AFTER INSERT OR UPDATE OF body, id, kind ON parts FOR EACH ROW
        WHEN ((NEW.kind = 1) IS NOT FALSE) EXECUTE FUNCTION verdict.guard_row();
    CREATE TRIGGER verdict_guard_2_update AFTER UPDATE ON parts FOR EACH ROW EXECUTE FUNCTION verdict.guard_row();
    CREATE TRIGGER verdict_guard_2_move AFTER DELETE ON parts FOR EACH ROW EXECUTE FUNCTION verdict.guard_row();
    ALTER TABLE msgs ENABLE ALWAYS TRIGGER verdict_guard_1, ENABLE ALWAYS TRIGGER verdict_guard_1_update;
    ALTER TABLE parts ENABLE ALWAYS TRIGGER verdict_guard_2, ENABLE ALWAYS TRIGGER verdict_guard_2_update,
        ENABLE ALWAYS TRIGGER verdict_guard_2_move;
"""

# Everything that an extension's SQL makes, in words: two databases with the same rows have the same extension.
CATALOG = """
    SELECT pg_describe_object(d.classid, d.objid, 0) AS object,
        concat_ws(E'\n',
            CASE WHEN d.classid = 'pg_proc'::regclass THEN pg_get_functiondef(d.objid) || ' ' || (
                SELECT coalesce(proacl::text, '-') FROM pg_proc WHERE oid = d.objid) END,
            CASE WHEN d.classid = 'pg_class'::regclass THEN (
                SELECT concat_ws(' ', c.relkind, c.relpersistence, c.relreplident, c.reloptions, coalesce(c.relacl::text, '-')) FROM pg_class AS c WHERE c.oid = d.objid) END,
            (SELECT string_agg(format('%s %s %s %s %s', a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                coalesce(pg_get_expr(f.adbin, f.adrelid), '-') || a.attidentity::text || coalesce(col_description(a.attrelid, a.attnum), '')), E'\n' ORDER BY a.attname)
             FROM pg_attribute AS a LEFT JOIN pg_attrdef AS f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
             WHERE d.classid = 'pg_class'::regclass AND a.attrelid = d.objid AND a.attnum > 0),
            (SELECT string_agg(c.conname || ' ' || pg_get_constraintdef(c.oid), E'\n' ORDER BY c.conname) FROM pg_constraint AS c
             WHERE d.classid = 'pg_class'::regclass AND c.conrelid = d.objid OR d.classid = 'pg_type'::regclass AND c.contypid = d.objid),
            (SELECT string_agg(pg_get_indexdef(i.indexrelid), E'\n' ORDER BY 1) FROM pg_index AS i
             WHERE d.classid = 'pg_class'::regclass AND i.indrelid = d.objid),
            (SELECT string_agg(pg_get_triggerdef(t.oid) || t.tgenabled::text, E'\n' ORDER BY t.tgname) FROM pg_trigger AS t
             WHERE d.classid = 'pg_class'::regclass AND t.tgrelid = d.objid AND NOT t.tgisinternal),
            (SELECT concat_ws(' ', e.evtevent, e.evtenabled, e.evtfoid::regprocedure) FROM pg_event_trigger AS e
             WHERE d.classid = 'pg_event_trigger'::regclass AND e.oid = d.objid),
            obj_description(d.objid, (SELECT relname FROM pg_class WHERE oid = d.classid))) AS made_as
    FROM pg_depend AS d JOIN pg_extension AS x ON x.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
    WHERE x.extname = 'pg_verdict'
    UNION ALL
    SELECT 'dumped', string_agg(format('%s %s', c.oid::regclass, k.filter), E'\n' ORDER BY c.relname)
    FROM pg_extension AS x, unnest(x.extconfig, x.extcondition) AS k (oid, filter), pg_class AS c
    WHERE x.extname = 'pg_verdict' AND c.oid = k.oid
    ORDER BY 1
"""


@pytest.fixture
def old(make_cluster):
    """A server on which the old version's SQL can be installed, and has been: with guards and data."""
    server = make_cluster()
    share = subprocess.run([server.bin / "pg_config", "--sharedir"], capture_output=True, text=True, check=True).stdout.strip()
    shutil.copy(HERE / "upgrade" / f"pg_verdict--{OLD}.sql", Path(share) / "extension")
    db = server.fresh_db(extension=False)
    server.psql(SETUP, db)
    server.psql(GUARDS, db)
    return server, db


def refused(conn, sql):
    with pytest.raises(psycopg.Error) as caught:
        conn.execute(sql)
    return caught.value.sqlstate


def check_enforced(conn):
    conn.execute("INSERT INTO msgs VALUES ('a', 'hi', 1), ('x', 'y', 2)")
    conn.execute("INSERT INTO parts VALUES ('a', 'hi', 1)")
    for table in ("msgs", "parts"):
        assert refused(conn, f"INSERT INTO {table} VALUES ('d', 'hi', 1)") == "VD002"
        assert refused(conn, f"INSERT INTO {table} VALUES ('x', 'hi', 1)") == "VD001"
        assert refused(conn, f"UPDATE {table} SET body = 'changed' WHERE id = 'a'") == "VD005"


def test_a_new_library_enforces_with_the_old_sql(old):
    server, db = old
    with server.connect(db) as conn:
        check_enforced(conn)
        conn.execute("UPDATE verdict.guards SET mode = 'observe'")
        mark = server.log_mark()
        conn.execute("INSERT INTO msgs VALUES ('d', 'hi', 1)")
        assert '"done":"observed"' in server.log(mark)
        assert conn.execute("SELECT outcome FROM verdict.approve('h', 'b', '{\"body\":\"hi\"}')").fetchone() == ("approved",)
        assert conn.execute("SELECT accepted FROM verdict.status('h', 'b')").fetchone() == (True,)
        conn.execute("SELECT * FROM verdict.explain('msgs', '{\"id\":\"b\",\"kind\":1}')")
        conn.execute("SELECT * FROM verdict.retire()")
        # What takes other arguments now is refused, not called with the wrong ones.
        assert refused(conn, "SELECT verdict.alter_guard('msgs', 'h', mode => 'enforce')") == "55000"
        conn.execute("SELECT verdict.unguard('msgs', 'h', 'why')")


def test_an_upgraded_database_is_like_a_new_one(old):
    server, db = old
    with server.connect(db) as conn:
        conn.execute(f"ALTER EXTENSION pg_verdict UPDATE TO '{NEW}'")
        check_enforced(conn)
        states = conn.execute("SELECT DISTINCT state FROM verdict.coverage() WHERE guard IS NOT NULL AND part IS NOT NULL").fetchall()
        assert states == [("ok",)]
        assert conn.execute("SELECT columns FROM verdict.baselines").fetchall() == [({"body": 2, "id": 1, "kind": 3},)] * 2
        # The watch is awake, for whoever is no admin.
        conn.execute("CREATE ROLE upgrade_owner; ALTER TABLE msgs OWNER TO upgrade_owner; SET ROLE upgrade_owner")
        assert refused(conn, "ALTER TABLE msgs DISABLE TRIGGER USER") == "VD010"
        conn.execute("RESET ROLE")
        # What a kind of role may do, it may do again.
        for role, function, may in (("recorder", "verdict.record(text,text,text,int)", True), ("recorder", "verdict.coverage()", False),
                                    ("auditor", "verdict.coverage()", True), ("auditor", "verdict.repair(regclass)", False),
                                    ("admin", "verdict.repair(regclass)", True)):
            assert conn.execute("SELECT has_function_privilege(%s, %s, 'EXECUTE')", (f"upgrade_{role}", function)).fetchone() == (may,)
        conn.execute("SELECT verdict.alter_guard('parts', 'h', on_missing => 'quarantine')")
        conn.execute("INSERT INTO parts VALUES ('x', 'hi', 1)")
        assert conn.execute("SELECT count(*) FROM verdict.quarantine").fetchone() == (1,)
        for kind in ("recorder", "auditor", "admin"):
            conn.execute(f"SELECT verdict.revoke_role('{kind}', 'upgrade_{kind}')")
        conn.execute("SELECT verdict.revoke_role('auditor', 'upgrade_admin')")
        upgraded = conn.execute(CATALOG).fetchall()
    with server.connect(server.fresh_db()) as conn:
        fresh = conn.execute(CATALOG).fetchall()
        assert conn.execute("SELECT extversion FROM pg_extension WHERE extname = 'pg_verdict'").fetchone() == (NEW,)
    assert len(fresh) > 60
    assert [row[0] for row in upgraded] == [row[0] for row in fresh]
    for before, after in zip(upgraded, fresh):
        assert before == after
