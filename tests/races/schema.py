"""The tables that the races are about, and what their guards promise."""

from dataclasses import dataclass

VERDICTS = "verdict.verdicts"
FLAG = "bad"
SOFT = ", ".join(f"on_{finding} => '{{0}}'" for finding in ("missing", "denied", "failed", "expired", "altered", "reused", "revoked"))
# day: how far the session's clock was ahead when the row was judged
COLUMNS = ("n bigint, subject text, content text, note text DEFAULT 'a', status text,"
           " day int DEFAULT current_setting('verdict.test_days_ahead')::int, PRIMARY KEY ({})")
HOOKS = ("h", "other")
LASTS = 90  # days that a verdict decides something; the short ones do for SHORT
SHORT = 1


@dataclass(frozen=True)
class Table:
    locking: str
    options: str = ""
    weight: int = 10  # how often it is written to
    key: str = "n"
    partitions: tuple = ()  # values of note
    hooks: tuple = HOOKS[:1]  # each has a guard

    @property
    def promises(self):
        return self.locking != "none"


TABLES = {
    "shared": Table("share", weight=35),
    "spent": Table("consume", weight=22),
    "loose": Table("none", weight=13),  # promises nothing
    "flagged": Table("share", SOFT.format("flag") + f", flag_column => 'status', flag_value => '{FLAG}'"),
    "held": Table("share", SOFT.format("quarantine")),
    "parts": Table("share", key="n, note", partitions=("a", "b")),
    "twice": Table("share", hooks=HOOKS),
}


def statements():
    """Makes all that."""
    for hook in HOOKS:
        yield (f"SELECT verdict.create_hook('{hook}', subject => '/id', fields => '{{\"body\": \"/body\"}}',"
               f" valid_for => '{LASTS} days')")
    for name, table in TABLES.items():
        yield f"CREATE TABLE {name} ({COLUMNS.format(table.key)})" + (" PARTITION BY LIST (note)" if table.partitions else "")
        for value in table.partitions:
            yield f"CREATE TABLE {name}_{value} PARTITION OF {name} FOR VALUES IN ('{value}')"
        for hook in table.hooks:
            yield (f"SELECT verdict.guard('{name}', '{hook}', key => 'subject', content => '{{\"body\": \"content\"}}',"
                   f" locking => '{table.locking}'{', ' if table.options else ''}{table.options})")
