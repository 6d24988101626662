"""Races: sessions that store messages against sessions that change their minds, and the check of what was committed.

    with Race(cluster, Knobs(level="serializable", seed=7)) as race:
        race.run(5_000)
        assert not race.broken(), race.report()
"""

import queue
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from itertools import count
from random import Random

import psycopg
from harness.waiting import wait_until

from . import decode, schema
from .model import PROMISED, Model
from .operations import CONTENTS
from .session import LEVELS, MIXED, Session

# Protocol → the kind of anomaly by which it shows.
WEAKNESSES = {"no_lock": "stale", "key_share": "stale", "no_recheck": "stale", "unserialised": "stale", "overlooked": "stale", "spend_unchecked": "unspent",
              "undying": "expired"}
# Deadlocks are many here, and every one waits for deadlock_timeout; dead rows are removed as early as can be.
CONF = {"deadlock_timeout": "10ms", "max_prepared_transactions": 50, "full_page_writes": "off", "max_wal_size": "2GB",
        "autovacuum_naptime": "1s", "autovacuum_vacuum_threshold": 50, "autovacuum_vacuum_scale_factor": 0,
        "log_min_messages": "fatal", "log_min_error_statement": "panic"}


JUMP = 60  # days: less than schema.LASTS, of which two jumps are more


@dataclass(frozen=True)
class Knobs:
    level: str = LEVELS[0]  # or MIXED: each transaction has its own
    weaken: str = ""
    seed: int = 0
    pause: int = 2_000  # at most so many microseconds between look-up and lock, and between the statements of a transaction
    two_phase: float = 0.1  # share of transactions that are prepared
    sessions: int = 8
    subjects: int = 6
    batch: int = 1_000  # operations after which new subjects are taken, and what was committed is checked


@dataclass
class Batch:
    """What the sessions of a batch share."""

    knobs: Knobs
    number: int
    rows: count
    prepared: queue.SimpleQueue = field(default_factory=queue.SimpleQueue)
    approved: dict = field(default_factory=dict)  # subject → content, as far as the sessions have told each other
    recent: dict = field(default_factory=lambda: {table: deque(maxlen=20) for table in schema.TABLES})  # its youngest rows

    def __post_init__(self):
        self.subjects = [f"{self.number}-{i}" for i in range(self.knobs.subjects)]
        self.steady = self.subjects[0]  # only ever approved, for CONTENTS[0]
        # In one batch of three it gets two months later: for each session at another moment, and there is no leaf yet. What has been
        # approved for a day has expired then, and two jumps later nothing of the first leaves can decide anything any more.
        today = JUMP * (self.number // 3)
        self.days = today, today + JUMP if self.number % 3 == 2 else today

    def new_row(self, table):
        n = next(self.rows)
        self.recent[table].append(n)
        return n


class Race:
    def __init__(self, cluster, knobs):
        self.knobs = knobs
        self.cluster = cluster
        self.dbname = cluster.fresh_db()
        self.connections = []
        self.connect = lambda: self.connections.append(cluster.connect(self.dbname)) or self.connections[-1]
        self.counts = Counter()
        self.batches = 0
        self.rows = count(1)
        self.seconds = 0.0

    def __enter__(self):
        self.conn = self.connect()
        # Before anybody else connects: it counts for new sessions.
        self.conn.execute(f"ALTER DATABASE {self.dbname} SET verdict.test_weaken = '{self.knobs.weaken}'")
        level = LEVELS[0] if self.knobs.level == MIXED else self.knobs.level
        self.conn.execute(f"ALTER DATABASE {self.dbname} SET default_transaction_isolation = '{level}'")
        self.conn.execute(f"ALTER DATABASE {self.dbname} SET client_min_messages = 'error'")
        self.conn.execute(f"ALTER DATABASE {self.dbname} SET lock_timeout = '5s'")
        self.conn.execute(f"ALTER DATABASE {self.dbname} SET verdict.retention_days = 0")
        for statement in schema.statements():
            self.conn.execute(statement)
        decode.start(self.conn, schema.TABLES)
        self.model = Model({self.approve("probe", content): content for content in CONTENTS})
        self.connect_sessions()
        for conn in self.sessions:
            seen = conn.execute("LOAD 'pg_verdict'; SELECT setting FROM pg_settings WHERE name = 'verdict.test_weaken'")
            seen.nextset()
            assert seen.fetchone() == (self.knobs.weaken,), "this build cannot be weakened"
        return self

    def __exit__(self, *_):
        self.conn.execute("SELECT pg_drop_replication_slot(%s)", (decode.SLOT,))
        for conn in self.connections:
            conn.close()

    def connect_sessions(self):
        self.sessions = [self.connect() for _ in range(self.knobs.sessions)]
        self.finisher = self.connect()

    def approve(self, subject, content):
        """By both hooks; returns the digest."""
        for hook in schema.HOOKS:
            found = self.conn.execute(
                "SELECT digest::text FROM verdict.approve(%s, %s, jsonb_build_object('body', %s::text))", (hook, subject, content))
        return found.fetchone()[0]

    # --- running ---

    def run(self, operations):
        """So many operations, and the check of all that they have committed."""
        before = self.counts["operations"]
        while self.counts["operations"] - before < operations:
            self.batch(min(self.knobs.batch, operations))
        self.model.compare(self.conn)
        self.counts["leaves"], = self.conn.execute("SELECT count(*) FROM verdict.leaves").fetchone()

    def until(self, found, at_most):
        """Batches until `found(anomalies)`, a limited number of operations. Returns whether it was."""
        while not found(self.model.anomalies):
            if self.counts["operations"] >= at_most:
                return False
            self.batch(self.knobs.batch)
        return True

    def crash(self, times):
        """So many batches, in the middle of each of which the server crashes, and the check of what was committed before."""
        for _ in range(times):
            self.batch(self.knobs.batch, crashes=True)
            self.counts["crashes"] += 1
        self.model.compare(self.conn)

    def recover(self, sessions, operations):
        """Crashes the server when half of the operations are done, starts it again and ends what was prepared."""
        wait_until(lambda: sum(session.counts["operations"] for session in sessions) >= operations / 2, 60, "half of the batch is done")
        self.cluster.crash()
        self.cluster.start()
        self.conn = self.connect()
        self.connect_sessions()
        for gid, in self.conn.execute("SELECT gid FROM pg_prepared_xacts WHERE database = current_database()").fetchall():
            self.conn.execute(f"COMMIT PREPARED '{gid}'")

    def batch(self, operations, crashes=False):
        started = time.monotonic()
        batch = Batch(self.knobs, self.batches, self.rows)
        self.batches += 1
        self.conn.execute(f"SET verdict.test_days_ahead = {batch.days[0]}")
        digest = self.approve(batch.steady, CONTENTS[0])
        self.model.always = {batch.steady: CONTENTS[0]}
        sessions = [
            Session(conn, batch, Random(f"{self.knobs.seed}/{batch.number}/{i}"), f"s{batch.number}-{i}")
            for i, conn in enumerate(self.sessions)]
        finisher = Thread(self.finish, batch)
        gate = threading.Barrier(len(sessions))
        share = -(-operations // len(sessions))
        threads = [Thread(lambda session: (gate.wait(10), session.run(share)), session) for session in sessions]
        if crashes:
            self.recover(sessions, operations)
        errors = [thread.error() for thread in threads]
        batch.prepared.put(None)
        errors.append(finisher.error())
        for session in sessions:
            self.counts.update(session.counts)
            for refusal in session.refused:
                self.model.anomaly("refused", batch.steady, refusal)
        self.seconds += time.monotonic() - started
        if wrong := next((error for error in errors if error and not (crashes and is_lost(error))), None):
            raise wrong
        for transaction in decode.committed(self.conn, self.model.last):
            self.model.replay(transaction)
        held = self.conn.execute("DELETE FROM verdict.quarantine RETURNING state, subject, digest::text, finding")
        for state, *what, finding in held:
            self.counts[state] += 1
            if what == [batch.steady, digest]:
                self.model.anomaly("refused", batch.steady, f"a row has been held: {finding}")
        self.model.forget(batch.subjects)

    def finish(self, batch):
        """Ends the prepared transactions. Their order of ending is not the order in which they were prepared."""
        open_ones = []
        random = Random(f"{self.knobs.seed}/{batch.number}")
        more = True
        while more or open_ones:
            while more and not (batch.prepared.empty() and open_ones):
                if (one := batch.prepared.get()) is None:
                    more = False
                else:
                    open_ones.append(one)
            if open_ones:
                gid, commit, delay = open_ones.pop(random.randrange(len(open_ones)))
                time.sleep(delay)
                self.finisher.execute(f"{'COMMIT' if commit else 'ROLLBACK'} PREPARED '{gid}'")
                self.counts["prepared, committed" if commit else "prepared, rolled back"] += 1

    # --- results ---

    def broken(self):
        """The anomalies that must never be, by kind."""
        return {kind: self.model.anomalies[kind] for kind in PROMISED if self.model.anomalies[kind]}

    def report(self):
        model, knobs = self.model, self.knobs
        errors = {state: n for state, n in sorted(self.counts.items()) if len(state) == 5 and state.upper() == state}
        lines = [
            f"{knobs}",
            f"{self.counts['operations']} operations in {self.seconds:.1f} s; decoded commits {model.commits}; "
            f"{dict(model.counts)}; {dict((k, n) for k, n in self.counts.items() if k not in errors)}",
            f"errors by SQLSTATE: {errors}",
            f"anomalies: {dict(model.anomalies)}",
            *(() if knobs.weaken else model.examples)]
        return "\n".join(lines)


def is_lost(error):
    """Whether the connection went with the server."""
    return isinstance(error, psycopg.OperationalError) and error.sqlstate in (None, "57P01", "57P02", "57P03")


class Thread:
    """A function that runs beside, and its error."""

    def __init__(self, function, argument):
        self._error = None
        self._thread = threading.Thread(target=self._run, args=(function, argument), daemon=True)
        self._thread.start()

    def _run(self, function, argument):
        try:
            function(argument)
        except Exception as error:  # handed to whoever asks for it
            self._error = error

    def error(self):
        self._thread.join()
        return self._error
