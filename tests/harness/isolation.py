"""Isolation tests: tests/isolation/specs/NAME.spec through PostgreSQL's isolationtester, against a build with test hooks.

Leading comment lines of a spec may say
    # levels: read committed, repeatable read, serializable
        each level is a test of its own (default_transaction_isolation), expected in NAME.out, NAME.repeatable-read.out, …
    # weaken: NAME
        (several lines: several tests) the spec runs again with verdict.test_weaken = NAME, and must then give another
        result than expected: the proof that it would notice if the protocol lost that step.
"""

import re
import subprocess

import pytest

from . import expected

DEFAULT_LEVEL = "read committed"


class SpecFile(pytest.File):
    def collect(self):
        header = leading_comments(self.path.read_text())
        levels = [level.strip() for line in header.get("levels", [DEFAULT_LEVEL]) for level in line.split(",")]
        for level in levels:
            suffix = "" if level == DEFAULT_LEVEL else "." + level.replace(" ", "-")
            yield SpecItem.from_parent(self, name=self.path.stem + suffix, level=level, weaken=None)
            for weaken in header.get("weaken", []):
                yield SpecItem.from_parent(self, name=f"{self.path.stem}{suffix}[weaken {weaken}]", level=level, weaken=weaken)


class SpecItem(expected.OutputItem):
    def __init__(self, *, level, weaken, **kw):
        super().__init__(**kw)
        self.level, self.weaken = level, weaken
        self.acceptable = weaken is None

    def runtest(self):
        cluster = self.config.clusters.shared("hooks")
        try:
            actual = self.run_spec(cluster)
        finally:
            cluster.clean()
        name, directory = self.name.split("[")[0], self.expected_dir
        if self.weaken:
            path = expected.expected_path(directory, name, cluster.major)
            if not path.exists():
                raise expected.Mismatch(f"{path.name} does not exist yet")
            if actual == path.read_text():
                raise expected.Mismatch(f"the spec does not notice the weakened protocol ({self.weaken}): same output as {path.name}")
        elif self.config.getoption("accept"):
            expected.accept(actual, directory, name, cluster.major)
        else:
            expected.compare(actual, directory, name, cluster.major)

    def run_spec(self, cluster):
        dbname = cluster.fresh_db(f"spec_{re.sub('[^a-z0-9]+', '_', self.name)}"[:60])
        cluster.psql(f"ALTER DATABASE {dbname} SET default_transaction_isolation = '{self.level}'")
        if self.weaken:
            cluster.psql(f"ALTER DATABASE {dbname} SET verdict.test_weaken = '{self.weaken}'")
            # pg_settings does not show a setting that no library has defined
            seen = cluster.psql("LOAD 'pg_verdict'; SELECT setting FROM pg_settings WHERE name = 'verdict.test_weaken'", dbname)
            assert seen == self.weaken, f"this build knows no verdict.test_weaken = {self.weaken} (it says {seen!r})"
        done = subprocess.run(
            [self.config.getoption("isolationtester"), cluster.conninfo(dbname)], input=self.path.read_text(), timeout=240,
            env=cluster.client_env(dbname) | {"PG_TEST_TIMEOUT_DEFAULT": "20"}, capture_output=True, text=True)
        assert done.returncode == 0, f"isolationtester ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout


def leading_comments(text):
    """The `# key: value` lines at the top, as key → list of values."""
    found = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            break
        if match := re.match(r"#\s*(levels|weaken):\s*(.+?)\s*$", line):
            found.setdefault(match[1], []).append(match[2])
    return found
