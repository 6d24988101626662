"""Waiting for something to become true, and statements that wait on a second connection. Tests never sleep."""

import threading
import time

_POLL = 0.005  # seconds


def wait_until(condition, deadline=10, what="the condition holds"):
    """Returns the first true value of condition(); fails when there is none within `deadline` seconds."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline} s in vain until {what}")
        threading.Event().wait(_POLL)


class Background:
    """One statement running on its own connection in a thread.

        waiting = Background(conn, "SELECT …")
        waiting.wait_blocked(observer)        # it is really waiting for a lock
        other.commit()
        rows = waiting.result(deadline=5)     # its rows, or its exception raised here
    """

    def __init__(self, conn, sql, params=None):
        self.conn, self.sql = conn, sql
        self.pid = conn.info.backend_pid
        self._outcome = None
        self._thread = threading.Thread(target=self._run, args=(params,), daemon=True)
        self._thread.start()

    def _run(self, params):
        try:
            cursor = self.conn.execute(self.sql, params)
            self._outcome = (cursor.fetchall() if cursor.description else cursor.rowcount, None)
        except BaseException as error:  # handed to whoever asks for the result
            self._outcome = (None, error)

    @property
    def done(self):
        return self._outcome is not None

    def wait_blocked(self, observer, deadline=10):
        """Until the statement waits for a lock; returns the pids that hold it. `observer`: any idle connection."""
        def blockers():
            if self.done:
                raise AssertionError(f"not blocked, but done with {self._outcome}: {self.sql}")
            return observer.execute("SELECT pg_blocking_pids(%s)", (self.pid,)).fetchone()[0]
        return wait_until(blockers, deadline, f"this waits for a lock: {self.sql}")

    def result(self, deadline=10):
        self._thread.join(deadline)
        if not self.done:
            self.conn.cancel()
            self._thread.join(5)
            raise AssertionError(f"not done within {deadline} s: {self.sql}")
        value, error = self._outcome
        if error is not None:
            raise error
        return value

    def error(self, deadline=10):
        """The exception the statement must have ended with."""
        try:
            value = self.result(deadline)
        except Exception as error:
            if isinstance(error, AssertionError):
                raise
            return error
        raise AssertionError(f"expected an error, got {value!r}: {self.sql}")


def locks_of(observer, pid):
    """What pg_locks says about one server process: a list of (locktype, relation, mode, granted)."""
    return observer.execute(
        "SELECT locktype, relation::regclass::text, mode, granted FROM pg_locks WHERE pid = %s ORDER BY 1, 2, 3, 4",
        (pid,)).fetchall()
