"""floors.py [ROOT]: imports run downward only, in files and in rooms.

The order of the `mod` lines in src/lib.rs is the order of the floors, the ground first: a file may write `crate::X`
only for an X that is declared above its own room. No two files name each other, and no circle of files does. The same
for crates/pg; crates/verdict has no rooms, and no circle either.
"""

import re
import sys
from pathlib import Path

root = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
found = []


def code(path):
    """The file without its comments and tests."""
    return re.sub(r"//.*", "", path.read_text())


def module(path, base):
    """crate::a::b for a/b.rs and for a/b/mod.rs."""
    parts = path.relative_to(base).with_suffix("").parts
    return parts[:-1] if parts[-1] == "mod" else parts


def names(text, here):
    """Paths of modules that the text names, as tuples from the crate's root."""
    for start, rest in re.findall(r"\b(crate|super)::((?:\w+::)*(?:\w+|\{))", text):
        base = () if start == "crate" else here[:-1]
        path = tuple(part for part in rest.split("::") if part != "{")
        yield base + path
        if rest.endswith("{"):
            group = text[text.index(start + "::" + rest) + len(start + "::" + rest) :].split("}")[0]
            yield from (base + path + (word,) for word in re.findall(r"\w+", group))


def look(base, floors):
    files = {module(path, base): path for path in base.rglob("*.rs") if path.name != "lib.rs"}
    arrows = {here: set() for here in files}
    for here, path in files.items():
        for named in names(code(path), here):
            target = next((named[:n] for n in range(len(named), 0, -1) if named[:n] in files), None)
            if target and target != here:
                arrows[here].add(target)
    for here, targets in arrows.items():
        for target in targets:
            rooms = (here[0], target[0])
            if floors and rooms[0] != rooms[1] and floors.index(rooms[1]) > floors.index(rooms[0]):
                found.append(f"{files[here]} names {'::'.join(target)}, which is on a higher floor")
    for circle in circles(arrows):
        found.append("a circle of imports: " + ", ".join(str(files[here]) for here in sorted(circle)))


def circles(arrows):
    """The files that reach each other, as sets."""
    reach = {here: set(targets) for here, targets in arrows.items()}
    for between in reach:
        for here in reach:
            if between in reach[here]:
                reach[here] |= reach[between]
    return {frozenset(other for other in reach[here] if here in reach[other]) for here in reach if here in reach[here]}


for source in ["src", "crates/pg/src", "crates/verdict/src"]:
    floors = re.findall(r"^(?:pub )?mod (\w+);", (root / source / "lib.rs").read_text(), re.M)
    look(root / source, floors if source != "crates/verdict/src" else None)
print("\n".join(found) if found else "no arrow runs up, and there is no circle")
sys.exit(bool(found))
