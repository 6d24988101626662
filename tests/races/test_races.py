"""The short form of the races. The full one is `make test-races`."""

import os
import random

import pytest

from .race import CONF, LEVELS, WEAKNESSES, Knobs, Race

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


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("weaken", WEAKNESSES)
def test_a_weakened_protocol_is_noticed(races, level, weaken, seed):
    with Race(races, Knobs(level, weaken, seed)) as race:
        assert race.until(lambda anomalies: anomalies[WEAKNESSES[weaken]], AT_MOST), race.report()
