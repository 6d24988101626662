"""Golden tests: tests/golden/sql/NAME.sql through psql in a fresh database, compared with tests/golden/expected/NAME.out."""

import os
import re
import subprocess

import pytest

from . import expected

PATIENCE = 120 * int(os.environ.get("PG_VERDICT_PATIENCE", 1))  # seconds for a file


class GoldenFile(pytest.File):
    def collect(self):
        yield GoldenItem.from_parent(self, name=self.path.stem)


class GoldenItem(expected.OutputItem):
    def runtest(self):
        cluster = self.config.clusters.shared("plain")
        try:
            actual = run_golden(cluster, self.path)
        finally:
            cluster.clean()
        act = expected.accept if self.config.getoption("accept") else expected.compare
        act(actual, self.expected_dir, self.name, cluster.major)


def run_golden(cluster, path):
    """The output of one file: statements echoed, errors with SQLSTATE, DETAIL, HINT, names and CONTEXT."""
    dbname = cluster.fresh_db(f"golden_{path.stem}", extension=False)
    cluster.psql((path.parent.parent / "helpers.sql").read_text(), dbname)
    # Through stdin, or psql would put the file's path before each error.
    done = subprocess.run(
        [cluster.psql_path, "-X", "-a", "-q", "-v", "VERBOSITY=verbose"], input=path.read_bytes(), timeout=PATIENCE,
        env=cluster.client_env(dbname), cwd=path.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = done.stdout.decode("utf-8", "backslashreplace")
    assert done.returncode == 0, f"psql ended with {done.returncode}:\n{text}"
    return re.sub(r"^LOCATION:  .*\n", "", text, flags=re.M)  # C source lines differ between versions
