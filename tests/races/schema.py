"""The tables that the races are about, and what their guards promise."""

from dataclasses import dataclass

VERDICTS = "verdict.verdicts"
FLAG = "bad"
SOFT = ", ".join(f"on_{finding} => '{{0}}'" for finding in ("missing", "denied", "failed", "expired", "altered", "reused", "revoked"))
COLUMNS = "n bigint, subject text, content text, note text DEFAULT 'a', status text, PRIMARY KEY ({})"


@dataclass(frozen=True)
class Table:
    locking: str
    options: str = ""
    weight: int = 10  # how often it is written to
    key: str = "n"
    partitions: tuple = ()  # values of note

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
}


def statements():
    """Makes all that."""
    yield "SELECT verdict.create_hook('h', subject => '/id', fields => '{\"body\": \"/body\"}', valid_for => '30 days')"
    for name, table in TABLES.items():
        yield f"CREATE TABLE {name} ({COLUMNS.format(table.key)})" + (" PARTITION BY LIST (note)" if table.partitions else "")
        for value in table.partitions:
            yield f"CREATE TABLE {name}_{value} PARTITION OF {name} FOR VALUES IN ('{value}')"
        yield (f"SELECT verdict.guard('{name}', 'h', key => 'subject', content => '{{\"body\": \"content\"}}',"
               f" locking => '{table.locking}'{', ' if table.options else ''}{table.options})")
