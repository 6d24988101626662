"""The harness itself: what did not run must never look like what passed."""

import json

import pytest
from harness.isolation import leading_comments
from harness.report import Outcomes, count_cargo, table, times

PASSING = "test result: ok. 7 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.02s\n"


def counts(tmp_path, **files):
    for name, content in files.items():
        (tmp_path / f"{name.replace('_', '.')}.json").write_text(json.dumps(content))
    return tmp_path


@pytest.mark.parametrize(("log", "status", "wanted"), [
    (PASSING, 0, {"passed": 7, "failed": 0, "skipped": 0}),
    (PASSING * 2, 0, {"passed": 14, "failed": 0, "skipped": 0}),
    (PASSING.replace("0 ignored", "2 ignored"), 0, {"passed": 7, "failed": 0, "skipped": 2}),
    ("test result: FAILED. 1 passed; 3 failed; 0 ignored; 0 measured\n", 101, {"passed": 1, "failed": 3, "skipped": 0}),
    ("error[E0425]: cannot find value\n", 101, {"failed": 1}),
    (PASSING, 101, {"passed": 7, "failed": 1, "skipped": 0}),
])
def test_counts_of_a_cargo_log(log, status, wanted):
    assert dict(count_cargo(log, status)) == wanted


def test_all_green(tmp_path):
    lines, passed, failed = table(counts(tmp_path, **{"any_pure": {"pure": {"passed": 3}}, "15": {"golden": {"passed": 2}}}),
                                  ["pure.any", "golden.15"])
    assert (passed, failed, len(lines)) == (5, 0, 3)


def test_fuzzing_is_a_tier(tmp_path):
    lines, passed, failed = table(counts(tmp_path, **{"any_fuzz": {"fuzz": {"passed": 3, "failed": 1}}}), ["fuzz.any"])
    assert (passed, failed) == (3, 1)
    (tmp_path / "none").mkdir()
    lines, passed, failed = table(tmp_path / "none", ["fuzz.any"])
    assert failed == 1 and "nothing ran" in lines[-1]


def test_a_tier_that_did_not_run_is_a_failure(tmp_path):
    lines, passed, failed = table(counts(tmp_path, **{"15": {"golden": {"passed": 2}}}), ["golden.15", "isolation.15"])
    assert (passed, failed) == (2, 1)
    assert "nothing ran" in lines[-1]


def test_a_skipped_test_is_a_failure(tmp_path):
    _, passed, failed = table(counts(tmp_path, **{"16": {"scenarios": {"passed": 2, "skipped": 1}}}), [])
    assert (passed, failed) == (2, 1)


class Skip:
    """What pytest reports of a skipped test."""

    def __init__(self, nodeid, reason):
        self.nodeid, self.outcome, self.when, self.duration = nodeid, "skipped", "call", 0
        self.longrepr = ("file.py", 1, f"Skipped: {reason}")


@pytest.mark.parametrize(("nodeid", "reason", "wanted"), [
    ("pg_upgrade/a.py::a", "cannot run here: why", {"pg_upgrade": {"not run": 1}}),
    ("pg_upgrade/a.py::a", "no wish to", {"pg_upgrade": {"skipped": 1}}),
    ("neighbours/a.py::a", "cannot run here: why", {"neighbours": {"not run": 1}}),
    ("scenarios/a.py::a", "cannot run here: why", {"scenarios": {"skipped": 1}}),
])
def test_only_two_tiers_may_say_that_they_cannot_run(tmp_path, nodeid, reason, wanted):
    plugin = Outcomes(tmp_path / "any.up.json")
    plugin.pytest_runtest_logreport(Skip(nodeid, reason))
    plugin.pytest_sessionfinish()
    assert json.loads((tmp_path / "any.up.json").read_text()) == wanted
    lines, _, failed = table(tmp_path, [])
    # A tier in which nothing else ran has not run.
    assert failed == 1
    assert any(reason in line for line in lines) == ("not run" in next(iter(wanted.values())))


def test_what_could_not_run_is_shown_and_no_failure(tmp_path):
    (tmp_path / "any.up.why").write_text("not run: a: cannot run here: why\n")
    lines, passed, failed = table(counts(tmp_path, any_up={"pg_upgrade": {"passed": 1, "not run": 1}}), ["pg_upgrade.any"])
    assert (passed, failed, lines[-1]) == (1, 0, "not run: a: cannot run here: why")


@pytest.mark.parametrize(("phases", "wanted"), [
    (["passed", "passed", "passed"], "passed"),
    (["failed"], "failed"),
    (["passed", "passed", "failed"], "failed"),  # teardown
    (["passed", "skipped", "passed"], "skipped"),
    (["passed", "failed", "failed"], "failed"),
])
def test_the_worst_phase_of_a_test_counts(tmp_path, phases, wanted):
    plugin = Outcomes(tmp_path / "x.json")
    for outcome in phases:
        plugin.note("golden/sql/a.sql::a", outcome)
    plugin.pytest_sessionfinish()
    assert json.loads((tmp_path / "x.json").read_text()) == {"golden": {wanted: 1}}


def test_where_the_time_went(tmp_path):
    (tmp_path / "15.golden.seconds").write_text(json.dumps({"golden/sql/a.sql::a": 2.5, "isolation/specs/b.spec::b": 1}))
    (tmp_path / "16.golden.seconds").write_text(json.dumps({"golden/sql/a.sql::a": 4}))
    (tmp_path / "any.package.seconds").write_text(json.dumps({"package/t.py::t": 9}))
    (tmp_path / "steps").write_text("61 building for PostgreSQL 15\n1 shellcheck\n")
    lines = times(tmp_path, tmp_path / "steps", slowest=3)
    assert [line.split() for line in lines] == [
        ["seconds", "of", "15", "16", "any"], ["golden", "2", "4"], ["isolation", "1"], ["package", "9"], [],
        ["slowest", "tests"], ["9.0", "t.py::t"], ["4.0", "a.sql::a", "on", "16"], ["2.5", "a.sql::a", "on", "15"], [],
        ["steps", "of", "5", "s", "and", "more"], ["61", "building", "for", "PostgreSQL", "15"]]


def test_header_of_a_spec():
    text = "# about\n# levels: read committed, serializable\n# weaken: one\n\n# weaken: two\nsetup { }\n# weaken: three\n"
    assert leading_comments(text) == {"levels": ["read committed, serializable"], "weaken": ["one", "two"]}
