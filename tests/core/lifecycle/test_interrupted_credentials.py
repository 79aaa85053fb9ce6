"""The registration of a credential, interrupted at each of its steps, and done again."""

from __future__ import annotations

import pytest

from dfns_signers import DfnsClient, DfnsSignersError
from dfns_signers.emulator import Emulator
from dfns_signers.errors import UnexpectedResponseError
from dfns_signers.lifecycle.registrations import credential_registration
from dfns_signers.public_keys import fingerprint, load_public_key
from tests.core.lifecycle.driving import Lifecycle, new_key
from tests.core.lifecycle.killing import killed_after_each_step
from tests.core.lifecycle.spoiling import FAULTS, LOSING_THE_ANSWER, spoiled

# Look, challenge, announcement, assertion, the call itself.
REQUESTS = 5


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
    with spoiled(emulator, number, fault) as proxy:
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


@pytest.mark.parametrize("fault", LOSING_THE_ANSWER)
def test_credential_whose_answer_is_lost_is_found_at_once(
    way: str, emulator: Emulator, dfns: DfnsClient, fault: str
) -> None:
    with spoiled(emulator, REQUESTS - 1, fault) as proxy:
        made = Lifecycle(way, emulator, proxy.url)("register_credential", new_key(), name="k")

    assert made.is_new
    assert credentials_of_the_key(dfns) == [made.credential_id]


def test_error_of_the_call_is_raised_where_looking_after_it_fails_too(
    way: str, emulator: Emulator
) -> None:
    with (
        spoiled(emulator, REQUESTS - 1, "html", all_after=True) as proxy,
        pytest.raises(UnexpectedResponseError, match="POST /auth/credentials"),
    ):
        Lifecycle(way, emulator, proxy.url)("register_credential", new_key(), name="k")


def test_registration_that_is_killed_after_any_step_is_repeated_without_a_second_one(
    emulator: Emulator, dfns: DfnsClient
) -> None:
    for steps in killed_after_each_step(lambda: credential_registration(new_key(), dfns, name="k")):
        again = Lifecycle("blocking", emulator, emulator.url)(
            "register_credential", new_key(), name="k"
        )

        assert credentials_of_the_key(dfns) == [again.credential_id], f"killed after {steps}"
        dfns.delete(f"/auth/credentials/{again.credential_uuid}")
