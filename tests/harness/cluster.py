"""Throw-away PostgreSQL servers: one directory each, reached through a socket of their own, gone at the end."""

import os
import pwd
import re
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg

from .waiting import wait_until

SUPERUSER = "postgres"
PORT = 5432  # only a part of the socket's name: no server listens on TCP unless its conf says so
CONF = {
    "listen_addresses": "''",
    "port": PORT,
    "fsync": "off",
    "max_connections": 60,
    "max_prepared_transactions": 10,
    "wal_level": "logical",
    "max_wal_size": "1GB",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "datestyle": "'ISO, YMD'",
    "intervalstyle": "postgres",
    "lc_messages": "C",
    "log_line_prefix": "'%m [%p] %q%u@%d '",
    "deadlock_timeout": "200ms",
}
# More of them for the whole run: PG_VERDICT_CONF='name=value …' (scripts/test-asserts)
CONF |= dict(setting.split("=", 1) for setting in os.environ.get("PG_VERDICT_CONF", "").split())


class Cluster:
    """A server made of the tree at `bin_dir`, in `directory` (which must not exist yet). As root, it runs as the user
    postgres; nobody else can reach its socket. `conf` and `env` add to postgresql.conf and to the server's environment,
    `initdb` to the arguments of initdb."""

    def __init__(self, bin_dir, directory, psql_path, conf=None, env=None, initdb=()):
        self.bin = Path(bin_dir)
        self.dir = Path(directory)
        self.data = self.dir / "data"
        self.log_path = self.dir / "log"
        self.psql_path = str(psql_path)
        self.env = dict(env or {})
        self.process = None
        self._databases = 0
        self._owner = pwd.getpwnam(SUPERUSER) if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        self.dir.mkdir(mode=0o700, parents=True)
        os.chown(self.dir, self._owner.pw_uid, self._owner.pw_gid)
        self._as_owner("initdb", "-D", self.data, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync",
                       *initdb)
        self.configure(unix_socket_directories=f"'{self.dir}'", **(CONF | (conf or {})))

    # --- the server ---

    def configure(self, **conf):
        """Adds settings to postgresql.conf (values as they stand there); restart() or reload() makes them count."""
        with open(self.data / "postgresql.conf", "a") as f:
            f.writelines(f"{name} = {value}\n" for name, value in conf.items())

    def start(self, deadline=30):
        assert self.process is None, "already started"
        # Without RUST_BACKTRACE and the caller's PG* and LC_*: what a service manager would give.
        env = {"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC"} | self.env
        with open(self.log_path, "a") as log:
            self.process = subprocess.Popen(
                [self.bin / "postgres", "-D", self.data], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd="/", env=env, start_new_session=True, **self._identity())
        wait_until(self._is_up, deadline, "the server accepts connections")
        return self

    def stop(self, sig=signal.SIGINT, deadline=60):
        """SIGINT: fast shutdown. SIGTERM waits for clients, SIGQUIT is a crash."""
        if self.process is None:
            return
        self.process.send_signal(sig)
        try:
            self.process.wait(deadline)
        finally:
            self.process = None

    def ensure_up(self):
        if self.process is None or self.process.poll() is not None:
            self.process = None
            self.start()

    def restart(self):
        self.stop()
        return self.start()

    def crash(self):
        """Everything in shared memory is lost; start() goes through crash recovery."""
        self.stop(signal.SIGQUIT)

    def kill_backend(self, pid):
        """SIGKILL of one server process: the postmaster throws all sessions out and recovers by itself."""
        mark = self.log_mark()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: "database system is ready" in self.log(mark), 30, "the server has recovered")

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def remove(self):
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.dir)

    def log(self, since=0):
        """The text of the server log, from a log_mark() on."""
        with open(self.log_path, errors="replace") as f:
            f.seek(since)
            return f.read()

    def log_mark(self):
        return self.log_path.stat().st_size

    @property
    def major(self):
        out = subprocess.run([self.bin / "pg_config", "--version"], capture_output=True, text=True, check=True).stdout
        return int(re.search(r"\d+", out)[0])

    # --- clients ---

    def conninfo(self, dbname="postgres", user=SUPERUSER, **more):
        return psycopg.conninfo.make_conninfo(host=str(self.dir), port=PORT, dbname=dbname, user=user, **more)

    def connect(self, dbname="postgres", user=SUPERUSER, **kw):
        """A psycopg connection, autocommit unless said otherwise; other keywords go to psycopg.connect()."""
        return psycopg.connect(self.conninfo(dbname, user), **({"autocommit": True} | kw))

    def asyncpg_args(self, dbname="postgres", user=SUPERUSER):
        """`await asyncpg.connect(**cluster.asyncpg_args(db))`"""
        return {"host": str(self.dir), "port": PORT, "database": dbname, "user": user}

    def client_env(self, dbname="postgres", user=SUPERUSER):
        """The caller's environment with the PG* variables of this server, for programs that use libpq."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("PG") or k == "PG_VERDICT_WORK"}
        return env | {"PGHOST": str(self.dir), "PGPORT": str(PORT), "PGUSER": user, "PGDATABASE": dbname,
                      "PGCLIENTENCODING": "UTF8"}

    def run(self, program, *args, dbname="postgres", user=SUPERUSER, check=True, timeout=120, **kw):
        """A client program of the server's own version (pg_dump, pgbench, …); returns subprocess.CompletedProcess."""
        done = subprocess.run([self.bin / program, *map(str, args)], env=self.client_env(dbname, user),
                              capture_output=True, text=True, timeout=timeout, **kw)
        assert not check or done.returncode == 0, f"{program} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done

    def psql(self, sql, dbname="postgres", user=SUPERUSER):
        """Runs SQL, stops at the first error (AssertionError with its text), returns unaligned rows as one string."""
        done = subprocess.run([self.psql_path, "-XqAt", "-v", "ON_ERROR_STOP=1"], input=sql, timeout=120,
                              env=self.client_env(dbname, user), capture_output=True, text=True)
        assert done.returncode == 0, f"psql failed:\n{done.stderr}"
        return done.stdout.rstrip("\n")

    # --- databases ---

    def fresh_db(self, name=None, extension=True):
        """A new database (nothing in it but the extension) and its name."""
        self._databases += 1
        name = name or f"db{self._databases}"
        with self.connect() as conn:
            conn.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        if extension:
            with self.connect(name) as conn:
                conn.execute("CREATE EXTENSION pg_verdict")
        return name

    def clean(self):
        """Drops what a test left behind: databases, and roles with everything that hangs on them."""
        self.ensure_up()
        with self.connect() as conn:
            conn.execute("SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_stat_activity"
                         " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()")
            for dbname, gid in conn.execute("SELECT database, gid FROM pg_prepared_xacts").fetchall():
                with self.connect(dbname) as there:
                    there.execute(f"ROLLBACK PREPARED '{gid}'")
            for (name,) in conn.execute("SELECT datname FROM pg_database WHERE oid >= 16384").fetchall():
                conn.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
            for (role,) in conn.execute("SELECT quote_ident(rolname) FROM pg_roles WHERE oid >= 16384").fetchall():
                conn.execute(f"DROP OWNED BY {role}")
                conn.execute(f"DROP ROLE {role}")

    # --- inside ---

    def _identity(self):
        if os.getuid() != 0:
            return {}
        return {"user": self._owner.pw_uid, "group": self._owner.pw_gid, "extra_groups": []}

    def _as_owner(self, program, *args):
        done = subprocess.run([self.bin / program, *map(str, args)], cwd="/", env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
                              capture_output=True, text=True, **self._identity())
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed:\n{done.stdout}{done.stderr}")

    def _is_up(self):
        if self.process.poll() is not None:
            self.process = None
            raise RuntimeError(f"the server did not start:\n{self.log()}")
        try:
            self.connect(connect_timeout=5).close()
            return True
        except psycopg.OperationalError:
            return False


class Clusters:
    """Makes clusters for one test run and ends them all. `trees`: kind → bin directory ('plain', 'hooks')."""

    def __init__(self, trees, run_dir, psql_path):
        self.trees, self.run_dir, self.psql_path = trees, Path(run_dir), psql_path
        self._made, self._shared, self._marks = [], {}, {}

    def make(self, kind="plain", conf=None, env=None):
        assert self.trees.get(kind), f"no build {kind!r} was made for this test: it says with @pytest.mark.needs which it needs"
        cluster = Cluster(self.trees[kind], self.run_dir / f"c{len(self._made)}", self.psql_path, conf, env)
        self._made.append(cluster)
        return cluster.start()

    def shared(self, kind="plain"):
        """The one server of the run for tests that need only databases of their own."""
        cluster = self._shared.get(kind)
        if cluster is None:
            cluster = self._shared[kind] = self.make(kind)
        cluster.ensure_up()
        return cluster

    def begin_test(self):
        self._marks = {cluster: cluster.log_mark() for cluster in self._made if cluster.log_path.exists()}

    def logs_of_test(self):
        """(name, text) of what each server that is there has logged since begin_test()."""
        texts = [(cluster.dir.name, cluster.log(self._marks.get(cluster, 0))) for cluster in self._made if cluster.log_path.exists()]
        return [(name, text) for name, text in texts if text]

    def remove(self, cluster):
        if cluster.dir.exists():
            cluster.remove()

    def remove_all(self):
        for cluster in self._made:
            self.remove(cluster)
