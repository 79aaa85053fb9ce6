"""Attacks of section "caller to gateway" on callers that sign, over real connections.

None of them is heard of by the API.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import httpx
import pytest

from tests.core.keys import public_pem, stranger
from tests.emulator.caller import Caller, answered, compact
from tests.gateway.running import LISTEN, RunningGateway, running_gateway
from tests.gateway.user_actions.signing_callers import (
    CALLER_KEY,
    CREDENTIAL,
    WALLETS,
    by_hand,
    signing_caller,
)

CREATE = {"network": "EthereumSepolia", "name": "one"}
PAYLOAD = compact(CREATE)
OTHER_TOKEN = "token-of-another-caller"  # of a test
RULES = (
    WALLETS
    + """
[[gateway.callers.payments.allow]]
name = "tags"
call = "PUT /wallets/{walletId}/tags"
escalates = true
members = "any"

[[gateway.callers.payments.allow]]
name = "untag"
call = "DELETE /wallets/{walletId}/tags"
escalates = true
members = "any"
"""
)
CREATION = ("POST", "/wallets")
TAGS = "/wallets/wa-1/tags"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    folder = tmp_path_factory.mktemp("gateway")
    with running_gateway(folder, LISTEN + signing_caller(folder, RULES)) as running:
        yield running


@pytest.fixture
def sdk(gateway: RunningGateway) -> Iterator[Caller]:
    with by_hand(gateway) as caller:
        yield caller


@pytest.fixture
def unheard(gateway: RunningGateway) -> Iterator[None]:
    """The API hears nothing of what a test sends."""
    before = len(gateway.emulator.requests)
    yield
    assert len(gateway.emulator.requests) == before


def create(sdk: Caller, user_action: str | None) -> httpx.Response:
    return sdk.send("POST", "/wallets", PAYLOAD, user_action=user_action)


def refused(answer: httpx.Response) -> tuple[int, str]:
    found: dict[str, Any] = answer.json()["error"]
    assert found["status"] == answer.status_code
    assert found["message"]
    return answer.status_code, found["details"]["gateway"]


def test_call_that_is_announced_signed_and_sent_unchanged_succeeds(sdk: Caller) -> None:
    answer = create(sdk, sdk.user_action("POST", "/wallets", PAYLOAD.decode()))

    assert answered(answer)["name"] == "one"


@pytest.mark.usefixtures("unheard")
def test_stolen_bearer_signs_nothing_without_the_key(sdk: Caller, gateway: RunningGateway) -> None:
    assert refused(create(sdk, None)) == (403, "user-action-missing")

    with by_hand(gateway, key=stranger("ES256")) as thief:
        challenge = thief.challenge("POST", "/wallets", PAYLOAD.decode())
        answer = thief.complete(challenge, thief.factor(challenge))

    assert refused(answer) == (401, "signature")


def test_user_action_is_not_replayed(sdk: Caller, gateway: RunningGateway) -> None:
    action = sdk.user_action("POST", "/wallets", PAYLOAD.decode())
    answered(create(sdk, action))
    before = len(gateway.emulator.requests)

    assert refused(create(sdk, action)) == (403, "user-action-used")
    assert len(gateway.emulator.requests) == before


def test_user_action_that_is_used_by_many_at_once_is_used_once(
    sdk: Caller, gateway: RunningGateway
) -> None:
    action = sdk.user_action("POST", "/wallets", PAYLOAD.decode())
    start = Barrier(20)

    def use(_number: int) -> int:
        start.wait()
        with by_hand(gateway) as one:
            return create(one, action).status_code

    with ThreadPoolExecutor(20) as threads:
        statuses = sorted(threads.map(use, range(20)))

    assert statuses == [200] + [403] * 19


def test_challenge_that_is_answered_by_many_at_once_is_answered_once(
    sdk: Caller, gateway: RunningGateway
) -> None:
    challenge = sdk.challenge("POST", "/wallets", PAYLOAD.decode())
    factor = sdk.factor(challenge)
    start = Barrier(20)

    def complete(_number: int) -> int:
        start.wait()
        with by_hand(gateway) as one:
            return one.complete(challenge, factor).status_code

    with ThreadPoolExecutor(20) as threads:
        statuses = sorted(threads.map(complete, range(20)))

    assert statuses == [200] + [400] * 19


@pytest.mark.usefixtures("unheard")
def test_challenge_is_not_replayed(sdk: Caller) -> None:
    challenge = sdk.challenge("POST", "/wallets", PAYLOAD.decode())
    factor = sdk.factor(challenge)
    answered(sdk.complete(challenge, factor))

    assert refused(sdk.complete(challenge, factor)) == (400, "challenge-used")


@pytest.mark.usefixtures("unheard")
@pytest.mark.parametrize(
    ("signed", "sent", "body"),
    [
        (CREATION, CREATION, PAYLOAD.replace(b"one", b"two")),
        (CREATION, CREATION, PAYLOAD.replace(b"}", b',"tags":["a"]}')),
        (CREATION, CREATION, b""),
        (("PUT", TAGS), ("DELETE", TAGS), PAYLOAD),
        (("PUT", TAGS), ("PUT", TAGS.replace("wa-1", "wa-2")), PAYLOAD),
    ],
    ids=["a value", "a member more", "no body", "method", "path"],
)
def test_call_that_was_changed_after_it_was_signed_is_refused(
    sdk: Caller, signed: tuple[str, str], sent: tuple[str, str], body: bytes
) -> None:
    action = sdk.user_action(*signed, PAYLOAD.decode())

    answer = sdk.send(*sent, body, user_action=action)

    assert refused(answer) == (403, "user-action-call")


@pytest.mark.usefixtures("unheard")
def test_user_action_that_the_caller_brings_from_elsewhere_is_refused(sdk: Caller) -> None:
    assert refused(create(sdk, "eyJhbGciOiJFUzI1NiJ9.e30.c2ln")) == (403, "user-action")


def test_user_action_of_the_api_itself_is_refused(sdk: Caller, gateway: RunningGateway) -> None:
    emulator = gateway.emulator
    emulator.register(public_pem(CALLER_KEY.public_key()), CREDENTIAL)
    with Caller(emulator.url, emulator.auth_token, CREDENTIAL, sdk.key) as direct:
        action = direct.user_action("POST", "/wallets", PAYLOAD.decode())

    assert refused(create(sdk, action)) == (403, "user-action")


@pytest.mark.usefixtures("unheard")
def test_call_that_no_rule_allows_has_no_challenge(sdk: Caller) -> None:
    assert refused(sdk.init("POST", "/keys", "{}")) == (403, "no-rule")


@pytest.mark.usefixtures("unheard")
def test_ledger_cannot_be_filled_with_challenges_that_nobody_answers(sdk: Caller) -> None:
    first = sdk.challenge("POST", "/wallets", PAYLOAD.decode())
    for _ in range(1_100):
        sdk.challenge("POST", "/wallets", PAYLOAD.decode())

    assert answered(sdk.complete(first, sdk.factor(first)))["userAction"]


def test_challenge_is_not_answered_by_another_caller(tmp_path: Path) -> None:
    callers = (
        LISTEN
        + signing_caller(tmp_path)
        + signing_caller(
            tmp_path,
            WALLETS.replace("payments", "reports"),
            "reports",
            OTHER_TOKEN,
            stranger("ES256"),
            "local-reports",
        )
    )
    with (
        running_gateway(tmp_path, callers) as gateway,
        by_hand(gateway) as one,
        by_hand(gateway, OTHER_TOKEN, stranger("ES256")) as other,
    ):
        challenge = one.challenge("POST", "/wallets", PAYLOAD.decode())
        action = one.user_action("POST", "/wallets", PAYLOAD.decode())

        assert refused(other.complete(challenge, one.factor(challenge))) == (400, "challenge")
        assert refused(other.complete(challenge, other.factor(challenge))) == (400, "challenge")
        assert refused(create(other, action)) == (403, "user-action")
        assert len(gateway.emulator.requests) == 0


def test_caller_that_the_gateway_signs_for_brings_no_user_action(tmp_path: Path) -> None:
    with running_gateway(tmp_path) as gateway, by_hand(gateway) as plain:
        answer = create(plain, "eyJhbGciOiJFUzI1NiJ9.e30.c2ln")
        assert refused(answer) == (403, "foreign-user-action")
        assert refused(plain.init("POST", "/wallets")) == (403, "no-credential")
        assert len(gateway.emulator.requests) == 0
