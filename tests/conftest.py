"""How the tiers golden, isolation, scenarios and races become one pytest run against one PostgreSQL major (see CONTRIBUTING.md).
Started by scripts/test, which builds, installs into private trees and passes the options below."""

import os
import re
import signal
from pathlib import Path

import pytest
from harness.cluster import Clusters
from harness.expected import OutputItem
from harness.golden import GoldenFile
from harness.isolation import SpecFile
from harness.report import Outcomes

HERE = Path(__file__).parent
# What the tests of a tier need to be built or brought, where no @pytest.mark.needs(…) says otherwise: the library as users
# get it, the one with test hooks, other people's extensions, all majors, packages.
NEEDS = {"golden": ["plain"], "isolation": ["hooks"], "scenarios": ["plain"], "neighbours": ["plain", "neighbours"],
         "races": ["plain", "hooks"], "pg_upgrade": ["majors"], "package": ["majors", "debs"]}


def pytest_addoption(parser):
    group = parser.getgroup("pg_verdict")
    group.addoption("--plain-bin", help="bin directory of the tree with the library as users get it")
    group.addoption("--hooks-bin", help="bin directory of the tree with the library built with test hooks")
    group.addoption("--tree", action="append", default=[], metavar="MAJOR=BIN", help="each major's bin directory, for the tier pg_upgrade")
    group.addoption("--debs", help="directory with a Debian package for each major, for the tier package")
    group.addoption("--bare-root", help="a bare Debian's root, for the tier package")
    group.addoption("--psql", help="the psql whose output the golden files hold (the same for all majors)")
    group.addoption("--isolationtester", help="path of isolationtester")
    group.addoption("--run-dir", help="where clusters are made")
    group.addoption("--report", help="JSON file that gets the counts per tier")
    group.addoption("--chosen", metavar="FILE",
                    help="with --collect-only: FILE gets a line for each tier with chosen tests and each build that they need")
    group.addoption("--accept", metavar="NAME", help="run only golden file or spec NAME and take its output as expected")


def pytest_configure(config):
    config.clusters = Clusters(
        {"plain": config.getoption("plain_bin"), "hooks": config.getoption("hooks_bin")},
        config.getoption("run_dir"), config.getoption("psql"))
    config.clusters.trees_of = {int(major): path for major, path in (tree.split("=", 1) for tree in config.getoption("tree"))}
    config.addinivalue_line("markers", "needs(*builds): what its tests need, if it is not what their tier needs")
    if config.getoption("report"):
        config.pluginmanager.register(Outcomes(config.getoption("report")))

    def end(signum, frame):
        raise KeyboardInterrupt  # so that the servers are ended, as after ctrl-C

    signal.signal(signal.SIGTERM, end)


def pytest_unconfigure(config):
    config.clusters.remove_all()


def pytest_ignore_collect(collection_path, config):
    """The tiers pg_upgrade and package need all majors at once: they are run by themselves, with --tree and --debs."""
    if collection_path == HERE / "lint" and "tests/lint" not in config.args:
        return True  # scripts/lint runs it
    if config.getoption("chosen"):
        return None
    if collection_path == HERE / "pg_upgrade" and not config.getoption("tree"):
        return True
    if collection_path == HERE / "package" and not config.getoption("debs"):
        return True


def pytest_collect_file(file_path, parent):
    inside = file_path.relative_to(HERE).parts
    if inside[:2] == ("golden", "sql") and file_path.suffix == ".sql":
        return GoldenFile.from_parent(parent, path=file_path)
    if inside[:2] == ("isolation", "specs") and file_path.suffix == ".spec":
        return SpecFile.from_parent(parent, path=file_path)


def pytest_collection_modifyitems(config, items):
    if name := config.getoption("accept"):
        chosen = [item for item in items if isinstance(item, OutputItem) and item.path.stem == name and item.acceptable]
        if not chosen:
            raise pytest.UsageError(f"no golden file or spec is called {name}")
        items[:] = chosen


def pytest_collection_finish(session):
    if path := session.config.getoption("chosen"):
        lines = set()
        for item in session.items:
            tier = item.nodeid.split("/")[0]
            mark = item.get_closest_marker("needs")
            lines.update(f"{tier} {need}\n" for need in (mark.args if mark else NEEDS.get(tier)) or ["nothing"])
        Path(path).write_text("".join(sorted(lines)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item, nextitem):
    item.config.clusters.begin_test()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows the end of what the servers have logged meanwhile, and says where all of it is."""
    report = yield
    if report.failed and "WORK" in os.environ:
        for name, text in item.config.clusters.logs_of_test():
            path = Path(os.environ["WORK"]) / "failed" / f"{re.sub('[^a-zA-Z0-9_.]+', '-', item.nodeid)}.{name}.log"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            report.sections.append((f"log of server {name}, all of it in {path}", "\n".join(text.splitlines()[-20:])))
    return report


@pytest.fixture
def cluster(request):
    """The shared server of the run. Databases, roles and sessions that the test leaves behind are dropped."""
    shared = request.config.clusters.shared("plain")
    yield shared
    shared.clean()


@pytest.fixture
def hooks_cluster(request):
    """The same with the library built with the feature test_hooks."""
    shared = request.config.clusters.shared("hooks")
    yield shared
    shared.clean()


@pytest.fixture
def make_cluster(request):
    """make_cluster(conf={…}, env={…}, kind="plain"): a server of the test's own, for tests that restart or crash it, need
    settings, or need two of them."""
    clusters, made = request.config.clusters, []

    def make(conf=None, env=None, kind="plain"):
        made.append(clusters.make(kind, conf, env))
        return made[-1]

    yield make
    for cluster in made:
        clusters.remove(cluster)


@pytest.fixture
def db(cluster):
    """Name of a fresh database with the extension, on the shared server."""
    return cluster.fresh_db()


@pytest.fixture
def conn(cluster, db):
    """A superuser's autocommit connection to `db`."""
    with cluster.connect(db) as connection:
        yield connection
