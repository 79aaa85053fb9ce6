from __future__ import annotations

import base64
from typing import Any

import pytest

from dfns_signers.emulator import Emulator
from tests.emulator.caller import Caller, answered, compact, refused
from tests.emulator.conftest import Clock
from tests.emulator.keys import pem, private_key

INIT = "/auth/action/init"
BODY = {
    "userActionPayload": "{}",
    "userActionHttpMethod": "POST",
    "userActionHttpPath": "/wallets",
    "userActionServerKind": "Api",
}


def post(caller: Caller, body: Any) -> Any:
    return caller.send("POST", INIT, compact(body))


def test_challenge_has_every_documented_member(caller: Caller) -> None:
    assert set(answered(post(caller, BODY))) == {
        "challenge",
        "challengeIdentifier",
        "rp",
        "supportedCredentialKinds",
        "userVerification",
        "attestation",
        "allowCredentials",
        "externalAuthenticationUrl",
    }


def test_challenge_is_base64url_text_of_a_challenge_id(caller: Caller) -> None:
    challenge = caller.challenge()["challenge"]

    assert "=" not in challenge
    assert base64.urlsafe_b64decode(challenge + "==").startswith(b"ch-")


def test_two_challenges_differ(caller: Caller) -> None:
    first, second = caller.challenge(), caller.challenge()

    assert first["challenge"] != second["challenge"]
    assert first["challengeIdentifier"] != second["challengeIdentifier"]


def test_challenge_identifier_names_its_expiry(caller: Caller, clock: Clock) -> None:
    claims = caller.challenge()["challengeIdentifier"].split(".")[1]

    decoded = base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4))
    assert f'"exp": {int(clock.now) + 300}'.encode() in decoded


def test_server_kind_may_be_left_out(caller: Caller) -> None:
    answered(post(caller, {name: BODY[name] for name in list(BODY)[:3]}))


def test_allowed_credentials_are_the_active_ones_by_kind(
    emulator: Emulator, caller: Caller, stranger: Caller
) -> None:
    emulator.register(pem(private_key("p256")), "cr-password", kind="PasswordProtectedKey")
    emulator.register(pem(private_key("p256")), "cr-passkey", kind="Fido2")
    emulator.register(pem(private_key("p256")), "cr-disabled")
    emulator.disable_credential("cr-disabled")

    allowed = caller.challenge()["allowCredentials"]

    assert allowed["key"] == [{"type": "public-key", "id": "cr-first"}]
    assert allowed["webauthn"] == [{"type": "public-key", "id": "cr-passkey"}]
    (protected,) = allowed["passwordProtectedKey"]
    assert protected["id"] == "cr-password"
    assert protected["encryptedPrivateKey"]


def test_supported_kinds_name_which_requires_a_second_factor(
    emulator: Emulator, caller: Caller
) -> None:
    emulator.register(pem(private_key("p256")), kind="Fido2", requires_second_factor=True)

    kinds = caller.challenge()["supportedCredentialKinds"]

    assert kinds == [
        {"kind": "Key", "factor": "either", "requiresSecondFactor": False},
        {"kind": "Fido2", "factor": "either", "requiresSecondFactor": True},
    ]


@pytest.mark.parametrize("name", list(BODY)[:3])
def test_missing_member_is_refused_by_name(caller: Caller, name: str) -> None:
    body = {key: value for key, value in BODY.items() if key != name}

    error = refused(post(caller, body), 400, "field.missing")
    assert error["details"]["field"] == name


@pytest.mark.parametrize("name", list(BODY))
@pytest.mark.parametrize("value", [None, 1, {}, ["POST"]])
def test_member_that_is_not_a_string_is_refused_by_name(
    caller: Caller, name: str, value: Any
) -> None:
    error = refused(post(caller, {**BODY, name: value}), 400, "field.value")
    assert error["details"]["field"] == name


@pytest.mark.parametrize("method", ["PATCH", "post", "HEAD", ""])
def test_other_method_is_refused(caller: Caller, method: str) -> None:
    body = {**BODY, "userActionHttpMethod": method}

    error = refused(post(caller, body), 400, "field.value", '"POST" or "PUT" or "DELETE" or "GET"')
    assert error["details"]["field"] == "userActionHttpMethod"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "GET"])
def test_documented_method_is_accepted(caller: Caller, method: str) -> None:
    answered(post(caller, {**BODY, "userActionHttpMethod": method}))


@pytest.mark.parametrize(
    "path", ["wallets", "", "https://api.dfns.io/wallets", "//api.dfns.io/wallets", " /wallets"]
)
def test_path_that_is_more_or_less_than_a_path_is_refused(caller: Caller, path: str) -> None:
    error = refused(post(caller, {**BODY, "userActionHttpPath": path}), 400, "field.value")
    assert error["details"]["field"] == "userActionHttpPath"
    assert "no scheme, host or prefix" in error["message"]


@pytest.mark.parametrize("body", [[], "text", None, 1])
def test_body_that_is_not_an_object_is_refused(caller: Caller, body: Any) -> None:
    error = refused(post(caller, body), 400, "field.value")
    assert error["details"]["field"] == "body"
