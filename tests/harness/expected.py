"""Comparing output with tests/<tier>/expected/NAME.out; NAME.pgNN.out wins on that major."""

import difflib
from pathlib import Path

import pytest


class Mismatch(Exception):
    """The output is not as expected; the text says how."""


class OutputItem(pytest.Item):
    """A test that is a file with expected output: a failure shows what differs, not our own stack."""

    acceptable = True  # has an expected file of its own

    def repr_failure(self, excinfo):
        if isinstance(excinfo.value, (Mismatch, AssertionError)):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self):
        return self.path, None, self.name

    @property
    def expected_dir(self):
        return self.path.parent.parent / "expected"


def expected_path(directory, name, major):
    own = Path(directory) / f"{name}.pg{major}.out"
    return own if own.exists() else Path(directory) / f"{name}.out"


def compare(actual, directory, name, major):
    path = expected_path(directory, name, major)
    wanted = path.read_text() if path.exists() else ""
    if actual != wanted:
        diff = difflib.unified_diff(wanted.splitlines(True), actual.splitlines(True), f"expected/{path.name}", "actual")
        new = "" if path.exists() else f"{path.name} does not exist yet. "
        raise Mismatch("".join(line if line.endswith("\n") else line + "\n" for line in diff)
                       + f"{new}Read the difference; if it is right: make accept NAME={name.split('.')[0]} PG={major}")


def accept(actual, directory, name, major):
    """Writes NAME.out, or NAME.pgNN.out where another major than the first already has a different NAME.out."""
    common, own = Path(directory) / f"{name}.out", Path(directory) / f"{name}.pg{major}.out"
    if common.exists() and actual == common.read_text():
        own.unlink(missing_ok=True)
        return
    path = own if own.exists() or (common.exists() and major != 15) else common
    path.write_text(actual)
