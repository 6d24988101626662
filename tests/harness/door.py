"""door.py: src/entry.rs lists every symbol that sql/ names, and no other.

0.1.0's SQL is installed in databases that have not been updated yet: its symbols stay."""

import re
import sys
from pathlib import Path

NAMED = re.compile(r"AS 'MODULE_PATHNAME'(?:, '(\w+)')?")


def symbols(text):
    found = set()
    for function in re.finditer(r"CREATE (?:OR REPLACE )?FUNCTION \w+\.(\w+)(.*?);", text, re.S):
        if named := NAMED.search(function[2]):
            found.add(named[1] or function[1])
    return found


entry = Path("src/entry.rs").read_text()
natives = set(re.findall(r"^    (\w+), pg_finfo_\1 =>", entry, re.M))
wrapped = {f"{name}_wrapper" for name in re.findall(r"^    \w+(?:::\w+)*::(\w+);", entry, re.M)}
now = symbols("".join(path.read_text() for path in Path("sql").rglob("*.sql")))
before = symbols("".join(path.read_text() for path in Path("tests/upgrade").glob("*.sql")))
complaints = [f"sql/ names {symbol}, which src/entry.rs does not list" for symbol in sorted((now | before) - natives - wrapped)]
complaints += [f"src/entry.rs lists {symbol}, which nothing in sql/ names" for symbol in sorted((natives | wrapped) - now - before)]
externs = sum(path.read_text().count("#[pg_extern(") for path in Path("src").rglob("*.rs"))
guards = len(re.findall(r"takes_arguments! \{", "".join(path.read_text() for path in Path("src/manage").glob("*.rs"))))
if externs + guards != len(wrapped):
    complaints.append(f"{externs + guards} functions are #[pg_extern], and src/entry.rs lists {len(wrapped)}")
print("\n".join(complaints))
sys.exit(bool(complaints) or not now)
