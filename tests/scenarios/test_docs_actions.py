"""docs/actions.md says what clients see of each action: the table there is run, cell by cell."""

from pathlib import Path

import psycopg
import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "actions.md"
ACTIONS = ("reject", "quarantine", "discard", "flag")
FINDINGS = ("missing", "denied", "failed", "expired", "altered", "reused", "revoked")

SETUP = """
    CREATE TABLE msgs (id text PRIMARY KEY, body text, status int DEFAULT 0, seen int DEFAULT 0);
    CREATE TABLE replies (msg text REFERENCES msgs);
    SELECT verdict.create_hook('h', subject => '/id', fields => '{{"body":"/body"}}');
    SELECT verdict.guard('msgs', 'h', key => 'id', content => '{{"body":"body"}}', flag_column => 'status', flag_value => '3', {actions});
    SELECT verdict.approve('h', i, '{{"body":"hi"}}') FROM unnest('{{1,2}}'::text[]) AS i;
    SELECT verdict.deny('h', 'd', 5001, 'no');
"""


def table():
    """The page's table: {statement: {action: cell}}."""
    lines = PAGE.read_text().split("## What clients see\n", 1)[1].split("\n### ", 1)[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    heads, body = rows[0], rows[2:]
    assert tuple(heads[1:]) == ACTIONS
    return {row[0]: dict(zip(heads[1:], row[1:])) for row in body}


def answer(conn, sql):
    cursor = conn.execute(sql)
    if not cursor.description:
        return cursor.statusmessage
    return f"{cursor.statusmessage}, {' '.join(row[0] for row in cursor) or 'no row'}"


def each_in_a_savepoint(conn):
    answers = []
    with conn.transaction():
        for i in ("1", "d", "2"):
            try:
                with conn.transaction():
                    answers.append(answer(conn, f"INSERT INTO msgs VALUES ('{i}', 'hi')"))
            except psycopg.Error as error:
                answers.append(error.sqlstate)
    return answers[1]


def copied(conn):
    cursor = conn.cursor()
    with cursor.copy("COPY msgs (id, body) FROM STDIN") as out:
        for i in ("1", "d", "2"):
            out.write_row((i, "hi"))
    return cursor.statusmessage


def when_stored(sql):
    def run(conn):
        conn.execute("SET verdict.enforce = 'observe'")
        conn.execute("INSERT INTO msgs VALUES ('d', 'hi')")
        conn.execute("RESET verdict.enforce")
        conn.execute("DELETE FROM verdict.incidents")
        return answer(conn, sql)
    return run


def edited(conn):
    conn.execute("INSERT INTO msgs VALUES ('1', 'hi')")
    return answer(conn, "UPDATE msgs SET body = 'other' WHERE id = '1'")


def referenced(conn):
    with conn.transaction():
        conn.execute("INSERT INTO msgs VALUES ('d', 'hi')")
        return answer(conn, "INSERT INTO replies VALUES ('d')")


def rolled_back(conn):
    with conn.transaction(force_rollback=True):
        return answer(conn, "INSERT INTO msgs VALUES ('d', 'hi')")


def three_times(conn):
    last = None
    for _ in range(3):
        try:
            last = answer(conn, "INSERT INTO msgs VALUES ('d', 'hi')")
        except psycopg.Error as error:
            last = error.sqlstate
    return last


D, ALL = "INSERT INTO msgs VALUES ('d', 'hi')", "INSERT INTO msgs VALUES ('1', 'hi'), ('d', 'hi'), ('2', 'hi')"
MERGE = ("MERGE INTO msgs USING (VALUES ('1', 'hi'), ('d', 'hi')) AS new (id, body) ON msgs.id = new.id"
         " WHEN NOT MATCHED THEN INSERT (id, body) VALUES (new.id, new.body)")
STATEMENTS = {
    "INSERT of `d`": D,
    "INSERT of `d` RETURNING id": D + " RETURNING id",
    "INSERT of `1`, `d`, `2` RETURNING id": ALL + " RETURNING id",
    "the same as one INSERT each, a savepoint around each": each_in_a_savepoint,
    "COPY of `1`, `d`, `2`": copied,
    "MERGE of `1`, `d`": MERGE,
    "INSERT of `d` ON CONFLICT DO NOTHING": D + " ON CONFLICT DO NOTHING",
    "the same, `d` is stored already": when_stored(D + " ON CONFLICT DO NOTHING"),
    "INSERT of `d` ON CONFLICT DO UPDATE SET seen, `d` is stored already":
        when_stored(D + " ON CONFLICT (id) DO UPDATE SET seen = 1"),
    "UPDATE of the content of `1`": edited,
    "INSERT of `d`, then of a row that references it": referenced,
    "INSERT of `d`, then ROLLBACK": rolled_back,
    "INSERT of `d`, three times": three_times,
}


@pytest.mark.parametrize("action", ACTIONS)
def test_what_clients_see(cluster, db, conn, action):
    cluster.psql(SETUP.format(actions=", ".join(f"on_{finding} => '{action}'" for finding in FINDINGS)), db)
    seen = {}
    for label, statement in STATEMENTS.items():
        try:
            said = answer(conn, statement) if isinstance(statement, str) else statement(conn)
        except psycopg.Error as error:
            said = error.sqlstate
        counts = [conn.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
                  for name in ("msgs", "verdict.quarantine", "verdict.incidents")]
        seen[label] = f"{said} · {' / '.join(map(str, counts))}"
        conn.execute("DELETE FROM replies; DELETE FROM msgs; DELETE FROM verdict.quarantine; DELETE FROM verdict.incidents")
    assert seen == {label: cells[action] for label, cells in table().items()}
