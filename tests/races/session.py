"""One session of the races: random transactions of random operations."""

import time
from collections import Counter

import psycopg

from .operations import CONTENTS, FINDINGS, Operations
from .schema import SHORT

LEVELS = ("read committed", "repeatable read", "serializable")
MIXED = "mixed"
# What may happen to a transaction: a finding, nothing to revoke or to decide, serialization failure, deadlock, lock_timeout,
# cancel; a held row whose key has been taken.
TOLERATED = FINDINGS | {"55000", "40001", "40P01", "55P03", "57014", "23505"}


class Session(Operations):
    """`batch` is what the sessions of a batch share (race.Batch); `random` is this session's alone."""

    def __init__(self, conn, batch, random, name):
        self.conn, self.batch, self.random, self.name = conn, batch, random, name
        self.counts = Counter()
        self.refused = []  # refusals of messages that were approved all the time
        self.serial = 0

    def run(self, operations):
        pause = self.batch.knobs.pause
        self.sleep = self.random.choice((0, self.random.randrange(pause + 1)))
        self.conn.execute(f"SET verdict.test_sleep = {self.sleep}")
        # Some sessions are canceled wherever they happen to be.
        self.timeout = self.random.choice((0, 0, 0, self.random.randrange(3, 30)))
        self.conn.execute(f"SET statement_timeout = {self.timeout}")
        for day, share in zip(self.batch.days, (0.5, 1)):
            jumps = share == 1 and day != self.batch.days[0]
            expiring = self.approve_what_expires() if jumps else None
            self.insist(f"SET verdict.test_days_ahead = {day}")
            if expiring:
                self.store(*expiring)
            while self.counts["operations"] < operations * share:
                self.transaction()
        self.insist("SET statement_timeout = 0")

    # --- around a jump of the clock ---

    def approve_what_expires(self):
        """A verdict that may still be the newest when the clock has jumped."""
        subject, content = self.contested(), self.random.choice(CONTENTS)
        self.attempt(lambda: self.approves("h", subject, content, f"{SHORT} days"))
        return subject, content

    def store(self, subject, content):
        row = self.batch.new_row("shared"), subject, content
        self.attempt(lambda: self.conn.execute("INSERT INTO shared (n, subject, content) VALUES (%s, %s, %s)", row))

    def attempt(self, operation):
        self.counts["operations"] += 1
        try:
            operation()
        except psycopg.Error as error:
            self.note(error)

    # --- transactions ---

    def transaction(self):
        random = self.random
        two_phase = random.random() < self.batch.knobs.two_phase
        size = random.choice((1, 1, 1, 2, 2, 3, 4))
        try:
            if size == 1 and not two_phase and random.random() < 0.5:
                self.operation()
                self.counts["committed"] += 1
                return
            level = self.batch.knobs.level
            self.conn.execute(f"BEGIN ISOLATION LEVEL {random.choice(LEVELS) if level == MIXED else level}")
            if random.random() < 0.3:
                self.conn.execute("SELECT FROM shared LIMIT 1")  # a snapshot older than all that follows
                self.wait()
            for _ in range(size):
                if random.random() < 0.3:
                    self.in_savepoint()
                else:
                    self.operation()
            self.wait()
            self.end(two_phase)
        except psycopg.Error as error:
            self.note(error)
            self.counts["aborted"] += 1
            if self.conn.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                self.insist("ROLLBACK")

    def insist(self, statement):
        while True:
            try:
                return self.conn.execute(statement)
            except psycopg.errors.QueryCanceled:
                pass

    def end(self, two_phase):
        self.conn.execute("SET LOCAL statement_timeout = 0")  # or it may be unknown whether it was prepared
        if two_phase:
            self.serial += 1
            gid = f"{self.name}-{self.serial}"
            self.conn.execute(f"PREPARE TRANSACTION '{gid}'")
            self.counts["prepared"] += 1
            # By another session: this one could have to wait for what it has prepared.
            self.batch.prepared.put((gid, self.random.random() < 0.7, self.random.random() * 0.003))
        elif self.random.random() < 0.1:
            self.conn.execute("ROLLBACK")
            self.counts["rolled back"] += 1
        else:
            self.conn.execute("COMMIT")
            self.counts["committed"] += 1

    def in_savepoint(self):
        self.conn.execute("SAVEPOINT s")
        try:
            self.operation()
            if self.random.random() < 0.3:
                self.operation()
        except psycopg.Error as error:
            self.note(error)
            undone = True
        else:
            undone = self.random.random() < 0.4
        self.conn.execute("ROLLBACK TO s" if undone else "RELEASE s")
        self.counts["savepoints undone" if undone else "savepoints released"] += 1

    def wait(self):
        if self.sleep and self.random.random() < 0.3:
            time.sleep(self.random.random() * self.sleep / 1e6)

    def note(self, error):
        if error.sqlstate not in TOLERATED:
            raise error
        self.counts[error.sqlstate] += 1

    def operation(self):
        self.counts["operations"] += 1
        self.any_of_them()
