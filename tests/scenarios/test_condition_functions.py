"""crates/pg/src/catalogs/condition_allowed.txt: what stands there gives the same whatever the session's settings, and nothing was overlooked."""

import re
from pathlib import Path

import psycopg
import pytest

FILE = Path(__file__).parents[2] / "crates/pg/src/catalogs/condition_allowed.txt"

# A value of each type that functions are called with. Columns, so that no literal is read in the settings under test.
SAMPLES = {
    "boolean": "true", "smallint": "3", "integer": "5", "bigint": "7", "numeric": "1.10", "real": "0.1234567", "double precision": "0.1234567890123",
    "text": "'Ab c,\"d'", "character varying": "'Ab'", "character": "'Ab'", "name": "'Ab\"c'", '"char"': "'x'", "uuid": "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
    "date": "'2026-03-04'", "time without time zone": "'01:02:03.5'", "timestamp without time zone": "'2026-03-04 05:06:07'",
    "timestamp with time zone": "'2026-03-29 01:30:00+00'", "interval": "'1 year 2 days -03:04:05'", "bytea": r"'\x00ff27'",
    "json": "'{\"a\": [1.50, null, 1e2]}'", "jsonb": "'{\"a\": [1.50, null, 1e2]}'", "inet": "'10.1.2.3/8'", "cidr": "'10.0.0.0/8'", "macaddr": "'08:00:2b:01:02:03'",
    "bit": "B'1'", "bit varying": "B'101'", "oid": "7", "text[]": "'{a,NULL,b}'", "anyarray": "'{0.12345678901,NULL,0.3}'::float8[]",
    "anycompatiblearray": "'{0.1,0.3}'::float8[]", "anycompatible": "'0.3'::float8", "anyelement": "'2026-03-04'::date", "anyrange": "'[2026-01-01,2026-05-01)'::daterange",
    "anynonarray": "1", "anyenum": "'b'::mood", '"any"': "0.1::float8",
}
# What the first argument must be for a function that takes a word.
WORDS = {"date_part": "'hour'", "extract": "'hour'", '"extract"': "'hour'", "date_trunc": "'day'", "decode": "'00ff'", "encode": "'hex'", "normalize": "'NFC'", "quote_ident": "'abc'"}

# Settings turned as far from their defaults as they go.
EXTREMES = [
    {"timezone": "Pacific/Kiritimati", "datestyle": "German", "intervalstyle": "sql_standard", "bytea_output": "escape", "extra_float_digits": "-15",
     "quote_all_identifiers": "on", "array_nulls": "off", "xmloption": "document", "search_path": "pg_temp, evil", "timezone_abbreviations": "Australia"},
    {"timezone": "America/St_Johns", "datestyle": "SQL, DMY", "intervalstyle": "iso_8601", "extra_float_digits": "3", "standard_conforming_strings": "off",
     "backslash_quote": "on", "transform_null_equals": "on", "default_text_search_config": "pg_catalog.german", "xmlbinary": "hex",
     "lc_monetary": "C", "lc_numeric": "C", "lc_time": "C"},
]

CANDIDATES = """
    WITH type AS (SELECT ('pg_catalog.' || quote_ident(n))::regtype::oid AS oid FROM unnest(string_to_array(
        'bool int2 int4 int8 numeric float4 float8 text varchar bpchar name char uuid date time timestamp timestamptz interval bytea json jsonb '
        'anyarray anycompatiblearray anycompatible anyelement anyenum anynonarray anyrange inet cidr macaddr bit varbit oid _text '
        'int4range int8range numrange daterange tsrange tstzrange', ' ')) AS n)
    SELECT p.oid::regprocedure::text FROM pg_proc AS p
    WHERE p.oid < 16384 AND p.provolatile = 'i' AND p.prokind = 'f' AND NOT p.proretset AND (
        (p.oid IN (SELECT oprcode FROM pg_operator WHERE oid < 16384) OR p.oid IN (SELECT castfunc FROM pg_cast WHERE oid < 16384))
            AND p.prorettype IN (SELECT oid FROM type)
            AND NOT EXISTS (SELECT 1 FROM unnest(p.proargtypes) AS a WHERE a NOT IN (SELECT oid FROM type))
        OR p.oid IN (SELECT unnest(ARRAY[typinput, typoutput]::oid[]) FROM pg_type
            WHERE oid IN (SELECT oid FROM type) AND typtype = 'b' AND typcategory <> 'A'))
"""


def listed():
    lines = [line for line in FILE.read_text().splitlines() if line and not line.startswith("#")]
    refused = {line[2:].split(" | ")[0] for line in lines if line.startswith("- ")}
    return {line for line in lines if not line.startswith("- ")}, refused


def arguments(signature):
    inside = signature[signature.index("(") + 1:-1]
    return re.split(r",(?! )", inside) if inside else []


def test_the_file_is_sound():
    allowed, refused = listed()
    assert len(allowed) > 700
    assert not allowed & refused
    for line in FILE.read_text().splitlines():
        if line.startswith("- "):
            assert len(line.split(" | ")) == 3 and all(line.split(" | ")), f"it says why, and what to write instead: {line}"


def test_every_candidate_was_looked_at(conn):
    allowed, refused = listed()
    candidates = {row[0] for row in conn.execute(CANDIDATES)}
    assert len(candidates) > 500
    unreviewed = sorted(candidates - allowed - refused)
    assert not unreviewed, f"look at these, and write them into {FILE.name}: {unreviewed}"


@pytest.fixture
def samples(conn):
    conn.execute("CREATE TYPE mood AS ENUM ('a', 'b', 'c'); CREATE SCHEMA evil")
    columns = ", ".join(f"{sample}{'' if '::' in sample else '::' + of} AS c{i}" for i, (of, sample) in enumerate(SAMPLES.items()))
    texts = ", ".join(f"format('%s', c{i}) AS x{i}" for i in range(len(SAMPLES)))
    conn.execute(f"CREATE TABLE public.samples AS SELECT *, {texts} FROM (SELECT {columns}) AS s")
    return {of: f"s.c{i}" for i, of in enumerate(SAMPLES)}


def call(signature, samples):
    """SQL that calls the function with columns, or None for input and output functions, which are called as casts."""
    name, types = signature[:signature.index("(")], arguments(signature)
    given = [samples.get(of, "NULL") for of in types]
    if name in WORDS and types[0] == "text":
        given[0] = WORDS[name]
    if name in ("encode", "is_normalized", '"normalize"'):
        given[1] = "'hex'" if name == "encode" else "'NFC'"
    return f"pg_catalog.{name}({', '.join(given)})"


def io_casts(signature):
    """For typeout(type): the cast to text. For typein(cstring): the cast of the type's own text back."""
    kinds = {"boolout": "boolean", "bpcharout": "character", "byteaout": "bytea", "charout": '"char"', "cidr_out": "cidr", "float4out": "real",
             "float8out": "double precision", "inet_out": "inet", "int2out": "smallint", "int4out": "integer", "int8out": "bigint", "json_out": "json",
             "jsonb_out": "jsonb", "macaddr_out": "macaddr", "nameout": "name", "numeric_out": "numeric", "oidout": "oid", "textout": "text",
             "time_out": "time without time zone", "uuid_out": "uuid", "varbit_out": "bit varying", "varcharout": "character varying", "bit_out": "bit"}
    name = signature[:signature.index("(")]
    if name in kinds:
        return kinds[name], "out"
    twin = re.sub(r"in$", "out", name)
    return (kinds[twin], "in") if name.endswith("in") and "cstring" in signature and twin in kinds else None


def test_each_gives_the_same_under_settings_turned_to_their_extremes(cluster, conn, db, samples):
    allowed, refused = listed()
    there = {row[0] for row in conn.execute("SELECT oid::regprocedure::text FROM pg_proc WHERE oid < 16384")}
    queries = {}
    for signature in sorted((allowed | refused) & there):
        if cast := io_casts(signature):
            of, way = cast
            queries[signature] = f"({samples[of]})::pg_catalog.text" if way == "out" else f"{samples[of].replace('.c', '.x')}::{of}"
        else:
            queries[signature] = call(signature, samples)
    results, differing, evaluated = {}, set(), 0
    for settings in [{}, *EXTREMES]:
        with cluster.connect(db) as session:
            session.execute("SET client_min_messages = error")
            for name, value in settings.items():
                session.execute(f"SET {name} = {psycopg.sql.Literal(value).as_string(session)}")
            for signature, query in queries.items():
                try:
                    found = session.execute(f"SELECT {query} FROM public.samples AS s", binary=True).pgresult.get_value(0, 0)
                    evaluated += 1
                except psycopg.Error as error:
                    found = error.sqlstate
                if results.setdefault(signature, found) != found:
                    differing.add(signature)
    working = [signature for signature, found in results.items() if not isinstance(found, str)]
    assert len(working) > 0.9 * len(queries), f"not called: {sorted(set(results) - set(working))}"
    assert not differing & allowed, f"these obey a setting: {sorted(differing & allowed)}"
    # And the test would notice.
    assert {"byteaout(bytea)", "float8out(double precision)", "float4out(real)", "quote_ident(text)"} <= differing


@pytest.mark.parametrize("condition, allowed", [
    ("NEW.raw::text = '\\x00ff'", False),
    ("encode(NEW.raw, 'hex') = '00ff'", True),
    ("NEW.float::text = '0.1'", False),
    ("NEW.float > 0.05", True),
])
def test_a_guard_is_not_switched_off_by_a_setting(conn, condition, allowed):
    conn.execute("""
        CREATE TABLE msgs (id text, body text, raw bytea, float float8);
        SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
    """)

    def guard():
        conn.execute("SELECT verdict.guard('msgs', 'h', key => 'id', content => '{\"body\":\"body\"}', condition => %s)", [condition])

    if not allowed:
        with pytest.raises(psycopg.Error) as refused:
            guard()
        assert refused.value.sqlstate == "22023"
        return
    guard()
    for name, value in EXTREMES[0].items():
        conn.execute(f"SET {name} = '{value}'" if name != "search_path" else "SELECT 1")
    with pytest.raises(psycopg.Error) as error:
        conn.execute("INSERT INTO public.msgs VALUES ('x', 'y', '\\x00ff', 0.1)")
    assert error.value.sqlstate == "VD001"
