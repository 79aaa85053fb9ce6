"""Assertions at ``POST /auth/action``: keys, passkeys and second factors."""

from __future__ import annotations

from typing import Any

import pytest

from dfns_signers.emulator import Emulator
from tests.emulator.caller import Caller, answered, b64url, compact, refused
from tests.emulator.flows import ACTION, Change, Json, drop, put
from tests.emulator.keys import PrivateKey, pem, private_key, sign
from tests.emulator.passkeys import AUTHENTICATOR_DATA, passkey_factor

ASSERTION = "firstFactor.credentialAssertion"


@pytest.fixture
def passkey(emulator: Emulator) -> PrivateKey:
    key = private_key("p256", 5)
    emulator.register(pem(key), "cr-passkey", kind="Fido2")
    return key


@pytest.fixture
def demanding(emulator: Emulator, caller: Caller) -> Caller:
    """A caller whose credential requires a second factor."""
    emulator.register(pem(caller.key), "cr-demanding", requires_second_factor=True)
    caller.credential_id = "cr-demanding"
    return caller


def test_correct_assertion_is_exchanged_for_a_user_action(caller: Caller) -> None:
    answer = answered(ACTION.attempt(caller))

    assert set(answer) == {"userAction"}
    assert len(answer["userAction"].split(".")) == 3


def test_password_protected_key_signs_like_a_key(emulator: Emulator, caller: Caller) -> None:
    caller.key = private_key("p256")
    caller.credential_id = emulator.register(pem(caller.key), kind="PasswordProtectedKey")

    answered(ACTION.attempt(caller, put("firstFactor.kind", "PasswordProtectedKey")))


def test_credential_of_another_kind_is_refused_with_its_kind(caller: Caller) -> None:
    response = ACTION.attempt(caller, put("firstFactor.kind", "PasswordProtectedKey"))

    error = refused(response, 401, "credential.kind", "its kind is Key")
    assert error["details"]["expected"] == "Key"


def test_other_credential_of_the_same_identity_is_refused(
    emulator: Emulator, caller: Caller
) -> None:
    emulator.register(pem(private_key("ed25519", 2)), "cr-second")

    refused(ACTION.attempt(caller, put(f"{ASSERTION}.credId", "cr-second")), 401, "signature.value")


# Passkeys


def attempt_with_passkey(
    caller: Caller, key: PrivateKey, change: Change = lambda _: None, **options: Any
) -> Any:
    challenge = caller.challenge()
    body = {
        "challengeIdentifier": challenge["challengeIdentifier"],
        "firstFactor": passkey_factor(challenge, key, "cr-passkey", **options),
    }
    change(body)
    return ACTION.send(caller, body)


@pytest.mark.parametrize("kind", ["p256", "ed25519", "rsa"])
def test_passkey_assertion_is_accepted(emulator: Emulator, caller: Caller, kind: str) -> None:
    key = private_key(kind)
    emulator.register(pem(key), "cr-passkey", kind="Fido2")

    answered(attempt_with_passkey(caller, key, put(f"{ASSERTION}.userHandle", "dXMtMQ")))


@pytest.mark.parametrize(
    ("change", "status", "check", "words"),
    [
        (drop(f"{ASSERTION}.authenticatorData"), 400, "field.missing", "authenticatorData"),
        (put(f"{ASSERTION}.authenticatorData", ""), 400, "field.value", "authenticatorData"),
        (put(f"{ASSERTION}.userHandle", 1), 400, "field.value", "userHandle"),
        (
            put(f"{ASSERTION}.authenticatorData", b64url(AUTHENTICATOR_DATA[:-1])),
            400,
            "authenticatorData",
            "37 bytes or more, and has 36",
        ),
        (
            put(f"{ASSERTION}.authenticatorData", lambda text: f"{text}="),
            400,
            "base64url",
            "authenticatorData has padding",
        ),
        (
            put(f"{ASSERTION}.authenticatorData", b64url(AUTHENTICATOR_DATA + b"\0")),
            401,
            "signature.value",
            "over other bytes",
        ),
    ],
    ids=["missing", "empty", "user-handle", "short", "padded", "other"],
)
def test_passkey_assertion_with_a_wrong_member_is_refused(
    caller: Caller, passkey: PrivateKey, change: Change, status: int, check: str, words: str
) -> None:
    refused(attempt_with_passkey(caller, passkey, change), status, check, words)


def test_passkey_assertion_of_the_key_type_is_refused(caller: Caller, passkey: PrivateKey) -> None:
    response = attempt_with_passkey(caller, passkey, kind="key.get")

    error = refused(response, 400, "clientData.type")
    assert error["details"]["expected"] == "webauthn.get"


def test_passkey_signature_over_the_client_data_alone_is_refused(
    caller: Caller, passkey: PrivateKey
) -> None:
    challenge = caller.challenge()
    factor = passkey_factor(challenge, passkey, "cr-passkey")
    client_data = compact({"type": "webauthn.get", "challenge": challenge["challenge"]})
    factor["credentialAssertion"].update(
        clientData=b64url(client_data), signature=b64url(sign(passkey, client_data))
    )

    refused(caller.complete(challenge, factor), 401, "signature.value")


# Second factors


def second_factor(caller: Caller, second: Json, challenge: Json) -> Any:
    return caller.complete(challenge, caller.factor(challenge), secondFactor=second)


def test_second_factor_that_is_required_is_accepted(demanding: Caller, passkey: PrivateKey) -> None:
    challenge = demanding.challenge()
    second = passkey_factor(challenge, passkey, "cr-passkey")

    answered(second_factor(demanding, second, challenge))


def test_second_factor_that_is_required_and_missing_is_refused_with_the_credential(
    demanding: Caller,
) -> None:
    response = ACTION.attempt(demanding)

    refused(response, 401, "secondFactor.missing", "cr-demanding requires a secondFactor")


def test_second_factor_with_a_wrong_signature_is_refused(
    demanding: Caller, passkey: PrivateKey
) -> None:
    challenge = demanding.challenge()
    second = passkey_factor(challenge, private_key("p256", 6), "cr-passkey")

    error = refused(second_factor(demanding, second, challenge), 401, "signature.value")
    assert error["details"]["field"] == "secondFactor"


def test_first_factor_with_a_wrong_signature_is_refused_with_a_right_second(
    demanding: Caller, passkey: PrivateKey
) -> None:
    challenge = demanding.challenge()
    second = passkey_factor(challenge, passkey, "cr-passkey")
    demanding.key = private_key("ed25519", 6)

    error = refused(second_factor(demanding, second, challenge), 401, "signature.value")
    assert error["details"]["field"] == "firstFactor"


@pytest.mark.parametrize(
    ("change", "status", "check"),
    [
        (put("credentialAssertion.credId", "cr-nobody"), 401, "credential.unknown"),
        (put("note", "x"), 400, "field.unknown"),
    ],
)
def test_second_factor_that_is_not_required_is_checked_all_the_same(
    caller: Caller, change: Change, status: int, check: str
) -> None:
    challenge = caller.challenge()
    second = caller.factor(challenge)
    change(second)

    error = refused(second_factor(caller, second, challenge), status, check)
    assert error["details"].get("field", "secondFactor.note") == "secondFactor.note"
