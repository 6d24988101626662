"""python pure_tests.py EXPRESSION: names of the tests in the pure crates that a pytest expression
(-k, make test K=…) fits, one a line. They are found in the text: nothing is built to know that none
is wanted."""

import re
import sys
from pathlib import Path

from _pytest.mark.expression import Expression

ROOT = Path(__file__).resolve().parents[2]
TEST = re.compile(r"^\s*#\[test\]\s*(?:(?:#\[.*\]|//.*)\s*)*fn (\w+)", re.M)


def pure_crates(root=ROOT):
    """Directories of the crates that know nothing of PostgreSQL."""
    manifests = sorted([*root.glob("crates/*/Cargo.toml"), *root.glob("fuzz/Cargo.toml")])
    return [path.parent for path in manifests if not re.search("^pgrx", path.read_text(), re.M)]


def names(root=ROOT):
    """Name of each test → what an expression may call it by."""
    found = {}
    for crate in pure_crates(root):
        for path in sorted(crate.rglob("*.rs")):
            for name in TEST.findall(path.read_text()):
                found.setdefault(name, set()).update({"pure", crate.name, path.stem, name})
    return found


def fitting(expression, root=ROOT):
    """As pytest does it: a word fits what has it somewhere inside, in capitals or not."""
    compiled = Expression.compile(expression)
    return [name for name, words in names(root).items()
            if compiled.evaluate(lambda word, /, **_: any(word.lower() in known.lower() for known in words))]


if __name__ == "__main__":
    print(*fitting(sys.argv[1]), sep="\n")
