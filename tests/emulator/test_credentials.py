from __future__ import annotations

import hashlib
from typing import Any

import httpx
import pytest

from dfns_signers.emulator import Emulator
from tests.emulator.caller import Caller, answered, attested, b64url, compact, refused
from tests.emulator.conftest import Clock
from tests.emulator.keys import KINDS, PrivateKey, pem, private_key, sign

PATH = "/auth/credentials"
NEW = private_key("p256", 7)


def begin(caller: Caller, kind: str = "Key") -> dict[str, Any]:
    return answered(caller.send("POST", f"{PATH}/init", compact({"kind": kind})))


def body_of(challenge: dict[str, Any], info: dict[str, Any]) -> dict[str, Any]:
    return {
        "credentialKind": "Key",
        "credentialName": "rotation",
        "challengeIdentifier": challenge["challengeIdentifier"],
        "credentialInfo": info,
    }


def register(caller: Caller, challenge: dict[str, Any], info: dict[str, Any]) -> httpx.Response:
    return caller.call("POST", PATH, body_of(challenge, info))


def forged(
    challenge: dict[str, Any], *, public_key: str | None = None, signature: str | None = None
) -> dict[str, Any]:
    """A correct ``credentialInfo``, with something else in the attestation."""
    client_data = compact({"type": "key.create", "challenge": challenge["challenge"]})
    written = public_key or pem(NEW)
    hashed = hashlib.sha256(client_data).hexdigest()
    fingerprint = compact({"clientDataHash": hashed, "publicKey": pem(NEW)})
    attestation = {
        "publicKey": written,
        "signature": signature or sign(NEW, fingerprint).hex(),
    }
    return {
        "credId": "cr-new",
        "clientData": b64url(client_data),
        "attestationData": b64url(compact(attestation)),
    }


# The challenge


def test_challenge_has_the_documented_members(emulator: Emulator, caller: Caller) -> None:
    challenge = begin(caller)

    assert challenge["kind"] == "Key"
    assert challenge["user"]["id"] == emulator.user_id
    assert {"challenge", "challengeIdentifier", "pubKeyCredParams", "attestation"} <= set(challenge)


@pytest.mark.parametrize("kind", ["Fido2", "RecoveryKey", "Password", "Totp", "key"])
def test_challenge_of_a_kind_that_is_not_emulated_is_refused(caller: Caller, kind: str) -> None:
    response = caller.send("POST", f"{PATH}/init", compact({"kind": kind}))

    assert refused(response, 400, "field.value")["details"]["field"] == "kind"


def test_unknown_challenge_is_refused(caller: Caller) -> None:
    challenge = begin(caller)
    info = caller.attestation(challenge, NEW, "cr-new")

    response = register(caller, {**challenge, "challengeIdentifier": "e30.e30.e30"}, info)

    refused(response, 400, "challenge.unknown", "Challenge token is not valid.")


def test_challenge_for_an_action_is_no_challenge_for_a_credential(caller: Caller) -> None:
    challenge = caller.challenge()

    response = register(caller, challenge, caller.attestation(challenge, NEW, "cr-new"))

    refused(response, 400, "challenge.unknown")


def test_challenge_for_a_credential_is_no_challenge_for_an_action(caller: Caller) -> None:
    challenge = begin(caller)

    refused(caller.complete(challenge, caller.factor(challenge)), 400, "challenge.unknown")


def test_challenge_is_accepted_until_it_expires(caller: Caller, clock: Clock) -> None:
    challenge = begin(caller)
    clock.now += 299.9

    answered(register(caller, challenge, caller.attestation(challenge, NEW, "cr-new")))


def test_expired_challenge_is_refused(caller: Caller, clock: Clock) -> None:
    challenge = begin(caller)
    clock.now += 300

    response = register(caller, challenge, caller.attestation(challenge, NEW, "cr-new"))

    refused(response, 400, "challenge.expired")


def test_challenge_is_refused_the_second_time(caller: Caller) -> None:
    challenge = begin(caller)
    refused(
        register(caller, challenge, forged(challenge, signature="00")), 400, "signature.encoding"
    )

    response = register(caller, challenge, caller.attestation(challenge, NEW, "cr-new"))

    refused(response, 400, "challenge.used")


def test_challenge_of_another_identity_is_refused(caller: Caller, stranger: Caller) -> None:
    challenge = begin(stranger)

    response = register(caller, challenge, caller.attestation(challenge, NEW, "cr-new"))

    refused(response, 400, "challenge.foreign")


# Registration


@pytest.mark.parametrize("kind", KINDS)
def test_attested_credential_signs_in_place_of_the_old_one(caller: Caller, kind: str) -> None:
    key = private_key(kind, 7)
    challenge = begin(caller)

    credential = answered(register(caller, challenge, caller.attestation(challenge, key, "cr-new")))

    assert credential["credentialId"] == "cr-new"
    assert credential["kind"] == "Key"
    assert credential["name"] == "rotation"
    assert credential["isActive"] is True
    assert credential["publicKey"] == pem(key)
    assert credential["credentialUuid"] != "cr-new"
    caller.credential_id, caller.key = "cr-new", key
    caller.create("/wallets", {"network": "Base"})


def test_client_data_in_the_order_of_the_docs_is_accepted(caller: Caller) -> None:
    challenge = begin(caller)
    client_data = compact({"challenge": challenge["challenge"], "type": "key.create"})

    answered(register(caller, challenge, attested(client_data, NEW, "cr-new")))


def test_password_protected_key_is_registered_with_its_encrypted_key(caller: Caller) -> None:
    challenge = begin(caller, "PasswordProtectedKey")
    info = caller.attestation(challenge, NEW, "cr-new")
    body = {
        **body_of(challenge, info),
        "credentialKind": "PasswordProtectedKey",
        "encryptedPrivateKey": "opaque",
    }

    answered(caller.call("POST", PATH, body))

    (listed,) = caller.challenge()["allowCredentials"]["passwordProtectedKey"]
    assert listed == {"type": "public-key", "id": "cr-new", "encryptedPrivateKey": "opaque"}


def test_password_protected_key_without_its_encrypted_key_is_refused(caller: Caller) -> None:
    challenge = begin(caller, "PasswordProtectedKey")
    info = caller.attestation(challenge, NEW, "cr-new")

    response = caller.call(
        "POST", PATH, {**body_of(challenge, info), "credentialKind": "PasswordProtectedKey"}
    )

    assert refused(response, 400, "field.missing")["details"]["field"] == "encryptedPrivateKey"


def test_credential_of_another_kind_than_the_challenge_is_refused(caller: Caller) -> None:
    challenge = begin(caller, "PasswordProtectedKey")

    response = register(caller, challenge, caller.attestation(challenge, NEW, "cr-new"))

    refused(response, 400, "credential.kind", "PasswordProtectedKey")


def test_credential_id_in_use_is_refused(caller: Caller) -> None:
    challenge = begin(caller)

    response = register(caller, challenge, caller.attestation(challenge, NEW, "cr-first"))

    refused(response, 409, "credential.taken")


@pytest.mark.parametrize(
    "name", ["credentialKind", "credentialName", "challengeIdentifier", "credentialInfo"]
)
def test_missing_member_is_refused(caller: Caller, name: str) -> None:
    challenge = begin(caller)
    body = body_of(challenge, caller.attestation(challenge, NEW, "cr-new"))
    del body[name]

    error = refused(caller.call("POST", PATH, body), 400, "field.missing")
    assert error["details"]["field"] == name


@pytest.mark.parametrize("name", ["credId", "clientData", "attestationData"])
def test_missing_member_of_the_info_is_refused(caller: Caller, name: str) -> None:
    challenge = begin(caller)
    info = caller.attestation(challenge, NEW, "cr-new")
    del info[name]

    error = refused(register(caller, challenge, info), 400, "field.missing")
    assert error["details"]["field"] == f"credentialInfo.{name}"


def test_unknown_member_is_refused(caller: Caller) -> None:
    challenge = begin(caller)
    body = body_of(challenge, caller.attestation(challenge, NEW, "cr-new"))

    error = refused(caller.call("POST", PATH, {**body, "note": "x"}), 400, "field.unknown")
    assert error["details"]["field"] == "note"


def test_unknown_member_of_the_info_is_refused(caller: Caller) -> None:
    challenge = begin(caller)
    info = {**caller.attestation(challenge, NEW, "cr-new"), "note": "x"}

    error = refused(register(caller, challenge, info), 400, "field.unknown")
    assert error["details"]["field"] == "credentialInfo.note"


# The attestation


def test_attestation_of_the_assertion_type_is_refused(caller: Caller) -> None:
    challenge = begin(caller)
    client_data = compact({"type": "key.get", "challenge": challenge["challenge"]})

    error = refused(
        register(caller, challenge, attested(client_data, NEW, "cr-new")), 400, "clientData.type"
    )
    assert error["details"]["expected"] == "key.create"


def test_attestation_for_another_challenge_is_refused(caller: Caller) -> None:
    challenge, other = begin(caller), begin(caller)

    response = register(caller, challenge, caller.attestation(other, NEW, "cr-new"))

    refused(response, 400, "clientData.challenge")


@pytest.mark.parametrize("member", ["clientData", "attestationData"])
def test_padded_member_is_refused(caller: Caller, member: str) -> None:
    challenge = begin(caller)
    info = caller.attestation(challenge, NEW, "cr-new")
    info[member] += "="

    error = refused(register(caller, challenge, info), 400, "base64url", "padding")
    assert error["details"]["field"] == f"credentialInfo.{member}"


def test_attestation_that_is_not_json_is_refused(caller: Caller) -> None:
    challenge = begin(caller)
    info = {**caller.attestation(challenge, NEW, "cr-new"), "attestationData": b64url(b"{")}

    refused(register(caller, challenge, info), 400, "attestation.json")


@pytest.mark.parametrize("name", ["publicKey", "signature"])
def test_missing_member_of_the_attestation_is_refused(caller: Caller, name: str) -> None:
    challenge = begin(caller)
    attestation = {"publicKey": pem(NEW), "signature": "00"}
    del attestation[name]
    info = caller.attestation(challenge, NEW, "cr-new")
    info["attestationData"] = b64url(compact(attestation))

    error = refused(register(caller, challenge, info), 400, "field.missing")
    assert error["details"]["field"] == f"attestationData.{name}"


def test_attested_key_that_is_not_accepted_is_refused(caller: Caller) -> None:
    challenge = begin(caller)

    info = forged(challenge, public_key=pem(NEW).replace("PUBLIC KEY", "EC PUBLIC KEY"))

    refused(register(caller, challenge, info), 400, "publicKey", "not a PEM public key")


@pytest.mark.parametrize("write", [lambda text: text.upper(), lambda text: "0x" + text])
def test_attestation_signature_in_other_hexadecimal_is_refused(caller: Caller, write: Any) -> None:
    challenge = begin(caller)
    correct = signature_of(challenge)

    info = forged(challenge, signature=write(correct.hex()))

    refused(register(caller, challenge, info), 400, "attestation.hex", "lower-case hexadecimal")


def test_attestation_signature_in_base64url_is_refused(caller: Caller) -> None:
    challenge = begin(caller)

    info = forged(challenge, signature=b64url(signature_of(challenge)))

    refused(register(caller, challenge, info), 400, "attestation.hex", "not base64url")


def signature_of(challenge: dict[str, Any], key: PrivateKey = NEW) -> bytes:
    client_data = compact({"type": "key.create", "challenge": challenge["challenge"]})
    hashed = hashlib.sha256(client_data).hexdigest()
    return sign(key, compact({"clientDataHash": hashed, "publicKey": pem(NEW)}))


def test_attestation_by_another_key_is_refused(caller: Caller) -> None:
    challenge = begin(caller)
    signature = signature_of(challenge, private_key("p256", 8))

    info = forged(challenge, signature=signature.hex())

    refused(register(caller, challenge, info), 400, "signature.value")


def test_attestation_of_the_client_data_alone_is_refused(caller: Caller) -> None:
    challenge = begin(caller)
    client_data = compact({"type": "key.create", "challenge": challenge["challenge"]})

    info = forged(challenge, signature=sign(NEW, client_data).hex())

    refused(register(caller, challenge, info), 400, "signature.value", "clientDataHash")


def test_attestation_of_other_pem_text_of_the_same_key_is_refused(caller: Caller) -> None:
    challenge = begin(caller)

    info = forged(challenge, public_key=pem(NEW) + "\n")

    refused(register(caller, challenge, info), 400, "signature.value")


def test_attestation_of_other_client_data_is_refused(caller: Caller) -> None:
    challenge = begin(caller)
    info = forged(challenge)
    info["clientData"] = b64url(
        compact({"challenge": challenge["challenge"], "type": "key.create"})
    )

    refused(register(caller, challenge, info), 400, "signature.value")


def test_attestation_with_r_and_s_side_by_side_is_refused(caller: Caller) -> None:
    challenge = begin(caller)

    info = forged(challenge, signature="11" * 64)

    refused(register(caller, challenge, info), 400, "signature.encoding", "IEEE P1363")


# Management


@pytest.fixture
def second(emulator: Emulator, caller: Caller) -> dict[str, Any]:
    """A second credential of the caller, as it is listed."""
    emulator.enrol(pem(NEW), "cr-second")
    listed: list[dict[str, Any]] = answered(caller.get(PATH))["items"]
    return listed[1]


def test_credentials_of_the_caller_are_listed(
    caller: Caller, stranger: Caller, second: dict[str, Any]
) -> None:
    mine = answered(caller.get(PATH))["items"]
    theirs = answered(stranger.get(PATH))["items"]

    assert [credential["credentialId"] for credential in mine] == ["cr-first", "cr-second"]
    assert [credential["credentialId"] for credential in theirs] == ["cr-stranger"]
    assert mine[0]["publicKey"] == pem(caller.key)


def test_deactivated_credential_is_refused_until_it_is_activated(
    caller: Caller, second: dict[str, Any]
) -> None:
    uuid = {"credentialUuid": second["credentialUuid"]}
    with Caller(caller.url, caller.token, "cr-second", NEW) as other:
        answered(caller.call("PUT", f"{PATH}/deactivate", uuid))
        challenge = other.challenge()
        assert {"type": "public-key", "id": "cr-second"} not in challenge["allowCredentials"]["key"]
        refused(other.complete(challenge, other.factor(challenge)), 401, "credential.disabled")

        answered(caller.call("PUT", f"{PATH}/activate", uuid))
        other.create("/wallets", {"network": "Base"})


def test_deleted_credential_is_unknown(caller: Caller, second: dict[str, Any]) -> None:
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
    created = caller.create("/auth/service-accounts", {"name": "robot", "publicKey": pem(old)})
    (token,) = created["accessTokens"]
    with Caller(caller.url, token["accessToken"], token["credId"], old) as robot:
        challenge = begin(robot)
        answered(register(robot, challenge, robot.attestation(challenge, NEW, "cr-new")))
        robot.credential_id, robot.key = "cr-new", NEW
        uuid = created["userInfo"]["credentialUuid"]

        switched = answered(robot.call("PUT", f"{PATH}/deactivate", {"credentialUuid": uuid}))

        assert switched["credentialId"] == token["credId"]
        robot.create("/wallets", {"network": "Base"})
