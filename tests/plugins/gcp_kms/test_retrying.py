"""How often, and how long: one policy for the blocking and the asyncio client."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from typing import Any

import pytest
from google.api_core.exceptions import GoogleAPICallError, NotFound, ServiceUnavailable
from hypothesis import given
from hypothesis import strategies as st

from cloud_kms_emulator import CloudKmsEmulator, Fault
from dfns_signers.errors import KeyStoreUnavailableError
from dfns_signers_gcp_kms.retrying import RetryPolicy, ask
from dfns_signers_gcp_kms.steps import Pause, Request, Steps
from tests.plugins.gcp_kms.conftest import QUICK, OpenKey

POLICY = RetryPolicy(timeout=10.0, max_attempts=5, first_pause=1.0)


class Failing:
    """Stands for a service whose requests fail after a while each, on a clock of its own."""

    def __init__(self, seconds: float, error: GoogleAPICallError) -> None:
        self.now = 0.0
        self.timeouts: list[float] = []
        self.pauses: list[float] = []
        self._seconds = seconds
        self._error = error

    def answer(self, steps: Steps[Any]) -> None:
        step = next(steps)
        while True:
            if isinstance(step, Pause):
                self.pauses.append(step.seconds)
                self.now += step.seconds
                step = steps.send(None)
            else:
                assert isinstance(step, Request)
                self.timeouts.append(step.timeout)
                self.now += self._seconds
                step = steps.throw(self._error)


def unavailable() -> GoogleAPICallError:
    return ServiceUnavailable("down")  # type: ignore[no-untyped-call]


def test_request_is_repeated_up_to_the_limit() -> None:
    service = Failing(0.0, unavailable())

    with pytest.raises(ServiceUnavailable):
        service.answer(ask(replace(POLICY, timeout=1e6, clock=lambda: service.now), "m", {}))

    assert len(service.timeouts) == 5
    assert len(service.pauses) == 4


def test_request_that_cannot_succeed_later_is_sent_once() -> None:
    service = Failing(0.0, NotFound("no"))  # type: ignore[no-untyped-call]

    with pytest.raises(NotFound):
        service.answer(ask(replace(POLICY, clock=lambda: service.now), "m", {}))

    assert len(service.timeouts) == 1


@given(
    seconds=st.floats(0, 20),
    timeout=st.floats(0.1, 60),
    attempts=st.integers(1, 20),
    first_pause=st.floats(0, 3),
)
def test_no_request_is_sent_and_no_pause_made_past_the_deadline(
    seconds: float, timeout: float, attempts: int, first_pause: float
) -> None:
    service = Failing(seconds, unavailable())
    policy = RetryPolicy(timeout, attempts, first_pause=first_pause, clock=lambda: service.now)

    with pytest.raises(ServiceUnavailable):
        service.answer(ask(policy, "m", {}))

    started = service.now - seconds
    assert started < timeout
    assert 1 <= len(service.timeouts) <= attempts
    assert all(0 < given_time <= timeout for given_time in service.timeouts)


@given(first=st.floats(0.01, 10))
def test_pauses_grow_to_a_limit_and_vary_by_a_half(first: float) -> None:
    pauses = itertools.islice(RetryPolicy(first_pause=first).pauses(), 40)

    for number, pause in enumerate(pauses):
        longest = min(first * 2**number, 5.0)
        assert longest / 2 <= pause <= longest


@pytest.mark.parametrize("driver", ["sync", "async"])
def test_call_that_hangs_ends_at_the_timeout(
    driver: str, cloud_kms: CloudKmsEmulator, version: str, open_key: OpenKey
) -> None:
    key = open_key(version, replace(QUICK, timeout=0.3))
    cloud_kms.faults.add(*[Fault("AsymmetricSign", delay=300.0)] * 5)

    with pytest.raises(KeyStoreUnavailableError, match="did not answer in time"):
        key.sign(b"m") if driver == "sync" else asyncio.run(key.asign(b"m"))


@pytest.mark.parametrize("driver", ["sync", "async"])
def test_evidence_counts_the_requests(
    driver: str, cloud_kms: CloudKmsEmulator, version: str, open_key: OpenKey
) -> None:
    key = open_key(version)
    cloud_kms.faults.add(
        Fault("AsymmetricSign", status="UNAVAILABLE"),
        Fault("AsymmetricSign", status="RESOURCE_EXHAUSTED"),
    )

    made = (
        key.sign_with_evidence(b"m")
        if driver == "sync"
        else asyncio.run(key.asign_with_evidence(b"m"))
    )

    assert made.evidence.attempts == 3
