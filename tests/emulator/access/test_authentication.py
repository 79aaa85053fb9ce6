from __future__ import annotations

import base64
import json

import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.emulator.access.permissions import FULL_ACCESS
from tests.emulator.caller import Caller, answered, refused
from tests.emulator.conftest import Clock
from tests.emulator.keys import pem, private_key


def test_call_with_the_right_token_is_answered(caller: Caller) -> None:
    assert answered(caller.get("/wallets")) == {"items": []}


def test_scheme_in_lower_case_is_accepted(caller: Caller) -> None:
    headers = {"Authorization": f"bearer {caller.token}"}

    answered(caller.send("GET", "/wallets", headers=headers))


@pytest.mark.parametrize("path", ["/auth/action/init", "/auth/action"])
def test_signing_without_authorization_is_refused(caller: Caller, path: str) -> None:
    refused(caller.http.post(path), 401, "token.missing")


@pytest.mark.parametrize("value", ["{}", "Basic {}", "Bearer  {}", "Bearer {}, Bearer {}"])
def test_malformed_authorization_with_the_right_token_is_refused(
    caller: Caller, value: str
) -> None:
    headers = {"Authorization": value.replace("{}", caller.token)}

    refused(caller.send("GET", "/wallets", headers=headers), 401, "token.malformed")


def test_two_authorization_headers_with_the_right_token_are_refused(caller: Caller) -> None:
    header = ("Authorization", f"Bearer {caller.token}")

    response = caller.http.get("/wallets", headers=[header, header])

    refused(response, 401, "token.malformed")


def test_token_of_another_user_works_after_a_user_is_disabled(
    emulator: Emulator, stranger: Caller
) -> None:
    emulator.disable_identity(emulator.user_id)

    answered(stranger.get("/wallets"))


def test_personal_token_of_a_disabled_user_is_refused(emulator: Emulator, caller: Caller) -> None:
    body = {"name": "ci", "publicKey": pem(private_key("p256")), "permissionId": FULL_ACCESS}
    caller.token = caller.create("/auth/pats", body)["accessToken"]
    answered(caller.get("/wallets"))

    emulator.disable_identity(emulator.user_id)

    refused(caller.get("/wallets"), 401, "token.user")


def test_expiring_token_is_accepted_until_it_expires_and_refused_then(
    caller: Caller, clock: Clock
) -> None:
    body = {"name": "ci", "publicKey": pem(private_key("p256")), "secondsValid": 60}
    caller.token = caller.create("/auth/pats", {**body, "permissionId": FULL_ACCESS})["accessToken"]

    clock.now += 59.9
    answered(caller.get("/wallets"))

    clock.now += 0.1
    refused(caller.get("/wallets"), 401, "token.expired")


def test_generated_token_has_the_claims_of_dfns_tokens(emulator: Emulator) -> None:
    header, claims, signature = emulator.auth_token.split(".")

    decoded = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    assert header
    assert signature
    assert decoded["sub"] == emulator.org_id
    assert decoded["https://custom/username"] == "emulator-user"
    metadata = decoded["https://custom/app_metadata"]
    assert metadata["orgId"] == emulator.org_id
    assert metadata["userId"] == emulator.user_id
    assert metadata["tokenKind"] == "Token"


def test_given_token_is_accepted_as_it_is() -> None:
    with Emulator(token="my-token") as emulator:
        assert emulator.auth_token == "my-token"
        with Caller(emulator.url, "my-token", "", private_key("ed25519")) as caller:
            answered(caller.get("/wallets"))


def test_unknown_token_in_the_error_text_is_not_repeated(caller: Caller) -> None:
    caller.token = "c2VjcmV0LXRva2Vu"

    response = caller.get("/wallets")

    refused(response, 401, "token.unknown")
    assert "c2VjcmV0LXRva2Vu" not in response.text
