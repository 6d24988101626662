"""The short form of the races. The full one is `make test-races`."""

import os
import random

import pytest

from .race import CONF, LEVELS, WEAKNESSES, Knobs, Race

pytestmark = pytest.mark.needs("hooks")

OPERATIONS = 6_000  # at each level
AT_MOST = 40_000  # operations without an anomaly of a weakened protocol; 1,000 are nearly always enough


@pytest.fixture(scope="module")
def server(request):
    made = request.config.clusters.make("hooks", CONF)
    yield made
    request.config.clusters.remove(made)


@pytest.fixture
def races(server):
    yield server
    server.clean()


@pytest.fixture(scope="module")
def seed():
    return int(os.environ.get("RACES_SEED") or random.randrange(10**6))


@pytest.mark.parametrize("level", LEVELS)
def test_no_message_rests_on_an_older_approval(races, level, seed):
    with Race(races, Knobs(level, seed=seed)) as race:
        race.run(OPERATIONS)
        assert not race.broken(), race.report()
        # The same operations on a guard that takes no lock: they do meet.
        assert race.until(lambda anomalies: anomalies["loose"], AT_MOST), race.report()


def test_no_promise_is_broken_by_a_crash(request, seed):
    server = request.config.clusters.make("hooks", CONF)
    try:
        with Race(server, Knobs(LEVELS[0], seed=seed)) as race:
            race.run(1_000)
            race.crash(3)
            race.run(1_000)
            assert not race.broken(), race.report()
            assert race.counts["crashes"] == 3
    finally:
        request.config.clusters.remove(server)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("weaken", WEAKNESSES)
def test_a_weakened_protocol_is_noticed(races, level, weaken, seed):
    with Race(races, Knobs(level, weaken, seed)) as race:
        assert race.until(lambda anomalies: anomalies[WEAKNESSES[weaken]], AT_MOST), race.report()
