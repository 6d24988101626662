"""Scripts that people call: make psql, scripts/pg-config (plain cargo), what make test K=… chooses."""

import os
import subprocess
from pathlib import Path

import pytest
from harness.pure_tests import fitting

ROOT = Path(__file__).resolve().parents[2]


def script(name, *args, **env):
    kept = {key: value for key, value in os.environ.items() if key not in ("STEPS", "RUN") and not key.startswith("PG")}
    kept["PG_VERDICT_WORK"] = os.environ["WORK"]
    return subprocess.run([ROOT / "scripts" / name, *args], env=kept | env, capture_output=True, text=True, timeout=280,
                          input="INSERT INTO messages VALUES ('m2', 'bob', 'hello');\nINSERT INTO messages VALUES ('m3', 'x', 'y');\n"
                                "SELECT string_agg(id, ' ' ORDER BY id) FROM messages;\n")


@pytest.mark.needs("plain")
def test_psql_takes_statements_from_standard_input(cluster):
    done = script("psql", str(cluster.major), "-qAt")
    assert done.stdout == "m1 m2\n", done.stderr
    assert "VD002" in done.stderr and done.returncode == 0


def test_psql_ends_as_psql_does():
    assert script("psql", "14").returncode == 70


def test_plain_cargo_builds_for_the_major_that_the_feature_names():
    assert script("pg-config", "--version", CARGO_FEATURE_PG15="1").stdout.startswith("PostgreSQL 15.")
    # Debian 12 has no 16, and an empty work directory has none either.
    nothing = script("pg-config", "--version", CARGO_FEATURE_PG16="1", PG_VERDICT_WORK="/var/empty")
    assert nothing.returncode == 70
    assert nothing.stdout.startswith("there is no PostgreSQL 16 with server headers") and "PGRX_PG_CONFIG_PATH" in nothing.stdout


RUST = """
#[test]
fn first() {}
#[test]
#[should_panic]
fn second_digest() {}
proptest! {
    #[test]
    fn third(x in 0..9) {}
}
fn helper() {}
"""


def test_pure_tests_are_found_in_the_text(tmp_path):
    for name, manifest in (("rules", ""), ("native", '[dependencies]\npgrx = "1"\n')):
        (tmp_path / "crates" / name / "tests").mkdir(parents=True)
        (tmp_path / "crates" / name / "Cargo.toml").write_text(manifest)
        (tmp_path / "crates" / name / "tests" / "reading.rs").write_text(RUST if name == "rules" else "#[test]\nfn other() {}\n")
    everything = ["first", "second_digest", "third"]
    for expression, wanted in (("pure", everything), ("reading", everything), ("Digest", ["second_digest"]), ("first or third", ["first", "third"]),
                               ("rules and not first", ["second_digest", "third"]), ("other or helper", [])):
        assert fitting(expression, tmp_path) == wanted
