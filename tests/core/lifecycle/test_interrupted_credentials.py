"""The registration of a credential, interrupted at each of its steps, and done again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dfns_signers import DfnsClient, DfnsSignersError
from dfns_signers.emulator import Emulator
from dfns_signers.lifecycle import credential_registration
from dfns_signers.public_keys import fingerprint, load_public_key
from tests.core.lifecycle.driving import Lifecycle, new_key
from tests.core.lifecycle.killing import killed_after_each_step
from tests.support.exchange import Request
from tests.support.fault_proxy import FaultProxy

# Look, challenge, announcement, assertion, the call itself.
REQUESTS = 5
FAULTS = ("refuse", "cut_request", "cut_after_effect", "cut_answer", "duplicated_request", "html")


class FaultAt:
    """Spoils one request, by its number."""

    def __init__(self, number: int, fault: str) -> None:
        self._number, self._fault = number, fault

    def __call__(self, request: Request) -> str | None:
        return self._fault if request.ordinal == self._number else None


@pytest.fixture
def proxy(emulator: Emulator) -> Iterator[FaultProxy]:
    with FaultProxy(emulator.url) as running:
        yield running


class OneCall:
    """Takes all requests for one call, so that they are numbered."""

    def __call__(self, request: Request) -> tuple[str, str]:
        return "", ""

    def learn(self, request: Request, answer: object) -> None:
        """There is nothing to know."""


def credentials_of_the_key(dfns: DfnsClient) -> list[str]:
    wanted = new_key().fingerprint
    return [
        one["credentialId"]
        for one in dfns.auth.credentials.list()
        if fingerprint(load_public_key(one["publicKey"])) == wanted
    ]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("number", range(REQUESTS))
def test_registration_that_meets_a_fault_at_any_request_is_repeated_without_a_second_one(
    way: str, emulator: Emulator, dfns: DfnsClient, number: int, fault: str
) -> None:
    with FaultProxy(emulator.url, FaultAt(number, fault), labels=OneCall()) as proxy:
        made: list[str] = []
        through_faults = Lifecycle(way, emulator, proxy.url)
        try:
            made.append(through_faults("register_credential", new_key(), name="k").credential_id)
        except DfnsSignersError:
            made += credentials_of_the_key(dfns)

        again = Lifecycle(way, emulator, emulator.url)("register_credential", new_key(), name="k")

        assert proxy.faults[fault] == 1
    assert made in ([], [again.credential_id])
    assert credentials_of_the_key(dfns) == [again.credential_id]


@pytest.mark.parametrize("fault", ["cut_after_effect", "cut_answer", "duplicated_request", "html"])
def test_credential_whose_answer_is_lost_is_found_at_once(
    way: str, emulator: Emulator, dfns: DfnsClient, fault: str
) -> None:
    with FaultProxy(emulator.url, FaultAt(REQUESTS - 1, fault), labels=OneCall()) as proxy:
        made = Lifecycle(way, emulator, proxy.url)("register_credential", new_key(), name="k")

    assert made.is_new
    assert credentials_of_the_key(dfns) == [made.credential_id]


def test_registration_that_is_killed_after_any_step_is_repeated_without_a_second_one(
    emulator: Emulator, dfns: DfnsClient
) -> None:
    for steps in killed_after_each_step(lambda: credential_registration(new_key(), dfns, name="k")):
        again = Lifecycle("blocking", emulator, emulator.url)(
            "register_credential", new_key(), name="k"
        )

        assert credentials_of_the_key(dfns) == [again.credential_id], f"killed after {steps}"
        dfns.delete(f"/auth/credentials/{again.credential_uuid}")
