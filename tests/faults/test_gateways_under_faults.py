"""A short run of what ``make soak ARGS=--gateway`` does."""

from __future__ import annotations

import gc
from contextlib import closing

import pytest

from tests.soak.gateways import GatewayRounds
from tests.soak.key_stores import KeyStores

# httpx leaves the socket open that cannot connect to a unix socket, as that of an ended gateway.
pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]


@pytest.mark.parametrize("processes", [1, 2])
def test_calls_through_gateways_under_faults_reloads_and_their_end(processes: int) -> None:
    rounds = GatewayRounds("pem", processes, seed=1, calls=60)
    with closing(KeyStores()) as stores, rounds.started(stores) as gateways:
        gateways.play(0)
        gateways.play(1, ends=True)
        report = gateways.judge()
    gc.collect()  # what is not closed is warned of here, not in another test

    if report.violations:
        pytest.fail(f"{rounds}\n{report.violations}", pytrace=False)
    assert report.faults
    assert report.succeeded
