"""places.py [ROOT]: the table "To add …" in CONTRIBUTING.md says where what is.

Each row names an example that is there already, and the files to look at. They must be exactly the files in which the
example occurs: a list that is made by hand grows old. Beyond that, what is one of a closed set must occur in every
file of its row, so that a new finding that one of them forgot is found here, where the compiler does not look."""

import re
import subprocess
import sys
from pathlib import Path

root = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
WHERE = ["src", "crates/pg/src", "crates/verdict/src", "sql", "docs/reference.md", "docs/actions.md"]
# What one of them looks like, wherever it must be named: {V} as in Rust, {v} as in SQL, {l} in
# lower case.
LOOKS = {
    "dialect": r"\b{V}\b|\b{l}\b",
    "finding": r"Finding::{V}\b|\b{V} = \"|\bon_{v}\b",
    "action": r"Action::{V}\b|\b{V} = \"|'{v}'|`{v}`",
    "setting": r"\b{V}\b|verdict\.{v}\b",
    "SQL function": r"\b{v}\b",
    "event trigger": r"\b(verdict_)?{v}\b|\brewriting\b",
    "word for what is done to a guard": r"DriftDone::{V}\b|\b{V} = \"",
}
# Closed sets: the file with the enum, and its name.
SETS = {"finding": ("crates/verdict/src/finding.rs", "Finding"), "dialect": ("crates/verdict/src/dialect/mod.rs", "Dialect")}
complaints = []


def spelled(word):
    """As in Rust, and as in SQL."""
    snake = re.sub(r"(?<!^)(?=[A-Z])", "_", word).lower() if not word.isupper() else word.lower()
    return word, snake


def pattern(kind, word):
    rust, sql = spelled(word)
    return re.compile(LOOKS[kind].replace("{V}", rust).replace("{v}", sql).replace("{l}", word.lower()))


def files():
    for where in WHERE:
        path = root / where
        yield from ([path] if path.is_file() else sorted(f for f in path.rglob("*") if f.suffix in (".rs", ".sql", ".list")))


def text(path):
    return re.sub(r"^\s*//.*", "", path.read_text(), flags=re.M) if path.suffix == ".rs" else path.read_text()


def rows():
    contributing = (root / "CONTRIBUTING.md").read_text()
    table = contributing.split("| to add a | like | look at |\n", 1)[1].split("\n\n", 1)[0]
    for line in table.splitlines()[1:]:
        kind, example, places = [cell.strip() for cell in line.strip("|").split("|")]
        yield kind, example.strip("`"), re.findall(r"`([^`]+)`", places)


def variants(path, name):
    body = re.search(rf"pub enum {name} .*?\{{(.*?)\n    \}}", (root / path).read_text(), re.S)[1]
    return re.findall(r"^\s*(\w+) = \"", body, re.M)


seen = set()
for kind, example, places in rows():
    seen.add(kind)
    found = {str(path.relative_to(root)) for path in files() if pattern(kind, example).search(text(path))}
    for missing in sorted(set(places) - found):
        complaints.append(f"CONTRIBUTING.md: {kind}: {missing} does not name {example}")
    for unlisted in sorted(found - set(places)):
        complaints.append(f"CONTRIBUTING.md: {kind}: {unlisted} names {example} and is not in the list")
    for word in variants(*SETS[kind]) if kind in SETS else []:
        for place in places:
            if (root / place).is_file() and not pattern(kind, word).search(text(root / place)):
                complaints.append(f"{place} does not know {kind} {word}")
complaints += [f"CONTRIBUTING.md does not say how to add a {kind}" for kind in LOOKS if kind not in seen]
print("\n".join(complaints))
sys.exit(bool(complaints))
