"""What the races have stored goes on to a subscriber, whose guards judge it again: in commit order, so that they must find nothing."""

import random

from harness.replication import CONF as REPLICATION
from harness.replication import Pair

from . import schema
from .race import CONF, LEVELS, Knobs, Race

# What bears a flag was not approved, and where no lock is taken nothing is promised.
JUDGED = [name for name, table in schema.TABLES.items() if table.promises and name != "flagged"]
# A row that moves to another partition arrives as a new one, and is judged as that.
ARRIVE_ANEW = {f"public.{name}" for name in JUDGED if schema.TABLES[name].partitions}


def test_a_subscriber_finds_what_the_publisher_found(request):
    clusters = request.config.clusters
    made = [clusters.make(kind, CONF | REPLICATION) for kind in ("hooks", "plain")]
    try:
        with Race(made[0], Knobs(LEVELS[0], seed=random.randrange(10**6))) as race:
            pair = Pair(*made, publisher_db=race.dbname)
            try:
                follow(pair)
                race.run(4_000)
                assert not race.broken(), race.report()
                pair.wait()
                compare(pair)
            finally:
                pair.close()
    finally:
        for cluster in made:
            clusters.remove(cluster)


def follow(pair):
    """As the runbook says: what verdicts need first, then the verdicts, then the messages."""
    pair.pub.execute(f"""
        CREATE PUBLICATION verdict_first FOR TABLE verdict.hooks, verdict.leaves WITH (publish = 'insert, update');
        CREATE PUBLICATION verdicts FOR TABLE verdict.verdicts WITH (publish = 'insert, update', publish_via_partition_root);
        CREATE PUBLICATION messages FOR TABLE {', '.join(JUDGED)} WITH (publish_via_partition_root)""")
    # On the publisher the column's default reads a setting that this build does not have.
    for statement in schema.statements():
        if statement.startswith("CREATE TABLE"):
            pair.sub.execute(statement.replace("DEFAULT current_setting('verdict.test_days_ahead')::int", ""))
    pair.subscribe("verdict_first")
    for publication in ("verdicts", "messages"):
        pair.sub.execute(f"ALTER SUBSCRIPTION s ADD PUBLICATION {publication}")
        pair.wait()
    for statement in schema.statements():
        if any(f"verdict.guard('{name}'" in statement for name in JUDGED):
            pair.sub.execute(statement)


def compare(pair):
    for name in JUDGED:
        assert pair.rows(name, "n, subject, content, note"), f"the races have stored nothing in {name}"
    marks = "SELECT id, superseded_by, consumed_at FROM verdict.verdicts"
    kept = set(pair.pub.execute(marks).fetchall())
    # The subscriber retires its leaves itself, and has not.
    assert kept and kept <= set(pair.sub.execute(marks).fetchall())
    assert [incident for incident in pair.incidents() if incident[0] not in ARRIVE_ANEW] == []
