"""The judge of the races, judged by histories made by hand."""

import struct
from datetime import UTC, datetime

import pytest

from .decode import Change, Transaction, transactions
from .model import Model
from .schema import VERDICTS

pytestmark = pytest.mark.needs()  # no server

APPROVED = {"outcome": "approved", "digest": "d1", "revokes": None, "hook_id": "1", "recorded_at": "2026-11-24 00:00:00+00",
            "expires_at": "2026-12-24 00:00:00+00"}
SAYS = {"x": APPROVED, "y": APPROVED | {"digest": "d2"}, "anything": APPROVED | {"digest": None},
        "no": APPROVED | {"outcome": "denied"}, "revoked": APPROVED | {"outcome": "denied", "revokes": "1"}, "briefly": APPROVED | {"expires_at": "2026-11-25 00:00:00+00"},
        "of the other hook": APPROVED | {"hook_id": "2"}, "no, by the other hook": APPROVED | {"hook_id": "2", "outcome": "denied"}}


def verdict(n, says, supersedes=None):
    """What a recorder writes, in its order."""
    new = Change("I", VERDICTS, {"id": str(n), "subject": "s", "superseded_by": None, "consumed_at": None} | SAYS[says])
    return ([mark(supersedes, by=n)] if supersedes else []) + [new]


def mark(n, by=None, spent=False):
    row = {"id": str(n), "subject": "s", "superseded_by": by and str(by), "consumed_at": "now" if spent else None}
    return Change("U", VERDICTS, row | APPROVED)


def row(n, content="x", table="shared", kind="I", status=None, day=0):
    row = {"n": str(n), "subject": "s", "content": content, "note": None, "status": status, "day": str(day)}
    return [Change(kind, f"public.{table}", row)]


def spend(n, verdict, content="x", kind="I"):
    return [*row(n, content, "spent", kind), mark(verdict, spent=True)]


FINE = {
    "approved before": [verdict(1, "x"), row(1)],
    "two rows, and an update, by one approval": [verdict(1, "x"), row(1), row(2), row(1, kind="U")],
    "approved in its own transaction": [verdict(1, "no"), verdict(2, "x", 1) + row(1)],
    "denied after": [verdict(1, "x"), row(1), verdict(2, "no", 1)],
    "denied after, in its own transaction": [verdict(1, "x"), row(1) + verdict(2, "no", 1)],
    "other columns updated": [verdict(1, "x"), row(1), verdict(2, "no", 1), row(1, kind="U")],
    "flagged": [verdict(1, "no"), row(1, table="flagged", status="bad"), row(1, "y", table="flagged", kind="U", status="bad")],
    "approved, then the flag taken off": [row(1, table="flagged", status="bad"), verdict(1, "x"), row(1, table="flagged", kind="U")],
    "moved to another partition": [verdict(1, "x"), row(1, table="parts"), verdict(2, "no", 1), row(1, table="parts")],
    "spent": [verdict(1, "x"), spend(1, 1), verdict(2, "x", 1), spend(2, 2)],
    "spent, then shared": [verdict(1, "x"), spend(1, 1), row(1)],
    "not expired yet": [verdict(1, "briefly"), row(1)],
    "approved by both hooks": [verdict(1, "x"), verdict(2, "of the other hook"), row(1, table="twice")],
    "denied by a hook that the table has no guard for": [verdict(1, "x"), verdict(2, "no, by the other hook"), row(1)],
    "spent and replaced at once": [verdict(1, "x"), spend(1, 1) + verdict(2, "y", 1) + spend(1, 2, "y", "U")],
}
WRONG = {
    "no verdict": ("stale", [row(1)]),
    "denied": ("stale", [verdict(1, "x"), verdict(2, "no", 1), row(1)]),
    "revoked": ("stale", [verdict(1, "x"), verdict(2, "revoked", 1), row(1)]),
    "approved without content": ("stale", [verdict(1, "anything"), row(1)]),
    "other content approved": ("stale", [verdict(1, "y"), row(1)]),
    "content updated": ("stale", [verdict(1, "x"), row(1), row(1, "y", kind="U")]),
    "denied before, in its own transaction": ("stale", [verdict(1, "x"), verdict(2, "no", 1) + row(1)]),
    "approved only after": ("stale", [row(1) + verdict(1, "x")]),
    "the flag taken off": ("stale", [verdict(1, "no"), row(1, table="flagged", status="bad"), row(1, table="flagged", kind="U")]),
    "always approved, and flagged": ("refused", [verdict(1, "y"), row(1, "y", "flagged", status="bad")]),
    "no lock": ("loose", [verdict(1, "x"), verdict(2, "no", 1), row(1, table="loose")]),
    "expired": ("expired", [verdict(1, "briefly"), row(1, day=2)]),
    "updated after it has expired": ("expired", [verdict(1, "x"), row(1), verdict(2, "briefly", 1), row(1, "y", kind="U"), row(1, kind="U", day=2)]),
    "approved by one hook of two": ("stale", [verdict(1, "x"), row(1, table="twice")]),
    "denied by one hook of two": ("stale", [verdict(1, "x"), verdict(2, "no, by the other hook"), row(1, table="twice")]),
    "spent twice": ("reused", [verdict(1, "x"), spend(1, 1), spend(2, 1)]),
    "spent twice at once": ("reused", [verdict(1, "x"), spend(1, 1) + spend(2, 1)]),
    "not spent": ("unspent", [verdict(1, "x"), row(1, table="spent")]),
    "spent for nothing": ("unspent", [verdict(1, "x"), [mark(1, spent=True)]]),
    "a lower id later": ("order", [verdict(2, "x"), verdict(1, "no", 2)]),
    "nothing superseded": ("chain", [verdict(1, "x"), verdict(2, "no")]),
    "a fork": ("chain", [verdict(1, "x"), verdict(2, "x", 1), verdict(3, "no", 1)]),
}


def replay(history):
    model = Model({"d1": "x", "d2": "y"}, always={"s": "y"}, started=datetime(2026, 11, 24, tzinfo=UTC))
    for n, changes in enumerate(history):
        model.replay(Transaction(n, n, changes))
    return model


@pytest.mark.parametrize("history", FINE.values(), ids=FINE)
def test_what_is_allowed(history):
    model = replay(history)
    assert not model.anomalies, model.examples


@pytest.mark.parametrize(("kind", "history"), WRONG.values(), ids=WRONG)
def test_what_is_an_anomaly(kind, history):
    assert replay(history).anomalies[kind]


def test_an_anomaly_is_shown_with_its_history():
    shown, = replay(WRONG["denied"][1]).examples
    assert [line.split(": ", 1)[1] for line in shown.splitlines()[1:]] == [
        "verdict 1 of h approves x", "verdict 1 superseded by 2", "verdict 2 of h approves None", "row 1 of shared: x"]


def test_the_bytes_of_pgoutput():
    def cells(*values):
        return struct.pack(">H", len(values)) + b"".join(
            b"n" if value is None else b"t" + struct.pack(">I", len(value)) + value for value in values)

    relation = b"R" + struct.pack(">I", 7) + b"public\0shared\0d" + struct.pack(">H", 2) + b"".join(
        flag + name + b"\0" + struct.pack(">Ii", 20, -1) for flag, name in ((b"\1", b"n"), (b"\0", b"subject")))
    messages = [
        b"B" + struct.pack(">QQI", 100, 0, 42), relation,
        b"I" + struct.pack(">I", 7) + b"N" + cells(b"1", None),
        b"U" + struct.pack(">I", 7) + b"K" + cells(b"1", None) + b"N" + cells(b"2", b"s"),
        b"C" + b"\0" + struct.pack(">QQQ", 99, 100, 0)]
    assert list(transactions(messages)) == [Transaction(42, 99, [
        Change("I", "public.shared", {"n": "1", "subject": None}), Change("U", "public.shared", {"n": "2", "subject": "s"})])]
    with pytest.raises(ValueError, match="inside of a transaction"):
        list(transactions(messages[:-1]))
