"""How much memory a large document takes: beside what PostgreSQL itself needs for it, at most four times its bytes."""

import resource

import psycopg
import pytest

SIZE = 2_000_000
# What is worst for a tree: the smallest values there are.
DOCUMENTS = {
    "numbers": f"'[' || repeat('0,', {SIZE // 2}) || '0]'",
    "exponents": f"'[' || repeat('1e20,', {SIZE // 5}) || '0]'",
    "objects": f"'[' || repeat('{{}},', {SIZE // 3}) || '0]'",
    "strings": f"'[' || repeat('\"\",', {SIZE // 3}) || '0]'",
    "members": f"(SELECT '{{' || string_agg(format('\"%s\":0', to_hex(i)), ',') || '}}' FROM generate_series(1, {SIZE // 10}) AS i)",
    "nested": f"(SELECT '{{' || string_agg(format('\"%s\":{{}}', to_hex(i)), ',') || '}}' FROM generate_series(1, {SIZE // 11}) AS i)",
    "text": f"'\"' || repeat('x', {SIZE}) || '\"'",
    "escapes": f"'\"' || repeat('\\n', {SIZE // 2}) || '\"'",
}
SETUP = """
    SELECT verdict.create_hook('h', subject => '/id', fields => '{"doc":"/doc"}');
    CREATE TABLE twin (id text, doc text, more text); CREATE TABLE docs (kind text, doc text); ALTER TABLE docs ALTER doc SET STORAGE EXTERNAL;
    CREATE TABLE twin_json (id text, doc json); CREATE TABLE guarded_json (id text, doc json);
    CREATE TABLE twin_jsonb (id text, doc jsonb); CREATE TABLE guarded_jsonb (id text, doc jsonb);
    CREATE TABLE twin_text (id text, doc text); CREATE TABLE guarded_text (id text, doc text);
    CREATE TABLE twin_bytea (id text, doc bytea); CREATE TABLE guarded_bytea (id text, doc bytea);
"""
TYPES = ("json", "jsonb", "text", "bytea")
GUARDED = [(as_type, kind) for as_type in ("json", "jsonb") for kind in DOCUMENTS] + [("text", "text"), ("bytea", "text")]


@pytest.fixture(scope="module")
def server(request):
    # Pages that are shared count as memory of whoever touches them.
    made = request.config.clusters.make("plain", {"shared_buffers": "'1MB'", "max_connections": 10}, None)
    yield made
    request.config.clusters.remove(made)


@pytest.fixture(scope="module")
def db(server):
    name = server.fresh_db()
    with server.connect(name) as conn:
        conn.execute("CREATE EXTENSION IF NOT EXISTS pg_verdict")
        conn.execute(SETUP)
        for kind, made in DOCUMENTS.items():
            conn.execute(f"INSERT INTO docs SELECT '{kind}', {made}")
        for type_name in TYPES:
            form = ":hex" if type_name == "bytea" else ""
            conn.execute(f"SELECT verdict.guard('guarded_{type_name}', 'h', key => 'id', content => '{{\"doc\":\"doc{form}\"}}')")
    return name


def peak(server, db, sql, *arguments, fails=None):
    """Highest resident memory, in bytes, of a session that does this and nothing else, above what it has before."""
    with server.connect(db) as conn:
        conn.execute("SELECT verdict.status('h', 'warm')")
        status = f"/proc/{conn.info.backend_pid}/status"
        with open(f"/proc/{conn.info.backend_pid}/clear_refs", "w") as reset:
            reset.write("5")
        before = high_water(status)
        try:
            conn.execute(sql, arguments)
            assert fails is None
        except psycopg.Error as error:
            assert error.sqlstate == fails, error
        return high_water(status) - before


def high_water(status):
    with open(status) as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def insert(table, kind, as_type):
    return f"INSERT INTO {table} SELECT 'm', doc::{as_type} FROM docs WHERE kind = '{kind}'"


def said(what, kind, beside, size=SIZE):
    print(f"{what} {kind}: {beside / size:.1f} times the document beside it")
    assert beside <= 4 * size


@pytest.mark.parametrize("as_type, kind", GUARDED)
def test_a_guard(server, db, kind, as_type):
    given = "json" if as_type == "json" else f"text::{as_type}" if as_type != "text" else "text"
    twin = peak(server, db, insert(f"twin_{as_type}", kind, given))
    guarded = peak(server, db, insert(f"guarded_{as_type}", kind, given), fails="VD001")
    with server.connect(db) as conn:
        # A jsonb may be longer as text than what it was made of: 1e20 has 21 digits.
        size, = conn.execute(f"SELECT greatest(octet_length(doc::{given}::text), {SIZE}) FROM docs WHERE kind = %s", (kind,)).fetchone()
    said(f"guard on {as_type}", kind, guarded - twin, size)


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_a_recorder(server, db, kind):
    text = f"(SELECT '{{\"id\":\"m\",\"doc\":' || doc || '}}' FROM docs WHERE kind = '{kind}')"
    twin = peak(server, db, f"SELECT length({text})")
    said("record", kind, peak(server, db, f"SELECT verdict.record_no_answer('h', {text}, 'timeout')") - twin)
    content = f"(SELECT jsonb_build_object('doc', doc::jsonb) FROM docs WHERE kind = '{kind}')"
    twin = peak(server, db, f"SELECT jsonb_typeof({content})")
    said("approve", kind, peak(server, db, f"SELECT verdict.approve('h', 'm', {content})") - twin)


def test_a_held_row(server, db):
    with server.connect(db) as conn:
        conn.execute("CREATE TABLE held (id text, doc text, more text)")
        conn.execute("SELECT verdict.guard('held', 'h', key => 'id', on_missing => 'quarantine')")
    columns = f"SELECT 'kept', repeat('x', {SIZE // 2}), repeat('y', {SIZE // 2})"
    twin = peak(server, db, f"INSERT INTO twin (id, doc, more) {columns}")
    said("hold", "text", peak(server, db, f"INSERT INTO held {columns}") - twin)
    with server.connect(db) as conn:
        assert conn.execute("SELECT length(row_values[2]), length(row_values[3]) FROM verdict.quarantine").fetchone() == (SIZE // 2, SIZE // 2)
        conn.execute("DELETE FROM verdict.quarantine")
    update = "UPDATE {} SET doc = repeat('z', length(doc)) WHERE id = 'kept'"
    with server.connect(db) as conn:
        conn.execute("SELECT verdict.alter_guard('held', 'h', mode => 'observe')")
        conn.execute(f"INSERT INTO held {columns}")
        conn.execute("SELECT verdict.alter_guard('held', 'h', mode => 'enforce')")
    twin = peak(server, db, update.format("twin"))
    # The row as it was is held, too.
    said("hold of an update", "text", peak(server, db, "UPDATE held SET id = 'n'") - twin, 2 * SIZE)


def test_beyond_the_cap(server, db):
    """Refused by name, or without a digest; and neither takes memory."""
    size = 40_000_000
    text = f"'{{\"id\":\"m\",\"doc\":\"' || repeat('x', {size}) || '\"}}'"
    assert peak(server, db, f"SELECT verdict.record_no_answer('h', {text}, 'timeout')", fails="54000") < 5 * size
    content = f"jsonb_build_object('doc', repeat('x', {size}))"
    assert peak(server, db, f"SELECT verdict.approve('h', 'm', {content})", fails="54000") < 7 * size
    with server.connect(db) as conn:
        conn.execute("SELECT verdict.approve('h', 'm', '{\"doc\":0}')")
    large = f"INSERT INTO {{}} VALUES ('m', ('\"' || repeat('x', {size}) || '\"')::json)"
    twin = peak(server, db, large.format("twin_json"))
    assert peak(server, db, large.format("guarded_json"), fails="VD005") - twin <= 1.5 * size


CALLS = [
    (insert("guarded_json", "members", "json"), "VD005"),
    (insert("guarded_json", "objects", "json"), "VD005"),
    ("SELECT verdict.record_no_answer('h', (SELECT '{\"id\":\"o\",\"doc\":' || doc || '}' FROM docs WHERE kind = 'members'), 'timeout')", None),
    (f"INSERT INTO limited SELECT 'held', repeat('x', {SIZE}), repeat('y', {SIZE})", None)]


def warm_session(server, db):
    """A session that has loaded what it loads once, and how much address space it has."""
    conn = server.connect(db)
    conn.execute("BEGIN; INSERT INTO limited VALUES ('warm', 'x', 'y'); ROLLBACK; SELECT verdict.status('h', 'warm')")
    with open(f"/proc/{conn.info.backend_pid}/status") as lines:
        return conn, next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmSize"))


def test_a_limit(server, db):
    """Where memory ends, the statement does, with PostgreSQL's own error; the session and the server go on."""
    with server.connect(db) as conn:
        conn.execute("CREATE TABLE limited (id text, doc text, more text)")
        conn.execute("SELECT verdict.guard('limited', 'h', key => 'id', on_missing => 'quarantine')")
        conn.execute("SELECT verdict.approve('h', 'm', '{\"doc\":0}')")
    conn, size = warm_session(server, db)
    conn.close()
    mark = server.log_mark()
    seen = {call: set() for call, _ in CALLS}
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    for more in (3, 6, 9, 12, 16, 22, 30, 60):
        server.stop()
        # The server has the limit of whoever starts it.
        resource.setrlimit(resource.RLIMIT_AS, (size + more * 1024 * 1024, hard))
        try:
            server.start()
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        for call, ends in CALLS:
            conn, _ = warm_session(server, db)
            with conn:
                try:
                    conn.execute(call)
                    seen[call].add(None)
                except psycopg.Error as error:
                    assert error.sqlstate in ("53200", ends), (more, call, error)
                    seen[call].add(error.sqlstate)
                assert conn.execute("SELECT 1").fetchone() == (1,)
    server.stop()
    server.start()
    assert "was terminated by signal" not in server.log(mark)
    for call, ends in CALLS:
        assert seen[call] == {"53200", ends}, call
