"""The Debian packages: made with debhelper, clean under lintian, and used in a bare Debian that has no Rust."""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import tomllib
from pathlib import Path

import psycopg
import pytest
from harness.cluster import Cluster
from harness.report import CANNOT
from harness.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
VERSION = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]["version"]
ARCH = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()
OLD = "0.1.0"
# Read by lintian out of machine code, which is another in each build.
BY_CHANCE = "spelling-error-in-binary"

GUARDED = """
    CREATE TABLE msgs (id text PRIMARY KEY, body text);
    SELECT verdict.create_hook('h', subject => '/id', fields => '{"body":"/body"}');
    SELECT verdict.approve('h', 'a', '{"body":"hi"}');
    SELECT verdict.guard('msgs', 'h', key => 'id', content => '{"body":"body"}');
"""
# The old version's own statements: its functions take fewer arguments, and the library of today refuses them by name.
GUARDED_BY_THE_OLD = f"""
    CREATE EXTENSION pg_verdict VERSION '{OLD}';
    CREATE TABLE msgs (id text PRIMARY KEY, body text);
    SELECT verdict.create_hook('h', subject => '/id', fields => '{{"body":"/body"}}');
    SELECT verdict.approve('h', 'a', '{{"body":"hi"}}');
    INSERT INTO verdict.guards (name, relation_schema, relation_name, hook_id, key, content, columns, on_missing, on_denied, on_failed,
        on_expired, on_altered, on_reused, on_revoked, locking, mode, edits, created_by)
    VALUES ('msgs_h', 'public', 'msgs', 1, 'id', '{{"body":"body"}}', '{{"body":2,"id":1}}', 'reject', 'reject', 'reject',
        'reject', 'reject', 'reject', 'reject', 'share', 'enforce', 'enforce', 'postgres');
    CREATE TRIGGER verdict_guard_1 AFTER INSERT OR UPDATE OF body, id ON msgs FOR EACH ROW EXECUTE FUNCTION verdict.guard_row();
    ALTER TABLE msgs ENABLE ALWAYS TRIGGER verdict_guard_1;
"""


def run(*args, **kw):
    done = subprocess.run([str(arg) for arg in args], capture_output=True, text=True, timeout=240, **kw)
    assert done.returncode == 0, f"{args[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


def deb_of(config, major):
    return Path(config.getoption("debs")) / f"postgresql-{major}-pg-verdict_{VERSION}_{ARCH}.deb"


def pytest_generate_tests(metafunc):
    if "major" in metafunc.fixturenames:
        majors = re.findall(r"^pg(\d+) *=", (ROOT / "pgrx.toml").read_text(), re.M)
        metafunc.parametrize("major", [int(major) for major in majors])


@pytest.fixture
def deb(request, major):
    return deb_of(request.config, major)


# --- what is in it ---


def test_its_name_and_what_it_depends_on(deb, major):
    fields = {name: run("dpkg-deb", "-f", deb, name).strip() for name in ("Package", "Version", "Architecture", "Depends")}
    depends = fields.pop("Depends").split(", ")
    assert fields == {"Package": f"postgresql-{major}-pg-verdict", "Version": VERSION, "Architecture": ARCH}
    assert depends[0] == f"postgresql-{major}"
    assert [re.sub(r" \(>= [0-9.]+\)$", "", name) for name in depends[1:]] == ["libc6", "libgcc-s1"]


def test_its_files(deb, major, tmp_path):
    run("dpkg-deb", "-R", deb, tmp_path)
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    doc, extension = f"usr/share/doc/postgresql-{major}-pg-verdict", f"usr/share/postgresql/{major}/extension"
    # debhelper compresses what has more than 4 KiB.
    docs = {f"docs/{path.name}{'.gz' if path.stat().st_size > 4096 else ''}" for path in (ROOT / "docs").iterdir()} | {"README.md.gz", "THIRD-PARTY.gz", "changelog.gz", "copyright"}
    # No script of the maintainer's: nothing runs when it is installed or removed.
    assert files == {f"{doc}/{name}" for name in docs} | {
        f"usr/lib/postgresql/{major}/lib/pg_verdict.so",
        f"{extension}/pg_verdict.control", f"{extension}/pg_verdict--{VERSION}.sql", f"{extension}/pg_verdict--{OLD}--{VERSION}.sql",
        f"usr/share/lintian/overrides/postgresql-{major}-pg-verdict", "DEBIAN/control", "DEBIAN/md5sums"}
    owners = {line.split()[1] for line in run("dpkg-deb", "-c", deb).splitlines()}
    assert owners == {"root/root"}


def test_the_licences_of_what_is_linked_into_it(deb, major):
    text = run("sh", "-c", 'dpkg-deb --fsys-tarfile "$1" | tar -xO "./usr/share/doc/postgresql-$2-pg-verdict/THIRD-PARTY.gz" | zcat', "-", deb, major)
    crates = dict(re.findall(r"^={100}\n(\S+) [0-9.]+, (.+)$", text, re.M))
    assert {"pgrx", "serde_json", "sha2", "libc"} <= set(crates)
    assert crates["pgrx"] == "MIT"
    assert "Permission is hereby granted, free of charge" in text


def test_it_works_on_its_server(deb, major, request, tmp_path):
    """What the package holds, on a server of its major that has nothing else of ours."""
    tree = Path(request.config.clusters.trees_of[major])
    run("dpkg-deb", "-x", deb, tmp_path)
    own = Path(request.config.getoption("run_dir")) / f"tree{major}"
    own.parent.mkdir(parents=True, exist_ok=True)
    run("cp", "-al", tree.parent, own)
    where = {name: Path(run(own / "bin" / "pg_config", f"--{name}").strip()) for name in ("pkglibdir", "sharedir")}
    for path in [where["pkglibdir"] / "pg_verdict.so", *(where["sharedir"] / "extension").glob("pg_verdict*")]:
        path.unlink()
    shutil.copy(tmp_path / f"usr/lib/postgresql/{major}/lib/pg_verdict.so", where["pkglibdir"])
    shutil.copytree(tmp_path / f"usr/share/postgresql/{major}/extension", where["sharedir"] / "extension", dirs_exist_ok=True)
    cluster = Cluster(own / "bin", own.parent / f"of{major}", request.config.getoption("psql"))
    try:
        db = cluster.start().fresh_db()
        cluster.psql(GUARDED, db)
        with cluster.connect(db) as conn:
            conn.execute("INSERT INTO msgs VALUES ('a', 'hi')")
            with pytest.raises(psycopg.Error) as caught:
                conn.execute("INSERT INTO msgs VALUES ('b', 'hi')")
            assert caught.value.sqlstate == "VD001"
            assert conn.execute("SELECT extversion FROM pg_extension WHERE extname = 'pg_verdict'").fetchone() == (VERSION,)
    finally:
        cluster.remove()


# --- lintian ---


def lintian(deb):
    """Every tag that packaging/debian/lintian-overrides does not name with its reason, and each line there that names none."""
    done = subprocess.run(["lintian", "--allow-root", "--display-info", "--pedantic", "--suppress-tags", BY_CHANCE, deb],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode in (0, 2), done.stderr
    return [line.split(": ", 2)[2] for line in done.stdout.splitlines() if not line.startswith("N:")]


@pytest.fixture
def changed(request, tmp_path):
    """changed(path, function): the package of 15 with one file's text changed."""
    def change(path, function):
        run("dpkg-deb", "-R", deb_of(request.config, 15), tmp_path / "tree")
        file = tmp_path / "tree" / path
        file.write_text(function(file.read_text()))
        sums = tmp_path / "tree/DEBIAN/md5sums"
        digest = hashlib.md5(file.read_bytes()).hexdigest()
        sums.write_text(re.sub(f"^[0-9a-f]+  {path}$", f"{digest}  {path}", sums.read_text(), flags=re.M))
        run("dpkg-deb", "--root-owner-group", "-Zxz", "-z0", "-b", tmp_path / "tree", tmp_path)
        return tmp_path / deb_of(request.config, 15).name
    return change


TAG = "hardening-no-fortify-functions [usr/lib/postgresql/15/lib/pg_verdict.so]"
OVERRIDES = "usr/share/lintian/overrides/postgresql-15-pg-verdict"


def test_lintian_finds_nothing_but_what_is_listed(request):
    assert lintian(deb_of(request.config, 15)) == []


def test_each_listed_tag_has_a_reason():
    lines = (ROOT / "packaging/debian/lintian-overrides").read_text().splitlines()
    tags = [number for number, line in enumerate(lines) if not line.startswith("#")]
    assert tags
    assert all(lines[number - 1].startswith("# ") and number > 1 for number in tags)


def test_a_tag_that_is_not_listed_is_seen(changed):
    found = lintian(changed(OVERRIDES, lambda text: text.replace(f"{TAG}\n", "")))
    assert found == [TAG]


def test_a_listed_tag_that_no_longer_applies_is_seen(changed):
    found = lintian(changed(OVERRIDES, lambda text: text + "# once\nno-code-sections [usr/lib/x.a]\n"))
    assert [line.split(" [usr/share")[0] for line in found] == ["unused-override no-code-sections [usr/lib/x.a]"]


# --- in a bare Debian ---


class BareDebian:
    """A copy of the run's own of Debian's minimal root, entered by chroot. It can reach no network."""

    def __init__(self, source, directory):
        self.root = Path(directory)
        self.root.parent.mkdir(parents=True, exist_ok=True)
        run("cp", "-a", source, self.root)

    def run(self, *args, check=True, **kw):
        done = subprocess.run(
            ["chroot", self.root, "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", *args],
            capture_output=True, text=True, timeout=240, **kw)
        assert not check or done.returncode == 0, f"{args} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done

    def apt(self, *args):
        return self.run("apt-get", "-y", "-o", "Dpkg::Use-Pty=0", "-o", "Acquire::http::Proxy=http://127.0.0.1:1", *args)

    def sql(self, text, database="chat"):
        """What psql prints, or the SQLSTATE of the first error."""
        done = self.run("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "psql", "-XqAt", "-v", "ON_ERROR_STOP=1",
                        "-v", "VERBOSITY=sqlstate", "-d", database, input=text, check=False)
        error = re.search(r"ERROR:\s+(\S+)", done.stderr)
        assert done.returncode == 0 or error, done.stderr
        return error[1] if error else done.stdout.strip()

    def start(self):
        self.run("pg_conftool", "15", "main", "set", "listen_addresses", "")
        self.run("pg_ctlcluster", "15", "main", "start")

    def stop(self):
        pidfile = self.root / "var/lib/postgresql/15/main/postmaster.pid"
        if pidfile.exists():
            os.kill(int(pidfile.read_text().split()[0]), signal.SIGINT)
            wait_until(lambda: not pidfile.exists(), 30, "the server has stopped")

    def files(self):
        """What is there of programs and settings, but for databases, logs and what apt and dpkg keep for themselves."""
        return {str(path.relative_to(self.root)) for top in ("usr", "etc", "var/lib/dpkg/info", "var/lib/postgresql") if (self.root / top).exists()
                for path in (self.root / top).rglob("*") if "var/lib/postgresql/15/main" not in str(path)}


@pytest.fixture
def debian(request):
    if os.getuid() != 0:
        pytest.skip(f"{CANNOT}only root may enter a bare Debian (chroot)")
    bare = BareDebian(request.config.getoption("bare_root"), Path(request.config.getoption("run_dir")) / "debian")
    yield bare
    bare.stop()
    shutil.rmtree(bare.root)


def test_the_package_of_15_in_a_bare_debian(request, debian):
    deb = deb_of(request.config, 15)
    shutil.copy(deb, debian.root / "tmp")
    for program in ("cargo", "rustc", "cc", "clang"):
        assert debian.run("which", program, check=False).returncode == 1
    assert not (debian.root / "usr/lib/postgresql").exists()

    # It brings its server along.
    debian.apt("install", f"/tmp/{deb.name}")
    with_it = debian.files()
    ours = {path for path in with_it if "verdict" in path}
    assert len(ours) > 10
    debian.start()
    debian.sql("CREATE DATABASE chat; CREATE DATABASE old", "postgres")

    # The extension, in a database that is new to it.
    debian.sql("CREATE EXTENSION pg_verdict")
    debian.sql(GUARDED)
    assert debian.sql("INSERT INTO msgs VALUES ('a', 'hi')") == ""
    assert debian.sql("INSERT INTO msgs VALUES ('b', 'hi')") == "VD001"
    assert debian.sql("SELECT id FROM msgs") == "a"

    # The extension, in a database that has the version before.
    shutil.copy(ROOT / f"tests/upgrade/pg_verdict--{OLD}.sql", debian.root / "usr/share/postgresql/15/extension")
    debian.sql(GUARDED_BY_THE_OLD, "old")
    assert debian.sql("INSERT INTO msgs VALUES ('b', 'hi')", "old") == "VD001"
    debian.sql("ALTER EXTENSION pg_verdict UPDATE", "old")
    assert debian.sql("SELECT extversion FROM pg_extension WHERE extname = 'pg_verdict'", "old") == VERSION
    assert debian.sql("INSERT INTO msgs VALUES ('b', 'hi')", "old") == "VD001"
    assert debian.sql("INSERT INTO msgs VALUES ('a', 'hi')", "old") == ""
    assert debian.sql("SELECT count(*) FROM verdict.incidents", "old") == "0"
    (debian.root / f"usr/share/postgresql/15/extension/pg_verdict--{OLD}.sql").unlink()

    # It goes, and a table that still has a guard takes no row; it comes back, and the guard stands.
    debian.apt("purge", "postgresql-15-pg-verdict")
    assert debian.sql("INSERT INTO msgs VALUES ('c', 'hi')") == "58P01"
    debian.apt("install", f"/tmp/{deb.name}")
    assert debian.files() == with_it
    assert debian.sql("INSERT INTO msgs VALUES ('c', 'hi')") == "VD001"
    debian.sql("DROP EXTENSION pg_verdict CASCADE")
    assert debian.sql("INSERT INTO msgs VALUES ('c', 'hi')") == ""

    # It goes for good, and leaves nothing.
    debian.apt("purge", "postgresql-15-pg-verdict")
    assert debian.files() == with_it - ours
    assert debian.run("dpkg", "-s", "postgresql-15-pg-verdict", check=False).returncode == 1
