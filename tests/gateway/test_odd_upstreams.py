"""Whatever happens between gateway and Dfns, a caller learns what became of its call."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import httpx
import pytest

from dfns_signers.emulator import Emulator
from tests.gateway.running import (
    LISTEN,
    PAYMENTS,
    UPSTREAM_TOKEN,
    client_of,
    configuration,
    served,
)
from tests.support.dfns_requests import CallLabels
from tests.support.exchange import Request
from tests.support.fault_proxy import FaultProxy
from tests.support.faults import QUICK

STEPS: Final = {"/auth/action/init": "init", "/auth/action": "complete", "/wallets": "call"}
LIMITS: Final = "timeout = 0.5\ncall_timeout = 3.0\nmax_retry_after = 1.0"


class Once:
    """The plan of a fault at the first request of a step.

    Attributes:
        requests: that came by.
        has_met_it: whether the fault was met.
    """

    def __init__(self, fault: str, step: str) -> None:
        self._fault = fault
        self._step = step
        self.requests: list[Request] = []
        self.has_met_it = False

    def __call__(self, request: Request) -> str | None:
        self.requests.append(request)
        if self.has_met_it or request.target != self._step or request.method != "POST":
            return None
        self.has_met_it = True
        return self._fault


@dataclass(frozen=True)
class Faulty:
    """A gateway with faults between it and a local Dfns API."""

    proxy: FaultProxy
    caller: httpx.Client
    emulator: Emulator

    def wallets(self) -> list[str]:
        """The names of the wallets that there are."""
        headers = {"Authorization": f"Bearer {UPSTREAM_TOKEN}"}
        answer = httpx.get(f"{self.emulator.url}/wallets", headers=headers, trust_env=False)
        return [wallet["name"] for wallet in answer.json()["items"]]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    with (
        Emulator(exact_payloads=True, page_size=500) as emulator,
        FaultProxy(emulator.url, labels=CallLabels()) as proxy,
    ):
        file = configuration(tmp_path_factory.mktemp("odd"), emulator, LISTEN + PAYMENTS, LIMITS)
        file.write_text(file.read_text().replace(emulator.url, proxy.url))
        with served(file) as urls, client_of(urls[0]) as caller:
            yield Faulty(proxy, caller, emulator)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("fault", QUICK)
def test_call_that_meets_a_fault_is_carried_out_once_at_most_and_its_caller_knows(
    gateway: Faulty, fault: str, step: str
) -> None:
    gateway.proxy.plan = plan = Once(fault, step)

    # On a busy machine a step before it may take longer than its time.
    for number in range(20):
        name = f"call-{fault}-{STEPS[step]}-{number}".replace("_", "-")
        answer = gateway.caller.post("/wallets", json={"network": "EthereumSepolia", "name": name})

        _require_known(answer, gateway.wallets().count(name))
        _require_no_secret(answer, plan.requests)
        if plan.has_met_it:
            break
    else:
        pytest.fail("no call gets to the step")


def _require_known(answer: httpx.Response, effects: int) -> None:
    assert effects <= 1
    if answer.status_code == 200:
        assert effects == 1
    else:
        error = answer.json()["error"]
        is_certain = not error.get("details", {}).get("mayHaveTakenEffect", False)
        assert not (effects and is_certain), answer.text


def _require_no_secret(answer: httpx.Response, requests: list[Request]) -> None:
    shown = answer.text + str(answer.headers)
    assert UPSTREAM_TOKEN not in shown
    for request in requests:
        headers = {name.lower(): value for name, value in request.headers}
        assert headers.get("x-dfns-useraction", UPSTREAM_TOKEN) not in shown
        if request.target == "/auth/action":
            assert json.loads(request.body)["challengeIdentifier"] not in shown
