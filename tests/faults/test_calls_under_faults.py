"""Nothing lost, nothing twice, nobody else's answer: a short run of what ``make soak`` does."""

from __future__ import annotations

import gc

import pytest

from dfns_signers import KeySigner
from tests.soak.rounds import DRIVERS, Round

# trio warns of the generators that httpx leaves unfinished when an answer breaks.
pytestmark = pytest.mark.filterwarnings("ignore:Async generator 'http:ResourceWarning")

CALLS = 40
FORKED_CALLS = 17  # one before the fork, and four in each child, one after the other
BOTH_KINDS = ("sync_threads", "asyncio_tasks")


def assert_ends_well(round_: Round, signer: KeySigner) -> None:
    report = round_.play(signer)

    gc.collect()  # what is not closed is warned of here, not in another test
    if report.violations:
        pytest.fail(f"{report.violations}\nrepeat with: {round_.command}", pytrace=False)
    assert report.faults
    assert report.calls


@pytest.mark.parametrize("driver", BOTH_KINDS)
def test_every_fault_at_every_step(driver: str, signer: KeySigner) -> None:
    assert_ends_well(Round(driver, seed=0, calls=None), signer)


@pytest.mark.parametrize("driver", [name for name in DRIVERS if name not in BOTH_KINDS])
def test_faults_at_any_request(driver: str, signer: KeySigner) -> None:
    calls = FORKED_CALLS if driver == "forked" else CALLS
    assert_ends_well(Round(driver, seed=1, calls=calls), signer)
