from __future__ import annotations

import hashlib
from typing import Any

import pytest

from dfns_signers.emulator import Emulator
from tests.emulator.caller import Caller, answered, b64url, compact, refused
from tests.emulator.keys import PrivateKey, pem, private_key, sign

AUTHENTICATOR_DATA = hashlib.sha256(b"localhost").digest() + b"\x05" + b"\0\0\0\1"


def passkey_factor(
    challenge: dict[str, Any],
    key: PrivateKey,
    credential_id: str,
    *,
    authenticator_data: bytes = AUTHENTICATOR_DATA,
    kind: str = "webauthn.get",
) -> dict[str, Any]:
    """A Fido2 factor as a browser makes it."""
    client_data = compact(
        {"type": kind, "challenge": challenge["challenge"], "origin": "http://localhost"}
    )
    message = authenticator_data + hashlib.sha256(client_data).digest()
    assertion = {
        "credId": credential_id,
        "clientData": b64url(client_data),
        "authenticatorData": b64url(authenticator_data),
        "signature": b64url(sign(key, message)),
    }
    return {"kind": "Fido2", "credentialAssertion": assertion}


@pytest.fixture
def passkey(emulator: Emulator) -> PrivateKey:
    key = private_key("p256", 5)
    emulator.enrol(pem(key), "cr-passkey", kind="Fido2")
    return key


@pytest.fixture
def demanding(emulator: Emulator, caller: Caller) -> Caller:
    """A caller whose credential requires a second factor."""
    emulator.enrol(pem(caller.key), "cr-demanding", requires_second_factor=True)
    caller.credential_id = "cr-demanding"
    return caller


# Passkeys


@pytest.mark.parametrize("kind", ["p256", "ed25519", "rsa"])
def test_passkey_assertion_is_accepted(emulator: Emulator, caller: Caller, kind: str) -> None:
    key = private_key(kind)
    emulator.enrol(pem(key), "cr-p", kind="Fido2")
    challenge = caller.challenge()
    factor = passkey_factor(challenge, key, "cr-p")
    factor["credentialAssertion"]["userHandle"] = "dXMtMQ"

    answered(caller.complete(challenge, factor))


def test_passkey_assertion_without_authenticator_data_is_refused(
    caller: Caller, passkey: PrivateKey
) -> None:
    challenge = caller.challenge()
    factor = passkey_factor(challenge, passkey, "cr-passkey")
    del factor["credentialAssertion"]["authenticatorData"]

    error = refused(caller.complete(challenge, factor), 400, "field.missing")
    assert error["details"]["field"] == "firstFactor.credentialAssertion.authenticatorData"


def test_passkey_assertion_with_short_authenticator_data_is_refused(
    caller: Caller, passkey: PrivateKey
) -> None:
    challenge = caller.challenge()

    factor = passkey_factor(
        challenge, passkey, "cr-passkey", authenticator_data=AUTHENTICATOR_DATA[:-1]
    )

    refused(caller.complete(challenge, factor), 400, "authenticatorData", "37 bytes")


def test_passkey_assertion_with_padded_authenticator_data_is_refused(
    caller: Caller, passkey: PrivateKey
) -> None:
    challenge = caller.challenge()
    factor = passkey_factor(challenge, passkey, "cr-passkey")
    factor["credentialAssertion"]["authenticatorData"] += "="

    refused(caller.complete(challenge, factor), 400, "base64url", "authenticatorData has padding")


def test_passkey_assertion_of_the_key_type_is_refused(caller: Caller, passkey: PrivateKey) -> None:
    challenge = caller.challenge()

    factor = passkey_factor(challenge, passkey, "cr-passkey", kind="key.get")

    error = refused(caller.complete(challenge, factor), 400, "clientData.type")
    assert error["details"]["expected"] == "webauthn.get"


def test_passkey_signature_over_other_authenticator_data_is_refused(
    caller: Caller, passkey: PrivateKey
) -> None:
    challenge = caller.challenge()
    factor = passkey_factor(challenge, passkey, "cr-passkey")
    factor["credentialAssertion"]["authenticatorData"] = b64url(AUTHENTICATOR_DATA + b"\0")

    refused(caller.complete(challenge, factor), 401, "signature.value")


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


def test_key_assertion_with_authenticator_data_is_refused(caller: Caller) -> None:
    challenge = caller.challenge()
    factor = caller.factor(challenge)
    factor["credentialAssertion"]["authenticatorData"] = b64url(AUTHENTICATOR_DATA)

    refused(caller.complete(challenge, factor), 400, "field.unknown", "authenticatorData")


# Second factors


def test_second_factor_that_is_required_is_accepted(demanding: Caller, passkey: PrivateKey) -> None:
    challenge = demanding.challenge()
    second = passkey_factor(challenge, passkey, "cr-passkey")

    answered(demanding.complete(challenge, demanding.factor(challenge), secondFactor=second))


def test_second_factor_that_is_required_and_missing_is_refused(demanding: Caller) -> None:
    challenge = demanding.challenge()

    refused(
        demanding.complete(challenge, demanding.factor(challenge)),
        401,
        "secondFactor.missing",
        "cr-demanding requires a secondFactor",
    )


def test_second_factor_by_the_first_credential_is_refused(demanding: Caller) -> None:
    challenge = demanding.challenge()
    factor = demanding.factor(challenge)

    refused(demanding.complete(challenge, factor, secondFactor=factor), 401, "secondFactor.same")


def test_second_factor_with_a_wrong_signature_is_refused(
    demanding: Caller, passkey: PrivateKey
) -> None:
    challenge = demanding.challenge()
    second = passkey_factor(challenge, private_key("p256", 6), "cr-passkey")

    response = demanding.complete(challenge, demanding.factor(challenge), secondFactor=second)

    error = refused(response, 401, "signature.value")
    assert error["details"]["field"] == "secondFactor"


def test_first_factor_with_a_wrong_signature_is_refused_with_a_right_second(
    demanding: Caller, passkey: PrivateKey
) -> None:
    challenge = demanding.challenge()
    second = passkey_factor(challenge, passkey, "cr-passkey")
    demanding.key = private_key("ed25519", 6)

    response = demanding.complete(challenge, demanding.factor(challenge), secondFactor=second)

    error = refused(response, 401, "signature.value")
    assert error["details"]["field"] == "firstFactor"


def test_second_factor_that_nobody_required_is_checked_all_the_same(caller: Caller) -> None:
    challenge = caller.challenge()
    second = {**caller.factor(challenge)}
    second["credentialAssertion"] = {**second["credentialAssertion"], "credId": "cr-nobody"}

    response = caller.complete(challenge, caller.factor(challenge), secondFactor=second)

    refused(response, 401, "credential.unknown")


def test_unknown_member_of_the_second_factor_is_refused(caller: Caller) -> None:
    challenge = caller.challenge()
    second = {**caller.factor(challenge), "note": "x"}

    response = caller.complete(challenge, caller.factor(challenge), secondFactor=second)

    assert refused(response, 400, "field.unknown")["details"]["field"] == "secondFactor.note"
