"""One-time codes, with which a user registers a credential where there is no token."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.emulator.caller import Caller, answered, refused
from tests.emulator.conftest import Clock
from tests.emulator.end_users import key_credential
from tests.emulator.flows import Json, begin_registration
from tests.emulator.keys import pem, private_key

PATH = "/auth/credentials/code"
NEW = private_key("p256", 67)


def code(caller: Caller, expiration: Any) -> str:
    made: str = caller.create(PATH, {"expiration": expiration})["code"]
    return made


def begin(caller: Caller, made: str, kind: str = "Key") -> httpx.Response:
    return caller.http.post(f"{PATH}/init", json={"credentialKind": kind, "code": made})


def body(challenge: Json, credential_id: str = "cr-new") -> Json:
    return {
        **key_credential(challenge, "Key", credential_id, NEW),
        "credentialName": "new laptop",
        "challengeIdentifier": challenge["challengeIdentifier"],
    }


@pytest.mark.parametrize(
    "expiration", [1_800_000_060, "2027-01-15T08:01:00Z", "2027-01-15T08:01:00"]
)
def test_credential_registered_with_a_code_is_of_the_user_who_made_it(
    caller: Caller, expiration: Any
) -> None:
    made = caller.create(PATH, {"expiration": expiration})
    assert made["expiration"] == "2027-01-15T08:01:00.000Z"
    challenge = answered(begin(caller, made["code"]))

    created = answered(caller.http.post(f"{PATH}/verify", json=body(challenge)))

    assert created["publicKey"] == pem(NEW)
    caller.credential_id, caller.key = "cr-new", NEW
    caller.create("/wallets", {"network": "Base"})


def test_code_is_good_for_one_challenge(caller: Caller, clock: Clock) -> None:
    made = code(caller, clock.now + 60)
    answered(begin(caller, made))

    refused(begin(caller, made), 401, "code")


def test_code_expires(caller: Caller, clock: Clock) -> None:
    made = code(caller, clock.now + 60)
    clock.now += 60

    refused(begin(caller, made), 401, "code")


@pytest.mark.parametrize("expiration", [1_800_000_000, "2027-01-15T07:59:59Z", "tomorrow", 1e300])
def test_expiration_that_is_past_or_no_date_is_refused(caller: Caller, expiration: Any) -> None:
    response = caller.call("POST", PATH, {"expiration": expiration})

    assert refused(response, 400, "field.value")["details"]["field"] == "expiration"


def test_challenge_of_a_code_is_not_one_of_a_token_nor_the_reverse(
    caller: Caller, clock: Clock
) -> None:
    with_code = answered(begin(caller, code(caller, clock.now + 60)))
    with_token = begin_registration(caller)

    verified = caller.http.post(f"{PATH}/verify", json=body(with_token))
    created = caller.call("POST", "/auth/credentials", body(with_code))

    refused(verified, 400, "challenge.foreign")
    refused(created, 400, "challenge.foreign")


def test_service_account_makes_no_code(caller: Caller, clock: Clock) -> None:
    key = private_key("ed25519", 68)
    made = caller.create("/auth/service-accounts", {"name": "robot", "publicKey": pem(key)})
    (token,) = made["accessTokens"]
    with Caller(caller.url, token["accessToken"], token["credId"], key) as robot:
        response = robot.call("POST", PATH, {"expiration": clock.now + 60})

    refused(response, 403, "token.session")
