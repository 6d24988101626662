"""META.json, for the PostgreSQL Extension Network: what its Meta Spec 1.0 requires, and that it says what Cargo.toml says."""

import copy
import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
META = json.loads((ROOT / "META.json").read_text())
SEMVER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?")
TERM = re.compile(r"[^\s/\\\x00-\x1f\x7f]{2,}")  # a name in the network
LICENSES = {"postgresql", "mit", "bsd", "apache_2_0", "gpl_2", "gpl_3", "lgpl_2_1", "lgpl_3_0", "unrestricted"}


def problems(meta, root=ROOT):
    """What is wrong with it, as lines; none if it is right."""
    found = []

    def check(name, good):
        if not good:
            found.append(name)

    def text(value):
        return isinstance(value, str) and value.strip() != ""

    for name in ("name", "version", "abstract", "maintainer", "license", "provides", "meta-spec"):
        check(f"{name} is missing", name in meta)
    check("name", TERM.fullmatch(str(meta.get("name"))))
    check("version", SEMVER.fullmatch(str(meta.get("version"))))
    check("abstract", text(meta.get("abstract")))
    maintainers = meta.get("maintainer")
    maintainers = maintainers if isinstance(maintainers, list) else [maintainers]
    check("maintainer", maintainers and all(text(maintainer) for maintainer in maintainers))
    check("license", meta.get("license") in LICENSES)
    spec = meta.get("meta-spec") or {}
    check("meta-spec version", spec.get("version") == "1.0.0")
    check("meta-spec url", re.fullmatch(r"https?://pgxn\.org/(meta/spec\.txt|spec/)", spec.get("url", "https://pgxn.org/spec/")))
    provides = meta.get("provides") or {}
    check("provides", isinstance(provides, dict) and provides)
    for name, extension in provides.items():
        check(f"provides {name}", TERM.fullmatch(name))
        check(f"provides {name} version", SEMVER.fullmatch(str(extension.get("version"))))
        check(f"provides {name} file", text(extension.get("file")) and (root / extension["file"]).is_file())
        check(f"provides {name} docfile", "docfile" not in extension or (root / extension["docfile"]).is_file())
    check("release_status", meta.get("release_status", "stable") in ("stable", "testing", "unstable"))
    check("tags", all(text(tag) and len(tag) < 256 and not re.search(r"[/\\\x00-\x1f]", tag) for tag in meta.get("tags", [])))
    for phase, kinds in meta.get("prereqs", {}).items():
        check(f"prereqs {phase}", phase in ("configure", "build", "test", "runtime", "develop"))
        for kind, names in kinds.items():
            check(f"prereqs {kind}", kind in ("requires", "recommends", "suggests", "conflicts"))
            for name, version in names.items():
                check(f"prereqs {name}", version == 0 or SEMVER.fullmatch(str(version)))
    return found


def test_meta_json_is_what_the_spec_asks_for():
    assert problems(META) == []


def test_it_says_what_cargo_toml_says():
    package = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]
    majors = re.findall(r"^pg(\d+) *=", (ROOT / "pgrx.toml").read_text(), re.M)
    assert META["name"] == package["name"] and set(META["provides"]) == {package["name"]}
    assert {META["version"], META["provides"][package["name"]]["version"]} == {package["version"]}
    assert META["license"] == package["license"].lower()
    assert META["prereqs"]["runtime"]["requires"]["PostgreSQL"] == f"{min(map(int, majors))}.0.0"


@pytest.mark.parametrize(("change", "wanted"), [
    (lambda meta: meta.pop("abstract"), ["abstract is missing", "abstract"]),
    (lambda meta: meta.update(version="0.2"), ["version"]),
    (lambda meta: meta.update(license="Postgres"), ["license"]),
    (lambda meta: meta.update(maintainer=[]), ["maintainer"]),
    (lambda meta: meta["provides"]["pg_verdict"].update(file="sql/gone.sql"), ["provides pg_verdict file"]),
    (lambda meta: meta["provides"].clear(), ["provides"]),
    (lambda meta: meta["prereqs"]["runtime"]["requires"].update(PostgreSQL="15"), ["prereqs PostgreSQL"]),
])
def test_what_is_wrong_is_seen(change, wanted):
    meta = copy.deepcopy(META)
    change(meta)
    assert problems(meta) == wanted
