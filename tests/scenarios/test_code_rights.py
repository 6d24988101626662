"""Nobody's code runs with more rights than its author has: every function, called as every kind of role, on tables with everything
that carries code."""

import re
from pathlib import Path

import psycopg
import pytest

SECURITY = Path(__file__).parents[2] / "docs" / "security.md"

ROLES = ["auditor", "reviewer", "admin", "recorder", "owner", "author", "postgres"]

SETUP = """
    CREATE ROLE auditor; CREATE ROLE reviewer; CREATE ROLE admin; CREATE ROLE recorder; CREATE ROLE owner; CREATE ROLE author; CREATE ROLE app;
    SELECT verdict.grant_role(kind, kind::regrole) FROM unnest(ARRAY['auditor', 'reviewer', 'admin', 'recorder']) AS kind;
    -- whoever wrote the code may be anything himself
    SELECT verdict.grant_role(kind, 'author') FROM unnest(ARRAY['auditor', 'reviewer', 'admin', 'recorder']) AS kind;
    SELECT verdict.grant_role('admin', 'owner');
    GRANT owner TO admin;
    GRANT CREATE ON SCHEMA public TO owner, author;
    SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
"""

# Everything with which code comes along, by whoever runs it; {p} makes names of it.
CODE = """
    CREATE FUNCTION {p}_tells(what text) RETURNS bool LANGUAGE plpgsql AS
        $$ BEGIN RAISE WARNING 'ran: % of {p} as %', what, current_user; RETURN true; END $$;
    CREATE TYPE {p}_mood AS ENUM ('good', 'bad');
    CREATE FUNCTION {p}_json({p}_mood) RETURNS json LANGUAGE plpgsql AS $$ BEGIN PERFORM public.{p}_tells('cast to json'); RETURN '"good"'; END $$;
    CREATE CAST ({p}_mood AS json) WITH FUNCTION {p}_json({p}_mood) AS IMPLICIT;
    CREATE FUNCTION {p}_jsonb({p}_mood) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN PERFORM public.{p}_tells('cast to jsonb'); RETURN '"good"'; END $$;
    CREATE CAST ({p}_mood AS jsonb) WITH FUNCTION {p}_jsonb({p}_mood) AS IMPLICIT;
    CREATE FUNCTION {p}_text({p}_mood) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM public.{p}_tells('cast to text'); RETURN 'good'; END $$;
    CREATE CAST ({p}_mood AS text) WITH FUNCTION {p}_text({p}_mood) AS IMPLICIT;
    CREATE FUNCTION {p}_from(text) RETURNS {p}_mood LANGUAGE plpgsql AS $$ BEGIN PERFORM public.{p}_tells('cast from text'); RETURN 'good'; END $$;
    CREATE CAST (text AS {p}_mood) WITH FUNCTION {p}_from(text) AS IMPLICIT;
    CREATE FUNCTION {p}_equals({p}_mood, {p}_mood) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RETURN public.{p}_tells('operator'); END $$;
    CREATE OPERATOR public.= (LEFTARG = {p}_mood, RIGHTARG = {p}_mood, FUNCTION = {p}_equals);
    CREATE OPERATOR public.<> (LEFTARG = {p}_mood, RIGHTARG = {p}_mood, FUNCTION = {p}_equals);
    CREATE DOMAIN {p}_word AS text CHECK (public.{p}_tells('domain'));
    CREATE DOMAIN {p}_num AS int CHECK (public.{p}_tells('domain in range'));
    CREATE TYPE {p}_span AS RANGE (subtype = {p}_num, multirange_type_name = {p}_spans);
    CREATE TYPE {p}_pair AS (a {p}_word, b {p}_mood);
    CREATE FUNCTION {p}_pair_json({p}_pair) RETURNS json LANGUAGE plpgsql AS $$ BEGIN PERFORM public.{p}_tells('cast of composite'); RETURN '1'; END $$;
    CREATE CAST ({p}_pair AS json) WITH FUNCTION {p}_pair_json({p}_pair) AS IMPLICIT;
    CREATE FUNCTION {p}_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM public.{p}_tells('trigger'); RETURN NEW; END $$;
    CREATE FUNCTION {p}_key(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM public.{p}_tells('index'); RETURN $1; END $$;
"""

COLUMNS = "mood {p}_mood, word {p}_word, span {p}_span, spans {p}_spans, pair {p}_pair, words {p}_word[], pairs {p}_pair[], flag {p}_word"
SAMPLE = """{"id":"s","body":"x","mood":"good","word":"w","span":"[1,2)","spans":"{[1,2)}","pair":{"a":"w","b":"good"},"words":["w"],"pairs":[{"a":"w","b":"bad"}]}"""

# How each function is called; {t} is the table. Functions that are no triggers and are not here fail the test.
CALLS = {
    "record": ["SELECT verdict.record('h', '{\"id\":\"r\",\"body\":\"x\"}', '{\"actionCode\":0,\"nextCode\":0}')"],
    "record_no_answer": ["SELECT verdict.record_no_answer('h', '{\"id\":\"r\",\"body\":\"x\"}', 'timeout')"],
    "approve": ["SELECT verdict.approve('h', 's', '{\"body\":\"x\"}')"],
    "deny": ["SELECT verdict.deny('h', 's')"],
    "revoke": ["SELECT verdict.approve('h', 's', '{\"body\":\"x\"}'); SELECT verdict.revoke('h', 's', 'why')"],
    "parse": ["SELECT verdict.parse('openim', '{}')"],
    "status": ["SELECT verdict.status('h', 'a')"],
    "create_hook": ["SELECT verdict.create_hook('new', subject => '/id', fields => '{\"body\":\"/body\"}')"],
    "alter_hook": ["SELECT verdict.alter_hook('h', valid_for => '2 days')"],
    "drop_hook": ["SELECT verdict.create_hook('gone', subject => '/id', fields => '{\"body\":\"/body\"}'); SELECT verdict.drop_hook('gone')"],
    "grant_role": ["SELECT verdict.grant_role('auditor', 'app')"],
    "revoke_role": ["SELECT verdict.revoke_role('auditor', 'auditor')"],
    "retire": ["SELECT verdict.retire()"],
    "break_glass": ["SELECT verdict.break_glass('{t}', 'why', '1 hour')"],
    "restore_glass": ["SELECT verdict.break_glass('{t}', 'why', '1 hour'); SELECT verdict.restore_glass('{t}')"],
    "forget": ["SELECT verdict.forget('public.{t}', 'h', 'why')"],
    "explain": ["SELECT verdict.explain(m) FROM {t} AS m", "SELECT verdict.explain('{t}', '" + SAMPLE.replace("{", "{{").replace("}", "}}") + "')"],
    "explain_row": ["SELECT verdict.explain_row('{t}', '" + SAMPLE.replace("{", "{{").replace("}", "}}") + "')"],
    "explain_value": ["SELECT verdict.explain_value(m) FROM {t} AS m"],
    "reconcile": ["SELECT * FROM verdict.reconcile('h', '{t}')"],
    "readiness": ["SELECT * FROM verdict.readiness('{t}')"],
    "coverage": ["SELECT * FROM verdict.coverage()"],
    "coverage_guards": ["SELECT * FROM verdict.coverage_guards()"],
    "guard": ["SELECT verdict.unguard('{t}', 'h', 'why'); SELECT verdict.guard('{t}', 'h', key => 'id', content => '{{\"body\":\"body\"}}', "
              "condition => $$NEW.word = 'w' OR NEW.pair IS NOT NULL$$, on_missing => 'flag', flag_column => 'flag', flag_value => 'odd')"],
    "alter_guard": ["SELECT verdict.alter_guard('{t}', 'h', flag_column => 'flag', flag_value => 'odder')",
                    "SELECT verdict.alter_guard('{t}', 'h', condition => $$NEW.pair = '(w,good)'$$)",
                    "SELECT verdict.alter_guard('{t}', 'h', condition => $$NEW.span = '[1,2)'$$)",
                    "SELECT verdict.alter_guard('{t}', 'h', condition => $$NEW.words = '{{w}}' OR NEW.mood::text = 'good'$$)",
                    "SELECT verdict.alter_guard('{t}', 'h', condition => $$NEW.mood = 'good' AND NEW.word <> 'w'$$, on_altered => 'quarantine')"],
    "unguard": ["SELECT verdict.unguard('{t}', 'h', 'why')"],
    "repair": ["SELECT * FROM verdict.repair('{t}')"],
    "rename": ["SELECT verdict.rename('{t}', 'renamed')"],
    "rehome": ["SELECT verdict.rehome('{t}', '{t}_new')"],
    "release": ["SELECT verdict.release(id, 'why', adapt => true) FROM verdict.quarantine WHERE relation = 'public.{t}'"],
    "release_all": ["SELECT * FROM verdict.release_all('{t}', 'why', adapt => true)"],
    "refuse": ["SELECT verdict.refuse(id, 'why') FROM verdict.quarantine WHERE relation = 'public.{t}'"],
    "refuse_all": ["SELECT * FROM verdict.refuse_all('{t}', 'why')"],
    "settle": ["SELECT * FROM verdict.settle('{t}')"],
    "flag_leaks": ["SELECT * FROM verdict.flag_leaks('{t}', 'h', dry_run => false)"],
    "self_test": ["SELECT * FROM verdict.self_test('{t}')", "SELECT * FROM verdict.self_test('{t}', 'postgres')",
                  "SELECT * FROM verdict.self_test('{t}', sample => '" + SAMPLE.replace("{", "{{").replace("}", "}}") + "')"],
}


def names(conn, kind):
    return {row[0] for row in conn.execute(
        "SELECT p.proname FROM pg_proc AS p WHERE p.pronamespace = 'verdict'::regnamespace AND (p.prorettype IN ('trigger'::regtype, 'event_trigger'::regtype)) = %s",
        [kind == "trigger"])}


def test_security_md_says_of_each_function_whose_code_can_run_in_it(conn):
    section = SECURITY.read_text().split("### Whose code runs where")[1].split("\n## ")[0]
    rows = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("| `")]
    told = [name for row in rows for name in re.findall(r"`(\w+)`", row[0])]
    assert len(told) == len(set(told)) and all(cell.strip() for row in rows for cell in row)
    assert set(told) == names(conn, "function") | names(conn, "trigger")


TABLES = {
    # The table's owner, the author of its columns' types, and what else hangs on it.
    "su_types": ("postgres", "author", ""),
    "own_types": ("owner", "owner", "CREATE INDEX ON {t} (owner_key(id)); ALTER TABLE {t} ADD CHECK (owner_tells('check')); "
                  "CREATE TRIGGER mine BEFORE INSERT OR UPDATE ON {t} FOR EACH ROW EXECUTE FUNCTION owner_trigger(); "
                  "ALTER TABLE {t} ALTER COLUMN extra SET DEFAULT owner_key('x')"),
    "plain_types": ("owner", "author", ""),
    "su_own": ("postgres", "postgres", ""),
    "su_trigger": ("postgres", "postgres", "CREATE TRIGGER mine AFTER INSERT OR UPDATE ON {t} FOR EACH ROW EXECUTE FUNCTION author_trigger()"),
    "su_check": ("postgres", "postgres", "ALTER TABLE {t} ADD CHECK (author_tells('check'))"),
    "su_index": ("postgres", "postgres", "CREATE INDEX ON {t} (author_key(id))"),
    "su_default": ("postgres", "postgres", "ALTER TABLE {t} ALTER COLUMN extra SET DEFAULT author_key('x')"),
    "su_policy": ("postgres", "postgres", "ALTER TABLE {t} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; "
                  "CREATE POLICY mine ON {t} USING (author_tells('policy')) WITH CHECK (author_tells('policy'))"),
}


@pytest.fixture
def tables(conn):
    conn.execute("SET client_min_messages = error")
    conn.execute(SETUP)
    for author in ("author", "owner", "postgres"):
        conn.execute(f"SET SESSION AUTHORIZATION {author}")
        conn.execute(CODE.format(p=author))
        conn.execute("RESET SESSION AUTHORIZATION")
    for table, (owner, author, more) in TABLES.items():
        columns = COLUMNS.format(p=author)
        conn.execute(f"""
            CREATE TABLE {table} (id text, body text, extra text, {columns}); CREATE TABLE {table}_new (LIKE {table});
            ALTER TABLE {table} OWNER TO {owner}; ALTER TABLE {table}_new OWNER TO {owner};
            SELECT verdict.guard('{table}', 'h', key => 'id', content => '{{"body":"body"}}', on_missing => 'quarantine',
                flag_column => 'extra', flag_value => 'odd');
            SELECT verdict.approve('h', 'a', '{{"body":"x"}}');
            INSERT INTO {table} (id, body, mood, word, words, pair, span) VALUES
                ('a', 'x', 'good', 'w', '{{w}}', '(w,good)', '[1,2)'), ('{table}', 'x', 'good', 'w', '{{w}}', '(w,good)', '[1,2)');
            UPDATE {table} SET body = body;
            GRANT SELECT ON {table} TO PUBLIC;
        """)
        if more:
            conn.execute(more.format(t=table))
    # A row that was stored before the verdict was taken back: for flag_leaks and reconcile.
    conn.execute("SELECT verdict.deny('h', 'a')")
    return list(TABLES)


def test_nobodys_code_runs_with_more_rights_than_its_author_has(cluster, conn, db, tables):
    assert set(CALLS) == names(conn, "function"), "say in CALLS how the function is called"
    may_act_as = {(author, role) for author, role in conn.execute(
        "SELECT a.rolname, r.rolname FROM pg_roles AS a, pg_roles AS r WHERE pg_has_role(a.oid, r.oid, 'MEMBER')")}
    ran, wrong, internal, worked = set(), [], [], set()
    heard, failed = [], {}
    with cluster.connect(db, autocommit=False) as session:
        session.add_notice_handler(lambda notice: heard.append(notice.message_primary))
        for table in tables:
            for function, calls in CALLS.items():
                for call in calls:
                    for role in ROLES:
                        session.execute(f"SET SESSION AUTHORIZATION {role}")
                        session.execute("SET client_min_messages = warning")
                        heard.clear()
                        try:
                            session.execute(call.format(t=table) if "{t}" in call else call)
                            worked.add((function, role))
                        except psycopg.Error as error:
                            assert not session.closed, f"the server ended: {call} as {role}"
                            failed[function] = f"{table}, {role}: {error}"
                            if error.sqlstate.startswith("XX"):
                                internal.append((call.format(t=table) if "{t}" in call else call, role, str(error)))
                        session.rollback()
                        if table == "su_policy" and "FROM {t} AS m" in call:
                            continue  # the statement itself reads the table, and its policies run as they always do
                        for what, author, whom in re.findall(r"ran: (.*?) of (\w+) as (\w+)", "\n".join(heard)):
                            ran.add((function, author, whom))
                            if (author, whom) not in may_act_as:
                                wrong.append((call.format(t=table) if "{t}" in call else call, f"called as {role}", f"{what} of {author} ran as {whom}"))
    assert not wrong, "\n".join(map(str, wrong[:40]))
    assert not internal, "\n".join(map(str, internal[:10]))
    # And the test would notice: code runs where it may, and each function works for somebody.
    assert {("release", "owner", "owner"), ("self_test", "owner", "owner"), ("release_all", "postgres", "postgres")} <= ran
    never = set(CALLS) - {"forget"} - {function for function, _ in worked}
    assert not never, {call: why for call, why in failed.items() if call in never}
    for function, role in [("explain", "auditor"), ("release", "reviewer"), ("guard", "owner"), ("repair", "admin"), ("record", "recorder")]:
        assert (function, role) in worked
