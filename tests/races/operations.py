"""What a session of the races may do. All of it is on the few subjects of its batch."""

import json
from contextlib import contextmanager

import psycopg

from .schema import HOOKS, SHORT, TABLES

CONTENTS = ("x", "y")
NOTES = ("a", "b")
REQUEST = '{{"id": "{}", "body": "{}"}}'
APPROVAL = '{"actionCode": 0, "nextCode": 0, "errCode": 0}'
REFUSAL = '{"actionCode": 0, "nextCode": 1, "errCode": 5001}'
FINDINGS = {f"VD00{n}" for n in range(1, 8)}
REUSED = "VD006"

WEIGHTS = {
    "approve": 14, "approve_for_both": 5, "approve_briefly": 4, "record_approval": 12, "record_refusal": 5, "record_no_answer": 2, "deny": 4, "revoke": 4, "approve_nothing": 1,
    "insert": 30, "insert_two": 4, "copy": 3, "upsert": 4, "approve_and_insert": 5,
    "update_content": 10, "update_subject": 4, "update_note": 4, "take_flag_off": 1, "release": 2, "refuse": 1, "settle": 0.3,
    "alter_guard": 0.5, "break_glass": 0.2, "restore_glass": 0.5, "retire": 0.2,
}


class Operations:
    """`conn`, `batch` (race.Batch), `random`, and `refused`: refusals of messages that were approved all the time."""

    def any_of_them(self):
        name, = self.random.choices(list(WEIGHTS), WEIGHTS.values())
        getattr(self, name)()

    # --- verdicts ---

    def approve(self):
        self.approves(self.hook(), *self.to_approve())

    def approve_for_both(self):
        subject, content = self.to_approve()
        for hook in HOOKS:
            self.approves(hook, subject, content)

    def approve_briefly(self):
        """It has expired after the next jump of the clock."""
        subject = self.contested()
        self.approves(self.hook(), subject, self.content(subject), f"{SHORT} days")

    def approves(self, hook, subject, content, valid_for=None):
        self.conn.execute("SELECT FROM verdict.approve(%s, %s, %s, %s)", (hook, subject, json.dumps({"body": content}), valid_for))

    def record_approval(self):
        self.conn.execute(
            "SELECT FROM verdict.record(%s, %s::text, %s::text)", (self.hook(), REQUEST.format(*self.to_approve()), APPROVAL))

    def record_refusal(self):
        self.conn.execute(
            "SELECT FROM verdict.record(%s, %s::text, %s::text)", (self.hook(), REQUEST.format(self.contested(), "x"), REFUSAL))

    def record_no_answer(self):
        self.conn.execute("SELECT FROM verdict.record_no_answer(%s, %s::text, 'timeout')", (self.hook(), REQUEST.format(self.contested(), "x")))

    def deny(self):
        self.conn.execute("SELECT FROM verdict.deny(%s, %s, 1, 'no')", (self.hook(), self.contested()))

    def revoke(self):
        self.conn.execute("SELECT FROM verdict.revoke(%s, %s, 'why')", (self.hook(), self.contested()))

    def approve_nothing(self):
        """Without content it fits no row of a guard that is bound to content."""
        self.conn.execute("SELECT FROM verdict.approve(%s, %s)", (self.hook(), self.contested()))

    # --- new messages ---

    def insert(self):
        table, subject = self.table(), self.subject()
        with self.message(subject):
            self.conn.execute(f"INSERT INTO {table} (n, subject, content) VALUES (%s, %s, %s)", self.row(table, subject))

    def insert_two(self):
        table, subject = self.table(), self.contested()
        rows = self.row(table, subject) + self.row(table, self.subject(but=subject))
        self.conn.execute(f"INSERT INTO {table} (n, subject, content) VALUES (%s, %s, %s), (%s, %s, %s)", rows)

    def copy(self):
        table = self.table()
        with self.conn.cursor() as cursor, cursor.copy(f"COPY {table} (n, subject, content) FROM STDIN") as copy:
            for _ in range(2):
                copy.write_row(self.row(table, self.contested()))

    def upsert(self):
        table = self.table()
        if TABLES[table].partitions:
            return  # would be a second row in the other partition
        subject = self.subject()
        row = self.some_row(table), subject, self.content(subject)
        with self.message(subject):
            self.conn.execute(
                f"INSERT INTO {table} (n, subject, content) VALUES (%s, %s, %s) ON CONFLICT (n) DO UPDATE"
                " SET subject = excluded.subject, content = excluded.content, day = excluded.day", row)

    def approve_and_insert(self):
        """In one statement."""
        table = self.table()
        subject, content = self.to_approve()
        with self.message(subject):
            self.conn.execute(
                f"INSERT INTO {table} (n, subject, content) SELECT %s, recorded_subject, %s FROM verdict.approve('h', %s, %s)",
                (self.batch.new_row(table), content, subject, json.dumps({"body": content})))

    # --- edits ---

    def update_content(self):
        """Also moves to the other partition, or not."""
        self.update(self.table(), "content = %s, note = %s, day = DEFAULT", self.random.choice(CONTENTS), self.random.choice(NOTES))

    def update_subject(self):
        subject = self.subject()
        with self.message(subject):
            self.update(self.table(), "subject = %s, content = %s, day = DEFAULT", subject, self.content(subject))

    def update_note(self):
        """Not judged, whatever the verdict is by now."""
        self.update(self.table(), "note = %s", self.random.choice(NOTES))

    def take_flag_off(self):
        self.update("flagged", "status = NULL, day = DEFAULT")

    def update(self, table, what, *values):
        self.conn.execute(f"UPDATE {table} SET {what} WHERE n = %s", (*values, self.some_row(table)))

    # --- held messages ---

    def release(self):
        self.review("SELECT verdict.release(%s, 'why')")

    def refuse(self):
        self.review("SELECT verdict.refuse(%s, 'why')")

    def review(self, statement):
        held = self.conn.execute("SELECT id FROM verdict.quarantine WHERE state = 'held' AND subject = %s LIMIT 1", (self.contested(),))
        if row := held.fetchone():
            self.conn.execute(statement, row)

    def settle(self):
        self.conn.execute("SELECT FROM verdict.settle('held')")

    # --- what a DBA does meanwhile ---

    def alter_guard(self):
        """Every session reads the guards again. What is promised stays; the table that promises nothing may have its guard watch only."""
        table = self.table()
        option, value = ("mode", self.random.choice(("enforce", "observe"))) if table == "loose" else (
            "redact", self.random.choice(("{}", "{note}")))
        self.conn.execute(f"SELECT verdict.alter_guard('{table}', 'h', {option} => '{value}')")

    def break_glass(self):
        self.conn.execute("SELECT FROM verdict.break_glass('loose', 'why', '1 minute')")

    def restore_glass(self):
        self.conn.execute("SELECT FROM verdict.restore_glass('loose')")

    def retire(self):
        self.conn.execute("SELECT FROM verdict.retire()")

    # --- choices ---

    def hook(self):
        """Mostly the one that every guard is for."""
        return self.random.choices(HOOKS, (3, 1))[0]

    def table(self):
        return self.random.choices(list(TABLES), [table.weight for table in TABLES.values()])[0]

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

    def row(self, table, subject):
        return self.batch.new_row(table), subject, self.content(subject)

    def some_row(self, table):
        return self.random.choice(list(self.batch.recent[table]) or [self.batch.new_row(table)])

    @contextmanager
    def message(self, subject):
        """A message. When its subject has been approved all the time, only a spent approval is a reason to refuse it."""
        try:
            yield
        except psycopg.Error as error:
            if subject == self.batch.steady and error.sqlstate in FINDINGS - {REUSED}:
                self.refused.append(str(error))
            raise
