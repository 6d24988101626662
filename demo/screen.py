"""What the demo prints, and how it checks what it expects."""

import sys
import unicodedata


def say(text=""):
    print(text, flush=True)


def expect(what, actual, expected):
    if actual != expected:
        sys.exit(f"DEMO FAILED: {what}: expected {expected!r}, got {actual!r}")


def expect_refused(what, error, sqlstate):
    expect(what, error and error.sqlstate, sqlstate)
    say(f"  {what}: refused\n    ERROR: {error.diag.message_primary}")


def statement(db, text):
    say(f"  {text}")
    db.execute(text)


def wide(text):
    return sum(1 + (unicodedata.east_asian_width(char) in "WF") for char in text)


def show(db, query, args=()):
    cursor = db.execute(query, args)
    rows = [["" if value is None else str(value) for value in row] for row in cursor]
    heads = [column.name for column in cursor.description]
    widths = [max(map(wide, column)) for column in zip(heads, *rows)]
    for row in [heads, ["-" * width for width in widths], *rows]:
        say("  " + "  ".join(value + " " * (width - wide(value)) for value, width in zip(row, widths)).rstrip())
    return rows
