"""python manifest.py [ROOT]: what the manifests say and is not so. Exit status 1 when there is something.

A dependency that no file of its crate names; a CHANGELOG.md whose newest version is not Cargo.toml's."""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def text(crate, directories):
    """The code in these directories, with what `#[path]` takes from elsewhere."""
    files = [path for name in directories for path in sorted((crate / name).rglob("*.rs"))]
    code = "\n".join(path.read_text() for path in files)
    elsewhere = {(path.parent / other).resolve() for path in files for other in re.findall(r'#\[path = "(.+?)"\]', path.read_text())}
    return code + "\n".join(path.read_text() for path in sorted(elsewhere) if path.is_file())


def unused(manifest):
    """Names of the dependencies in one Cargo.toml that its code does not use."""
    crate, said = manifest.parent, tomllib.loads(manifest.read_text())
    where = {"dependencies": ["src", "fuzz_targets", "benches"], "dev-dependencies": ["src", "tests", "benches", "examples"]}
    for kind, directories in where.items():
        code = text(crate, directories)
        for name in said.get(kind, {}):
            if not re.search(rf"(?<![\w:])(?:::)?{name.replace('-', '_')}\b(?:::|!|;| as )", code):
                yield f"{manifest}: nothing in {' '.join(directories)} uses {name} of [{kind}]"


def changelog(root):
    version = tomllib.loads((root / "Cargo.toml").read_text())["package"]["version"]
    newest = re.search(r"^## \[(.+?)\] - (Unreleased|\d{4}-\d\d-\d\d)$", (root / "CHANGELOG.md").read_text(), re.M)
    if not newest or newest[1] != version:
        yield f"CHANGELOG.md begins with {newest[1] if newest else 'no version'}, and Cargo.toml says {version}"


def problems(root=ROOT):
    members = tomllib.loads((root / "Cargo.toml").read_text()).get("workspace", {}).get("members", [])
    manifests = [root / "Cargo.toml", *(root / member / "Cargo.toml" for member in members)]
    return [line for manifest in manifests for line in unused(manifest)] + list(changelog(root))


if __name__ == "__main__":
    found = problems(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT)
    print(*found, sep="\n", end="\n" if found else "")
    sys.exit(1 if found else 0)
