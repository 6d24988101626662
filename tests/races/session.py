"""One session of the races: random transactions of random operations on the batch's few subjects."""

import json
import time
from collections import Counter
from contextlib import contextmanager

import psycopg

CONTENTS = ("x", "y")
REQUEST = '{{"id": "{}", "body": "{}"}}'
APPROVAL = '{"actionCode": 0, "nextCode": 0, "errCode": 0}'
REFUSAL = '{"actionCode": 0, "nextCode": 1, "errCode": 5001}'

WEIGHTS = {
    "approve": 14, "record_approval": 12, "record_refusal": 5, "record_no_answer": 2, "deny": 4, "revoke": 4, "approve_nothing": 1,
    "insert": 30, "insert_two": 4, "approve_and_insert": 5, "update_content": 10, "update_subject": 4, "update_note": 3,
}
TABLES = {"shared": 55, "spent": 30, "loose": 15}
FINDINGS = {f"VD00{n}" for n in range(1, 8)}
# What may happen to a transaction: a finding, nothing to revoke, serialization failure, deadlock, lock_timeout, cancel.
TOLERATED = FINDINGS | {"55000", "40001", "40P01", "55P03", "57014"}


class Session:
    """`batch` is what the sessions of a batch share (run.Batch); `random` is this session's alone."""

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
        while self.counts["operations"] < operations:
            self.transaction()
        self.insist("SET statement_timeout = 0")

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
            self.conn.execute(f"BEGIN ISOLATION LEVEL {self.batch.knobs.level}")
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

    # --- operations ---

    def operation(self):
        self.counts["operations"] += 1
        name, = self.random.choices(list(WEIGHTS), WEIGHTS.values())
        getattr(self, name)()

    def subject(self, but=None):
        return self.random.choice([subject for subject in self.batch.subjects if subject != but])

    def contested(self):
        """A subject of which anything may be said."""
        return self.subject(but=self.batch.steady)

    def content(self, subject):
        """Mostly the one that has last been approved."""
        if subject == self.batch.steady:
            return CONTENTS[0]
        if self.random.random() < 0.85 and (content := self.batch.approved.get(subject)):
            return content
        return self.random.choice(CONTENTS)

    def to_approve(self):
        subject = self.subject()
        content = CONTENTS[0] if subject == self.batch.steady else self.random.choice(CONTENTS)
        self.batch.approved[subject] = content
        return subject, content

    def approve(self):
        subject, content = self.to_approve()
        self.conn.execute("SELECT FROM verdict.approve('h', %s, %s)", (subject, json.dumps({"body": content})))

    def record_approval(self):
        self.conn.execute("SELECT FROM verdict.record('h', %s::text, %s::text)", (REQUEST.format(*self.to_approve()), APPROVAL))

    def record_refusal(self):
        subject = self.contested()
        self.conn.execute("SELECT FROM verdict.record('h', %s::text, %s::text)", (REQUEST.format(subject, "x"), REFUSAL))

    def record_no_answer(self):
        self.conn.execute("SELECT FROM verdict.record_no_answer('h', %s::text, 'timeout')", (REQUEST.format(self.contested(), "x"),))

    def deny(self):
        self.conn.execute("SELECT FROM verdict.deny('h', %s, 1, 'no')", (self.contested(),))

    def revoke(self):
        self.conn.execute("SELECT FROM verdict.revoke('h', %s, 'why')", (self.contested(),))

    def approve_nothing(self):
        """Without content it fits no row of a guard that is bound to content."""
        self.conn.execute("SELECT FROM verdict.approve('h', %s)", (self.contested(),))

    def table(self):
        return self.random.choices(list(TABLES), TABLES.values())[0]

    def insert(self):
        table, subject = self.table(), self.subject()
        n = self.batch.new_row(table)
        with self.message(subject):
            self.conn.execute(f"INSERT INTO {table} VALUES (%s, %s, %s)", (n, subject, self.content(subject)))

    def insert_two(self):
        table, subject = self.table(), self.contested()
        other = self.subject(but=subject)
        self.conn.execute(f"INSERT INTO {table} VALUES (%s, %s, %s), (%s, %s, %s)", (
            self.batch.new_row(table), subject, self.content(subject), self.batch.new_row(table), other, self.content(other)))

    def approve_and_insert(self):
        """In one statement."""
        table = self.table()
        subject, content = self.to_approve()
        with self.message(subject):
            self.conn.execute(
                f"INSERT INTO {table} SELECT %s, recorded_subject, %s FROM verdict.approve('h', %s, %s)",
                (self.batch.new_row(table), content, subject, json.dumps({"body": content})))

    def update_content(self):
        self.conn.execute(*self.update("content = %s", self.random.choice(CONTENTS)))

    def update_subject(self):
        subject = self.subject()
        statement, parameters = self.update("subject = %s, content = %s", subject, self.content(subject))
        with self.message(subject):
            self.conn.execute(statement, parameters)

    def update_note(self):
        """Not judged, whatever the verdict is by now."""
        self.conn.execute(*self.update("note = %s", self.name))

    def update(self, what, *values):
        table = self.table()
        return f"UPDATE {table} SET {what} WHERE n = %s", (*values, self.batch.some_row(table, self.random))

    @contextmanager
    def message(self, subject):
        """A message. When its subject has been approved all the time, only a spent approval is a reason to refuse it."""
        try:
            yield
        except psycopg.Error as error:
            if subject == self.batch.steady and error.sqlstate in FINDINGS - {"VD006"}:
                self.refused.append(str(error))
            raise
