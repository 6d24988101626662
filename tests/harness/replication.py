"""A publisher and a subscriber: two servers, one database on each, and waiting until what was written here is there."""

from .waiting import wait_until

CONF = {"logical_decoding_work_mem": "'64kB'", "wal_retrieve_retry_interval": "'100ms'", "max_replication_slots": 30,
        "max_wal_senders": 30, "max_logical_replication_workers": 30, "max_sync_workers_per_subscription": 4,
        "max_worker_processes": 60}


class Pair:
    """A database on each of two servers, with the extension on both. `publisher_db`: one that is there."""

    def __init__(self, publisher, subscriber, publisher_db=None):
        self.servers = publisher, subscriber
        self.names = [publisher_db or publisher.fresh_db(), subscriber.fresh_db()]
        self.pub, self.sub = (server.connect(name) for server, name in zip(self.servers, self.names))
        self._mark = subscriber.log_mark()
        self._subscriptions = []

    def both(self, sql):
        self.pub.execute(sql)
        self.sub.execute(sql)

    def client(self, **kw):
        """Another session on the subscriber."""
        return self.servers[1].connect(self.names[1], **kw)

    def subscribe(self, publications, name="s", may_retry=False, **options):
        """CREATE SUBSCRIPTION, and the initial copy awaited. `may_retry`: as in `wait`."""
        conninfo = self.servers[0].conninfo(self.names[0])
        given = "".join(f", {option} = {value}" for option, value in options.items())
        self._subscriptions.append(name)
        # The slot by hand: its name is one for the whole server.
        slot = f"{name[:40]}_{self.names[0]}"
        self.sub.execute(f"CREATE SUBSCRIPTION {name} CONNECTION '{conninfo}' PUBLICATION {publications}"
                         f" WITH (slot_name = '{slot}'{given})")
        self.wait(name, may_retry)

    def wait(self, name=None, may_retry=False):
        """Until all that is committed on the publisher has been applied, the initial copy too. `may_retry`: an error that a worker
        has met and overcome is none."""
        failed = (lambda: False) if may_retry else self.failed
        wait_until(lambda: failed() or self._one(self.sub, "SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel"), 60,
                   "the initial copy is done")
        lsn = self._one(self.pub, "SELECT pg_current_wal_insert_lsn()::text")
        for name in [name] if name else self._subscriptions:
            wait_until(lambda: failed() or self.pub.execute(
                "SELECT FROM pg_stat_replication WHERE application_name = %s AND replay_lsn >= %s", (name, lsn)).fetchone() is not None,
                60, f"subscription {name} has applied {lsn}")
        assert not failed(), self.log()

    def forget_log(self):
        """What workers have met up to now is not looked at any more."""
        self._mark = self.servers[1].log_mark()

    def failed(self):
        """Whether a worker of the subscriber has met an error: it would start again, and meet it again."""
        return "ERROR:" in self.log() or "PANIC" in self.log()

    def log(self):
        """The subscriber's log from the beginning (or the last forget_log()), without what client sessions were told."""
        lines = self.servers[1].log(self._mark).splitlines()
        # A worker that starts while its predecessor still ends says "already active"; that is PostgreSQL's own, and passes.
        return "\n".join(line for line in lines if f"@{self.names[1]} " not in line and "is already active for PID" not in line)

    def rows(self, table, columns="*"):
        """The same rows on both sides: those."""
        query = f"SELECT {columns} FROM {table} ORDER BY 1"
        here, there = self.pub.execute(query).fetchall(), self.sub.execute(query).fetchall()
        assert here == there
        return here

    def incidents(self):
        """The subscriber's incidents: (relation, subject, finding, done, path)."""
        return self.sub.execute("SELECT relation, subject, finding, done, path FROM verdict.incidents ORDER BY relation, id").fetchall()

    def close(self):
        for name in self._subscriptions:
            self.sub.execute(f"DROP SUBSCRIPTION IF EXISTS {name}")
        self.pub.close()
        self.sub.close()

    @staticmethod
    def _one(conn, sql):
        return conn.execute(sql).fetchone()[0]
