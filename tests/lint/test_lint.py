"""That the checks of `make lint` can fail: each is shown a copy in which something is wrong."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from harness.manifest import problems

ROOT = Path(__file__).resolve().parents[2]
IGNORED = shutil.ignore_patterns("target", ".git", "__pycache__", "corpus")


def run(root, script, *args):
    """A script of a copy of the checkout, with our tools."""
    env = os.environ | {"PG_VERDICT_WORK": os.environ["WORK"], "CARGO_TARGET_DIR": str(ROOT / "target")}
    env.pop("CARGO_LOCKED", None)
    return subprocess.run([root / "scripts" / script, *args], env=env, capture_output=True, text=True, timeout=240)


@pytest.fixture
def copy(tmp_path):
    """copy(path, old, new): the checkout, with that change in one file."""
    def make(path, old, new):
        root = shutil.copytree(ROOT, tmp_path / "copy", ignore=IGNORED)
        before = (root / path).read_text()
        assert old in before
        (root / path).write_text(before.replace(old, new, 1))
        return root
    return make


def test_the_manifests_are_right():
    assert problems() == []


def test_a_dependency_that_nothing_uses_is_seen(copy):
    found = problems(copy("crates/verdict/Cargo.toml", "[dependencies]\n", '[dependencies]\nlibc = "0.2"\n'))
    assert [line.split(": ", 1)[1] for line in found] == ["nothing in src fuzz_targets benches uses libc of [dependencies]"]


@pytest.mark.parametrize(("old", "new"), [("## [0.", "## [9."), ("## [", "## "), (" - ", " ")])
def test_a_changelog_without_this_version_is_seen(copy, old, new):
    heading = re.search(r"^## .*", (ROOT / "CHANGELOG.md").read_text(), re.M)[0]
    found = problems(copy("CHANGELOG.md", heading, heading.replace(old, new)))
    assert len(found) == 1 and found[0].startswith("CHANGELOG.md begins with ")


def test_a_dependency_with_a_licence_that_is_not_allowed_is_seen(copy):
    root = copy("Cargo.toml", "[dependencies]\n", '[dependencies]\ncopyleft = { path = "copyleft" }\n')
    (root / "copyleft/src").mkdir(parents=True)
    (root / "copyleft/src/lib.rs").touch()
    (root / "copyleft/Cargo.toml").write_text('[package]\nname = "copyleft"\nversion = "1.0.0"\nlicense = "GPL-3.0-only"\n')
    done = run(root, "deny", "licenses")
    assert done.returncode == 1
    assert "GPL-3.0-only" in done.stdout and "licenses FAILED" in done.stdout


@pytest.mark.parametrize(("check", "old", "new", "wanted"), [
    ("licenses", '"MIT",', '"MIT", "Unlicense-was-here",', "Unlicense-was-here"),
    ("licenses", '"Zlib",', '"Zlib", "EUPL-1.2",', "license-not-encountered"),
    ("licenses", '  "ISC",', "  #", "rejected"),
    ("bans", "{ crate = \"toml@0.5.11\"", "{ crate = \"toml@0.5.10\"", "duplicate"),
    ("bans", "skip = [", 'skip = [\n{ crate = "libc@0.1.0", reason = "x" },', "unmatched-skip"),
])
def test_a_stale_line_and_a_missing_one_of_deny_toml_are_seen(copy, check, old, new, wanted):
    done = run(copy("deny.toml", old, new), "deny", check)
    assert done.returncode == 1
    assert wanted in done.stdout, done.stdout


def test_a_finding_of_pgspot_that_is_not_listed_is_seen(copy):
    unsafe = "CREATE FUNCTION verdict.loose() RETURNS pg_catalog.int4 LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';\n"
    done = run(copy("sql/functions/approve.sql", "CREATE", unsafe + "CREATE"), "pgspot")
    assert done.returncode == 1
    assert "> PS" in done.stdout and "verdict.loose" in done.stdout


def test_a_stale_line_of_pgspots_list_is_seen(copy):
    done = run(copy("tests/pgspot.allow", "#", "PS001: long gone # because\n#"), "pgspot")
    assert done.returncode == 1
    assert "< PS001: long gone" in done.stdout
