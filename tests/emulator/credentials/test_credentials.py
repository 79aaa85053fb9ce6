"""Registering a credential with an attestation, and managing credentials."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.emulator.access.permissions import FULL_ACCESS
from tests.emulator.caller import Caller, answered, b64url, compact, refused
from tests.emulator.flows import (
    NEW,
    REGISTRATION,
    Json,
    attest,
    begin_registration,
    fingerprint,
    put,
    register,
    registration,
)
from tests.emulator.keys import KINDS, pem, private_key, sign

PATH = "/auth/credentials"


def test_challenge_has_the_documented_members(emulator: Emulator, caller: Caller) -> None:
    challenge = begin_registration(caller)

    assert challenge["kind"] == "Key"
    assert challenge["user"]["id"] == emulator.user_id
    assert {"challenge", "challengeIdentifier", "pubKeyCredParams", "attestation"} <= set(challenge)


def test_challenge_of_an_unknown_kind_is_refused(caller: Caller) -> None:
    response = caller.send("POST", f"{PATH}/init", compact({"kind": "key"}))

    assert refused(response, 400, "field.value")["details"]["field"] == "kind"


@pytest.mark.parametrize(
    "kind", ["Key", "PasswordProtectedKey", "Fido2", "RecoveryKey", "Password", "Totp"]
)
def test_challenge_of_every_kind_has_the_members_of_its_kind(caller: Caller, kind: str) -> None:
    challenge = begin_registration(caller, kind)

    assert challenge["kind"] == kind
    assert ("challenge" in challenge) == (kind not in {"Password", "Totp"})
    assert ("authenticatorSelection" in challenge) == (kind == "Fido2")
    assert ("otpUrl" in challenge) == (kind == "Totp")


# Registration


@pytest.mark.parametrize("kind", KINDS)
def test_attested_credential_signs_in_place_of_the_old_one(caller: Caller, kind: str) -> None:
    key = private_key(kind, 1)

    credential = answered(attest(caller, key=key))

    assert credential["credentialId"] == "cr-new"
    assert credential["kind"] == "Key"
    assert credential["name"] == "rotation"
    assert credential["isActive"] is True
    assert credential["publicKey"] == pem(key)
    assert credential["credentialUuid"] != "cr-new"
    caller.credential_id, caller.key = "cr-new", key
    caller.create("/wallets", {"network": "Base"})


def protected(caller: Caller, **members: str) -> Json:
    """A registration of a password-protected key, with these members besides."""
    challenge = begin_registration(caller, "PasswordProtectedKey")
    body = REGISTRATION.correct(caller, challenge)
    return {**body, "credentialKind": "PasswordProtectedKey", **members}


def test_password_protected_key_is_registered_with_its_encrypted_key(caller: Caller) -> None:
    answered(register(caller, protected(caller, encryptedPrivateKey="opaque")))

    (listed,) = caller.challenge()["allowCredentials"]["passwordProtectedKey"]
    assert listed == {"type": "public-key", "id": "cr-new", "encryptedPrivateKey": "opaque"}


@pytest.mark.parametrize(
    ("members", "check"), [({}, "field.missing"), ({"encryptedPrivateKey": ""}, "field.value")]
)
def test_password_protected_key_without_its_encrypted_key_is_refused(
    caller: Caller, members: dict[str, str], check: str
) -> None:
    error = refused(register(caller, protected(caller, **members)), 400, check)

    assert error["details"]["field"] == "encryptedPrivateKey"


def test_credential_of_another_kind_than_the_challenge_is_refused_with_both(caller: Caller) -> None:
    challenge = begin_registration(caller, "PasswordProtectedKey")

    response = register(caller, REGISTRATION.correct(caller, challenge))

    refused(response, 400, "credential.kind", "must be PasswordProtectedKey as it was")


def test_credential_id_in_use_is_refused(caller: Caller) -> None:
    response = REGISTRATION.attempt(caller, put("credentialInfo.credId", "cr-first"))

    refused(response, 409, "credential.taken")


# The attestation


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda text: text.replace("PUBLIC KEY", "EC PUBLIC KEY"), "not a PEM public key"),
        (lambda text: text.replace("M", "A", 1), "is not a public key"),
    ],
)
def test_attested_key_that_is_not_accepted_is_refused(
    caller: Caller, spoil: Callable[[str], str], words: str
) -> None:
    refused(attest(caller, publicKey=spoil(pem(NEW))), 400, "publicKey", words)


@pytest.mark.parametrize(
    "write",
    [
        lambda data: data.hex().upper(),
        lambda data: f"0x{data.hex()}",
        lambda data: data.hex()[:-1],
        b64url,
    ],
    ids=["upper-case", "prefixed", "odd", "base64url"],
)
def test_attestation_signature_that_is_not_lower_case_hexadecimal_is_refused(
    caller: Caller, write: Callable[[bytes], str]
) -> None:
    challenge = begin_registration(caller)
    client_data = compact(REGISTRATION.client_data(challenge))
    signature = sign(NEW, fingerprint(client_data, pem(NEW)))

    body = registration(caller, challenge, client_data, signature=write(signature))

    refused(register(caller, body), 400, "attestation.hex", "lower-case hexadecimal")


def test_attestation_by_another_key_is_refused(caller: Caller) -> None:
    challenge = begin_registration(caller)
    client_data = compact(REGISTRATION.client_data(challenge))
    signature = sign(private_key("p256", 8), fingerprint(client_data, pem(NEW)))

    body = registration(caller, challenge, client_data, signature=signature.hex())

    refused(register(caller, body), 400, "signature.value")


def test_attestation_of_the_client_data_alone_is_refused_with_what_to_sign(
    caller: Caller,
) -> None:
    challenge = begin_registration(caller)
    client_data = compact(REGISTRATION.client_data(challenge))

    body = registration(caller, challenge, client_data, signature=sign(NEW, client_data).hex())

    refused(register(caller, body), 400, "signature.value", "clientDataHash")


def test_attestation_of_other_pem_text_of_the_same_key_is_refused(caller: Caller) -> None:
    refused(attest(caller, publicKey=pem(NEW) + "\n"), 400, "signature.value")


def test_attestation_of_other_client_data_is_refused(caller: Caller) -> None:
    challenge = begin_registration(caller)
    content = REGISTRATION.client_data(challenge)
    body = REGISTRATION.correct(caller, challenge)
    body["credentialInfo"]["clientData"] = b64url(compact({**content, "origin": "http://x"}))

    refused(register(caller, body), 400, "signature.value")


def test_attestation_with_r_and_s_side_by_side_is_refused_and_named(caller: Caller) -> None:
    refused(attest(caller, signature="11" * 64), 400, "signature.encoding", "IEEE P1363")


# Management


@pytest.fixture
def second(emulator: Emulator, caller: Caller) -> Json:
    """A second credential of the caller, as it is listed."""
    emulator.register(pem(NEW), "cr-second")
    listed: list[Json] = answered(caller.get(PATH))["items"]
    return listed[1]


def test_credentials_of_the_caller_are_listed(
    caller: Caller, stranger: Caller, second: Json
) -> None:
    mine = answered(caller.get(PATH))["items"]
    theirs = answered(stranger.get(PATH))["items"]

    assert [credential["credentialId"] for credential in mine] == ["cr-first", "cr-second"]
    assert [credential["credentialId"] for credential in theirs] == ["cr-stranger"]
    assert mine[0]["publicKey"] == pem(caller.key)


def test_deactivated_credential_is_refused_until_it_is_activated(
    caller: Caller, second: Json
) -> None:
    uuid = {"credentialUuid": second["credentialUuid"]}
    with Caller(caller.url, caller.token, "cr-second", NEW) as other:
        answered(caller.call("PUT", f"{PATH}/deactivate", uuid))
        challenge = other.challenge()
        assert {"type": "public-key", "id": "cr-second"} not in challenge["allowCredentials"]["key"]
        refused(other.complete(challenge, other.factor(challenge)), 401, "credential.disabled")

        answered(caller.call("PUT", f"{PATH}/activate", uuid))
        other.create("/wallets", {"network": "Base"})


def test_deleted_credential_is_unknown(caller: Caller, second: Json) -> None:
    answered(caller.call("DELETE", f"{PATH}/{second['credentialUuid']}"))

    with Caller(caller.url, caller.token, "cr-second", NEW) as other:
        challenge = other.challenge()
        refused(other.complete(challenge, other.factor(challenge)), 401, "credential.unknown")
    assert len(answered(caller.get(PATH))["items"]) == 1


@pytest.mark.parametrize("operation", ["activate", "deactivate"])
def test_switch_of_the_credential_of_somebody_else_is_not_found(
    caller: Caller, stranger: Caller, operation: str
) -> None:
    (theirs,) = answered(stranger.get(PATH))["items"]

    response = caller.call(
        "PUT", f"{PATH}/{operation}", {"credentialUuid": theirs["credentialUuid"]}
    )

    refused(response, 404, "entity", "Credential")


def test_deletion_of_the_credential_of_somebody_else_is_not_found(
    caller: Caller, stranger: Caller
) -> None:
    (theirs,) = answered(stranger.get(PATH))["items"]

    refused(caller.call("DELETE", f"{PATH}/{theirs['credentialUuid']}"), 404, "entity")


def test_rotation_of_a_service_account_keeps_its_token(caller: Caller) -> None:
    old = private_key("ed25519", 8)
    body = {"name": "robot", "publicKey": pem(old), "permissionId": FULL_ACCESS}
    created = caller.create("/auth/service-accounts", body)
    (token,) = created["accessTokens"]
    with Caller(caller.url, token["accessToken"], token["credId"], old) as robot:
        answered(REGISTRATION.attempt(robot))
        robot.credential_id, robot.key = "cr-new", NEW
        uuid = created["userInfo"]["credentialUuid"]

        answered(robot.call("PUT", f"{PATH}/deactivate", {"credentialUuid": uuid}))

        active = {
            one["credentialId"]: one["isActive"] for one in answered(robot.get(PATH))["items"]
        }
        assert active == {token["credId"]: False, "cr-new": True}
        robot.create("/wallets", {"network": "Base"})
