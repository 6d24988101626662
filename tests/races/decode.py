"""What was committed, in commit order, from the write-ahead log: a logical replication slot with pgoutput, which every tree has."""

import struct
from dataclasses import dataclass, field

from .schema import VERDICTS

SLOT, PUBLICATION = "races", "races"
# Large columns of a verdict say nothing about the order of things.
COLUMNS = ("id", "hook_id", "subject", "outcome", "digest", "revokes", "superseded_by", "consumed_at", "recorded_at",
           "expires_at")


@dataclass
class Change:
    kind: str  # I or U
    table: str
    row: dict  # column → its text, or None


@dataclass
class Transaction:
    xid: int
    commit: int = 0  # where its commit record is
    changes: list = field(default_factory=list)


def start(conn, tables):
    """Everything that commits from now on will be read. `tables` have primary keys."""
    conn.execute(f"CREATE PUBLICATION {PUBLICATION} FOR TABLE {VERDICTS} ({', '.join(COLUMNS)}), {', '.join(tables)}"
                 " WITH (publish_via_partition_root)")
    # Not two_phase: a prepared transaction counts from its COMMIT PREPARED on.
    conn.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (SLOT,))


def committed(conn, after=0):
    """The transactions that have committed since the last call, or, when the slot has gone back in a crash, since the one whose
    commit record is at `after`."""
    conn.execute("CHECKPOINT")  # lets the slot move on: or each call would read the log from the same place again
    messages = conn.execute(
        "SELECT data FROM pg_logical_slot_get_binary_changes(%s, NULL, NULL, 'proto_version', '1', 'publication_names', %s)",
        (SLOT, PUBLICATION), binary=True)
    return [transaction for transaction in transactions(data for (data,) in messages) if transaction.commit > after]


def transactions(messages):
    relations, current = {}, None
    for data in messages:
        kind = chr(data[0])
        if kind == "B":
            current = Transaction(xid=struct.unpack_from(">I", data, 17)[0])
        elif kind == "C":
            current.commit = struct.unpack_from(">Q", data, 2)[0]
            yield current
            current = None
        elif kind == "R":
            oid, table, columns = relation(data)
            relations[oid] = table, columns
        elif kind in "IU":
            table, columns = relations[struct.unpack_from(">I", data, 1)[0]]
            at = 5
            if data[at] in b"KO":  # the old key: the new row has all we need
                _, at = values(data, at + 1)
            if data[at] != ord("N"):
                raise ValueError(f"no new row in {data!r}")
            cells, _ = values(data, at + 1)
            current.changes.append(Change(kind, table, dict(zip(columns, cells, strict=True))))
        elif kind not in "DOY":  # a deleted row is one that goes to another partition
            raise ValueError(f"unexpected message {data!r}")
    if current is not None:
        raise ValueError("the slot ended inside of a transaction")


def relation(data):
    oid = struct.unpack_from(">I", data, 1)[0]
    schema, at = text(data, 5)
    name, at = text(data, at)
    count = struct.unpack_from(">H", data, at + 1)[0]
    at += 3
    columns = []
    for _ in range(count):
        column, at = text(data, at + 1)
        columns.append(column)
        at += 8
    return oid, f"{schema}.{name}", columns


def text(data, at):
    end = data.index(b"\0", at)
    return data[at:end].decode(), end + 1


def values(data, at):
    count = struct.unpack_from(">H", data, at)[0]
    at += 2
    cells = []
    for _ in range(count):
        kind, at = data[at:at + 1], at + 1
        if kind == b"n":
            cells.append(None)
        elif kind == b"t":
            size = struct.unpack_from(">I", data, at)[0]
            cells.append(data[at + 4:at + 4 + size].decode())
            at += 4 + size
        else:  # a TOAST value that was not logged: none of our columns is that long
            raise ValueError(f"a column of kind {kind!r} in {data!r}")
    return cells, at
