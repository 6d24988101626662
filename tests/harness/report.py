"""Counting: what pytest and cargo ran becomes one table. A tier that ran nothing, and a skipped test, are failures.

    python report.py cargo LOG STATUS OUT.json  counts of a `cargo test` log, and its exit status
    python report.py table DIR [TIER.MAJOR …]   the table of DIR/*.json and the last line; exit status 1 on any failure.
                                                TIER.MAJOR: what must have run
    python report.py time DIR STEPS             where the time went: DIR/*.seconds by tier and major, the slowest tests, and the
                                                steps of the scripts (lines "SECONDS WHAT" of the file STEPS)
"""

import json
import re
import sys
from collections import Counter
from pathlib import Path

KINDS = ("passed", "not run", "skipped", "failed")  # from good to bad
ORDER = ("lint", "fuzz", "pure", "golden", "isolation", "scenarios", "neighbours", "races", "harness", "pg_upgrade", "package")
CANNOT = "cannot run here: "  # what a skip's reason begins with in a tier that may say so
MAY_SAY_SO = ("neighbours", "pg_upgrade", "package")  # the others need nothing that could be missing


class Outcomes:
    """A pytest plugin: one outcome per test, the worst of its phases, counted per tier (the first directory)."""

    def __init__(self, path):
        self.path, self.outcomes, self.reasons, self.seconds = Path(path), {}, {}, Counter()

    def note(self, nodeid, outcome):
        self.outcomes[nodeid] = max(outcome, self.outcomes.get(nodeid, "passed"), key=KINDS.index)

    def pytest_collectreport(self, report):
        if report.outcome != "passed":
            self.note(report.nodeid, report.outcome)

    def pytest_runtest_logreport(self, report):
        self.seconds[report.nodeid] += report.duration
        reason = str(report.longrepr[2]) if report.outcome == "skipped" and isinstance(report.longrepr, tuple) else ""
        reason = reason.removeprefix("Skipped: ")
        if reason.startswith(CANNOT) and report.nodeid.split("/")[0] in MAY_SAY_SO:
            self.reasons[report.nodeid] = reason
            self.note(report.nodeid, "not run")
        elif report.outcome != "passed" or report.when == "call":
            self.note(report.nodeid, report.outcome)

    def pytest_sessionfinish(self):
        tiers = {}
        for nodeid, outcome in self.outcomes.items():
            tiers.setdefault(nodeid.split("/")[0], Counter())[outcome] += 1
        self.path.write_text(json.dumps(tiers))
        self.path.with_suffix(".seconds").write_text(json.dumps(self.seconds))
        if self.reasons:
            self.path.with_suffix(".why").write_text("".join(f"not run: {nodeid}: {reason}\n" for nodeid, reason in self.reasons.items()))


def count_cargo(log, status):
    total = Counter()
    for passed, failed, ignored in re.findall(r"^test result: .*? (\d+) passed; (\d+) failed; (\d+) ignored", log, re.M):
        total.update(passed=int(passed), failed=int(failed), skipped=int(ignored))
    if status != 0 and not total["failed"]:
        total["failed"] = 1  # it did not compile, or broke off
    return total


def table(directory, required):
    """Files are named MAJOR[.WHAT].json (major `any`: needs no server). Returns the lines and the two totals."""
    rows = {}
    for path in Path(directory).glob("*.json"):
        for tier, counts in json.loads(path.read_text()).items():
            rows[f"{tier}.{path.name.split('.')[0]}"] = Counter(counts)
    for name in required:
        rows.setdefault(name, Counter())
    lines = [f"{'tier':<12}{'PostgreSQL':<12}" + "".join(f"{kind:>9}" for kind in KINDS)]
    passed = failed = 0
    for name in sorted(rows, key=lambda n: (ORDER.index(n.split(".")[0]) if n.split(".")[0] in ORDER else len(ORDER), n)):
        counts = rows[name]
        tier, major = name.split(".")
        empty = sum(counts.values()) == counts["not run"]
        lines.append(f"{tier:<12}{major:<12}" + "".join(f"{counts[kind]:>9}" for kind in KINDS)
                     + ("   nothing ran: counted as a failure" if empty else "")
                     + ("   skipped tests count as failures" if counts["skipped"] else ""))
        passed += counts["passed"]
        failed += counts["failed"] + counts["skipped"] + empty
    # Neither passed nor failed, but never out of sight.
    for path in sorted(Path(directory).glob("*.why")):
        lines.extend(path.read_text().splitlines())
    return lines, passed, failed


def times(directory, steps, slowest=10, least=5):
    """The lines of where the time went: seconds of tests by tier and major, the slowest tests, and the steps from `least` seconds on.
    Steps overlap tests, and majors each other."""
    seconds, tests = {}, []
    for path in sorted(Path(directory).glob("*.seconds")):
        major = path.name.split(".")[0]
        for nodeid, took in json.loads(path.read_text()).items():
            tier = nodeid.split("/")[0]
            seconds.setdefault(tier, Counter())[major] += took
            tests.append((took, f"{nodeid.rsplit('/', 1)[-1]} on {major}" if major != "any" else nodeid.rsplit("/", 1)[-1]))
    majors = sorted({major for row in seconds.values() for major in row})
    lines = [f"{'seconds of':<12}" + "".join(f"{major:>8}" for major in majors)]
    for tier in sorted(seconds, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name)):
        lines.append(f"{tier:<12}" + "".join(f"{seconds[tier][major]:>8.0f}" if major in seconds[tier] else f"{'':>8}" for major in majors))
    lines += ["", "slowest tests"] + [f"{took:>8.1f}  {name}" for took, name in sorted(tests, reverse=True)[:slowest]]
    took = [line.split(" ", 1) for line in Path(steps).read_text().splitlines()]
    long = [f"{float(seconds):>8.0f}  {what}" for seconds, what in took if float(seconds) >= least]
    return lines + ["", f"steps of {least} s and more"] + long


def main(command, *args):
    if command == "cargo":
        log, status, out = args
        Path(out).write_text(json.dumps({"pure": count_cargo(Path(log).read_text(), int(status))}))
        return 0
    if command == "time":
        print("", *times(*args), sep="\n")
        return 0
    lines, passed, failed = table(args[0], args[1:])
    print("", *lines, "", f"{passed} passed, {failed} failed", sep="\n")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
