"""What is allowed. Committed transactions are replayed in commit order; whatever breaks a promise becomes an anomaly.

The promise of `locking => 'share'`: a message that commits after a verdict has committed does not rest on an older approval.
So, at the moment in which it commits, the newest verdict of its subject is an approval for its content; verdicts of its own
transaction count from where they stand in it. `consume` promises the same, and that an approval is spent by one row. A row
that bears the flag promises nothing until it loses the flag. Of several guards on one table each promises it for its hook. And no
message rests on an approval that had expired when it was judged.
"""

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from .schema import FLAG, TABLES, VERDICTS

"""The kinds of anomalies that must never be:
stale     a message committed without standing on its subject's newest verdict
expired   a message rests on an approval that had expired by its session's clock
reused    an approval spent twice
unspent   a row of a guard with `consume` that spent nothing, or a spent approval without such a row
order     a verdict committed after one with a higher id: the highest id is not the last writer's
chain     a verdict that does not supersede just its predecessor
refused   a message of a subject that was approved all the time was refused, flagged or held
lost      the tables do not hold what was replayed: the checker's own check
With `locking => 'none'` nothing is promised; what it lets through is `loose`: there must be some, or the runs prove nothing.
"""
PROMISED = ("stale", "expired", "reused", "unspent", "order", "chain", "refused", "lost")
HISTORY = 30  # events of a subject that an anomaly is shown with


@dataclass
class Verdict:
    id: int
    subject: str
    content: str | None  # what it approves; None: nothing
    recorded: datetime
    expires: datetime
    superseded_by: int | None = None
    spent: bool = False


@dataclass
class Model:
    contents: dict  # digest → content
    hooks: dict = field(default_factory=lambda: {"1": "h", "2": "other"})  # id → name
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    verdicts: dict = field(default_factory=dict)
    newest: dict = field(default_factory=dict)  # (hook, subject) → Verdict
    rows: dict = field(default_factory=dict)  # (table, n) → (subject, content, flagged)
    always: dict = field(default_factory=dict)  # subject → content that is approved all the time
    commits: int = 0
    last: int = 0  # where the last commit record is
    counts: Counter = field(default_factory=Counter)  # what was committed
    anomalies: Counter = field(default_factory=Counter)
    examples: list = field(default_factory=list)
    _histories: dict = field(default_factory=dict)

    def replay(self, transaction):
        self.commits += 1
        self.last = transaction.commit
        spenders, spent = Counter(), Counter()
        for change in transaction.changes:
            if change.table == VERDICTS:
                if change.kind == "I":
                    self._append(transaction, change.row)
                else:
                    self._mark(transaction, change.row, spent)
            else:
                self._store(transaction, change, spenders)
        for verdict in (spenders | spent):
            if spenders[verdict] != spent[verdict]:
                self.anomaly("unspent", self.verdicts[verdict].subject,
                             f"verdict {verdict}: {spenders[verdict]} rows, {spent[verdict]} marks in one transaction")

    def _append(self, transaction, row):
        verdict = Verdict(int(row["id"]), row["subject"], self._approves(row),
                          datetime.fromisoformat(row["recorded_at"]), datetime.fromisoformat(row["expires_at"]))
        about = self.hooks[row["hook_id"]], verdict.subject
        before = self.newest.get(about)
        self._event(transaction, verdict.subject, f"verdict {verdict.id} of {about[0]} approves {verdict.content}")
        self.counts["verdicts"] += 1
        if before is not None:
            if verdict.id < before.id:
                self.anomaly("order", verdict.subject, f"verdict {verdict.id} committed after {before.id}")
            if before.superseded_by != verdict.id:
                self.anomaly("chain", verdict.subject, f"verdict {before.id} is superseded by {before.superseded_by}, not {verdict.id}")
        self.verdicts[verdict.id] = self.newest[about] = verdict

    def _approves(self, row):
        if row["outcome"] != "approved" or row["revokes"] is not None or row["digest"] is None:
            return None
        return self.contents[row["digest"]]

    def _mark(self, transaction, row, spent):
        verdict = self.verdicts[int(row["id"])]
        by = row["superseded_by"] and int(row["superseded_by"])
        if by != verdict.superseded_by:
            self._event(transaction, verdict.subject, f"verdict {verdict.id} superseded by {by}")
            if verdict.superseded_by is not None or verdict is not self.newest[self.hooks[row["hook_id"]], verdict.subject]:
                self.anomaly("chain", verdict.subject, f"verdict {verdict.id}, superseded by {verdict.superseded_by}, gets the mark {by}")
            verdict.superseded_by = by
        elif row["consumed_at"] is not None:
            self._event(transaction, verdict.subject, f"verdict {verdict.id} spent")
            if verdict.spent:
                self.anomaly("reused", verdict.subject, f"verdict {verdict.id} is spent twice")
            verdict.spent = True
            spent[verdict.id] += 1

    def _store(self, transaction, change, spenders):
        name = change.table.removeprefix("public.")
        table = TABLES[name]
        key = name, int(change.row["n"])
        subject, content = change.row["subject"], change.row["content"]
        flagged = change.row["status"] == FLAG
        if self.rows.get(key) == (subject, content, flagged):
            return  # an update of another column is not judged
        self.rows[key] = subject, content, flagged
        what = "row" if change.kind == "I" else "update of row"
        self._event(transaction, subject, f"{what} {key[1]} of {name}: {content}{', flagged' if flagged else ''}")
        if flagged:
            self.counts["flagged"] += 1
            if change.kind == "I" and self.always.get(subject) == content:
                self.anomaly("refused", subject, f"row {key[1]} of {name} has been flagged")
            return
        self.counts[name] += 1
        # That what was judged is not younger than the session said is all that is known of its clock.
        judged = self.started + timedelta(days=int(change.row["day"]))
        for hook in table.hooks:
            verdict = self.newest.get((hook, subject))
            told = f"row {key[1]} of {name} has {content}, but the newest verdict of {hook} is {verdict}"
            if verdict is None or verdict.content != content:
                self.anomaly("stale" if table.promises else "loose", subject, told)
            elif verdict.expires <= judged:
                self.anomaly("expired" if table.promises else "loose", subject, f"{told}, and it is {judged}")
            elif table.locking == "consume":
                spenders[verdict.id] += 1

    def anomaly(self, kind, subject, what):
        self.anomalies[kind] += 1
        if kind in PROMISED and len(self.examples) < 3:
            history = "\n    ".join(self._histories.get(subject, ()))
            self.examples.append(f"{kind}: subject {subject}: {what}; in commit order:\n    {history}")

    def _event(self, transaction, subject, what):
        history = self._histories.setdefault(subject, deque(maxlen=HISTORY))
        at = transaction.commit
        history.append(f"{at >> 32:X}/{at & 0xFFFFFFFF:X} xid {transaction.xid}: {what}")

    def forget(self, subjects):
        """These will not be written about any more: their histories only take memory."""
        for subject in subjects:
            self._histories.pop(subject, None)

    def compare(self, conn):
        """What the tables hold now against what was replayed. Of verdicts, those whose leaf has not been retired."""
        for table in TABLES:
            stored = {(table, n): (subject, content, status == FLAG) for n, subject, content, status
                      in conn.execute(f"SELECT n, subject, content, status FROM {table}")}
            replayed = {key: row for key, row in self.rows.items() if key[0] == table}
            if stored != replayed:
                differ = sorted(set(stored.items()) ^ set(replayed.items()))
                self.anomaly("lost", table, f"{len(stored)} rows are stored, {len(replayed)} were replayed; different are {differ[:6]}")
        marks = conn.execute(f"SELECT id, superseded_by, consumed_at IS NOT NULL FROM {VERDICTS}").fetchall()
        leaves = conn.execute("SELECT starts, ends FROM verdict.leaves").fetchall()
        kept = {v.id: v for v in self.verdicts.values() if any(starts <= v.recorded < ends for starts, ends in leaves)}
        if sorted(marks) != sorted((v.id, v.superseded_by, v.spent) for v in kept.values()):
            self.anomaly("lost", VERDICTS, f"{len(marks)} verdicts are stored, other than replayed")
        broken = conn.execute(f"""
            SELECT subject, id, superseded_by, next FROM (
                SELECT subject, id, superseded_by, lead(id) OVER (PARTITION BY hook_id, subject ORDER BY id) AS next FROM {VERDICTS}
            ) AS chain WHERE superseded_by IS DISTINCT FROM next""")
        for subject, verdict, by, following in broken:
            if following is None and by in self.verdicts and by not in kept:
                continue  # its successor has been retired first
            self.anomaly("chain", subject, f"stored verdict {verdict} is superseded by {by}, but {following} follows")
