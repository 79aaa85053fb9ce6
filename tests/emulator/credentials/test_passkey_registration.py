"""New passkeys: what an authenticator attests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fido2 import cbor

from tests.emulator.attestation_certificates import SUBJECT, attestation_certificate
from tests.emulator.caller import Caller, answered, b64url, refused
from tests.emulator.end_users import Application
from tests.emulator.flows import Json
from tests.emulator.keys import pem, private_key
from tests.emulator.passkeys import (
    AAGUID,
    Attestation,
    Authenticator,
    cose_key,
    flagged,
    from_b64url,
)

WALLET = {"network": "Base"}


@pytest.mark.parametrize("encodes_challenge", [True, False], ids=["browser-sdk", "decoded"])
@pytest.mark.parametrize("attestation", ["none", "packed-self", "packed-x5c"])
@pytest.mark.parametrize("kind", ["p256", "ed25519", "rsa"])
def test_new_passkey_signs(
    application: Application, kind: str, attestation: Attestation, encodes_challenge: bool
) -> None:
    application.authenticator = Authenticator(
        key_kind=kind, attestation=attestation, encodes_challenge=encodes_challenge
    )
    application.register()

    answered(application.user_action(application.log_in(), "POST", "/wallets", WALLET))


def test_passkey_is_listed_with_its_key_and_site(application: Application) -> None:
    application.register()
    (passkey,) = application.authenticator.passkeys.values()

    with Caller(application.account.url, application.log_in(), "", passkey.key) as user:
        (listed,) = answered(user.get("/auth/credentials"))["items"]

    assert listed["credentialId"] == passkey.credential_id
    assert listed["publicKey"] == pem(passkey.key)
    assert (listed["relyingPartyId"], listed["origin"]) == ("localhost", "http://localhost:8000")


def test_second_passkey_is_added_with_the_first(application: Application) -> None:
    application.register()
    token = application.log_in()
    headers = {"Authorization": f"Bearer {token}"}
    response = application.account.http.post(
        "/auth/credentials/init", json={"kind": "Fido2"}, headers=headers
    )
    challenge = answered(response)
    (first,) = application.authenticator.passkeys
    assert challenge["excludeCredentials"] == [{"type": "public-key", "id": first}]
    body = {
        "credentialKind": "Fido2",
        "credentialName": "phone",
        "challengeIdentifier": challenge["challengeIdentifier"],
        "credentialInfo": Authenticator().create(challenge),
    }

    created = answered(application.call(token, "POST", "/auth/credentials", body))

    assert (created["kind"], created["name"]) == ("Fido2", "phone")


def changed(**members: Any) -> Callable[[Json], bytes]:
    """An attestation object with other members; None removes one."""

    def write(made: Json) -> bytes:
        content = {**made, **members}
        return cbor.encode({name: value for name, value in content.items() if value is not None})

    return write


def without_key(made: Json) -> bytes:
    return cbor.encode({**made, "authData": flagged(0x05)(made["authData"][:37])})


def without_key_flag(made: Json) -> bytes:
    data = made["authData"][:37]
    return cbor.encode({**made, "authData": data[:32] + b"\x05" + data[33:]})


def by_certificate(fmt: str) -> Callable[[Json], bytes]:
    """Attested with a certificate for Ed25519, as if it were for ES256."""
    _, certificate = attestation_certificate(AAGUID, key=private_key("ed25519"))
    statement = {"alg": -7, "sig": b"signature", "x5c": [certificate]}
    return changed(fmt=fmt, attStmt=statement)


def with_credential_id(size: int) -> Callable[[Json], bytes]:
    """A new key with an id of so many bytes, where its own has 16."""

    def write(made: Json) -> bytes:
        data = made["authData"]
        attested = size.to_bytes(2, "big") + bytes(size) + data[71:]
        return cbor.encode({**made, "authData": data[:53] + attested})

    return write


OBJECTS: dict[str, tuple[Callable[[Json], bytes], str]] = {
    "not-cbor": (lambda _: b"\xff", "attestation.object"),
    "empty-map": (lambda _: b"\xa0", "attestation.object"),
    "nested-deeply": (lambda _: b"\x81" * 5000, "attestation.object"),
    "cut": (lambda made: cbor.encode(made)[:-1], "attestation.object"),
    "lengthened": (lambda made: cbor.encode(made) + b"\0", "attestation.object"),
    "without-format": (changed(fmt=None), "attestation.object"),
    "data-not-bytes": (changed(authData=37), "attestation.object"),
    "key-cut-off": (without_key, "attestation.object"),
    "without-a-key": (without_key_flag, "attestation.object"),
    "unknown-format": (changed(fmt="mine"), "attestation.format"),
    "none-with-a-statement": (changed(attStmt={"alg": -7}), "attestation.statement"),
    "packed-without-a-statement": (changed(fmt="packed"), "attestation.statement"),
    "packed-by-a-certificate-of-another-algorithm": (
        by_certificate("packed"),
        "attestation.statement",
    ),
    "apple-without-its-extension": (by_certificate("apple"), "attestation.statement"),
    "credential-id-of-no-bytes": (with_credential_id(0), "attestation.object"),
    "credential-id-of-1024-bytes": (with_credential_id(1024), "attestation.object"),
}


@pytest.mark.usefixtures("without_garbage_collection")
@pytest.mark.parametrize(("write", "check"), OBJECTS.values(), ids=OBJECTS)
def test_attestation_object_that_is_wrong_is_refused(
    application: Application, write: Callable[[Json], bytes], check: str
) -> None:
    challenge = application.begin()
    info = application.authenticator.create(challenge)
    made: Any = cbor.decode(from_b64url(info["attestationData"]))

    info["attestationData"] = b64url(write(made))

    credential = {"credentialKind": "Fido2", "credentialInfo": info}
    refused(application.complete(challenge, firstFactorCredential=credential), 400, check)


@pytest.mark.parametrize("attestation", ["packed-self", "packed-x5c"])
def test_attestation_signature_over_other_client_data_is_refused(
    application: Application, attestation: Attestation
) -> None:
    authenticator = Authenticator(attestation=attestation)
    other = authenticator.create(application.begin("bob@example.com"))
    challenge = application.begin()
    info = authenticator.create(challenge)

    info["attestationData"], info["credId"] = other["attestationData"], other["credId"]

    credential = {"credentialKind": "Fido2", "credentialInfo": info}
    response = application.complete(challenge, firstFactorCredential=credential)
    refused(response, 400, "attestation.statement", "InvalidSignature")


@pytest.mark.parametrize(
    ("aaguid", "missing"), [(bytes(16), ""), (AAGUID, "Authenticator Attestation")]
)
def test_attestation_certificate_that_webauthn_forbids_is_refused(
    application: Application, aaguid: bytes, missing: str
) -> None:
    subject = {oid: value for oid, value in SUBJECT.items() if value != missing}
    _, certificate = attestation_certificate(aaguid, subject)

    response = application.try_passkey(
        Authenticator(attestation="packed-x5c"),
        statement=lambda made: made.update(x5c=[certificate]),
    )

    refused(response, 400, "attestation.statement")


def test_credential_id_that_is_not_that_of_the_attestation_is_refused(
    application: Application,
) -> None:
    challenge = application.begin()
    info = application.authenticator.create(challenge)

    credential = {"credentialKind": "Fido2", "credentialInfo": {**info, "credId": "cr-mine"}}

    response = application.complete(challenge, firstFactorCredential=credential)
    error = refused(response, 400, "attestation.credId")
    assert error["details"]["expected"] == info["credId"]


COSE = {1: 2, 3: -7, -1: 1, -2: b"\1" * 32, -3: b"\1" * 32}
ON_P256 = cose_key(private_key("p256"))


@pytest.mark.parametrize(
    "members",
    [
        {},
        {-3: b"\1" * 31},
        {**ON_P256, -1: 8},
        {1: 1, 3: -8},
        {1: 1, 3: -8, -1: 6, -2: b"\1" * 31},
        {1: 3, 3: -257, -1: b"\xff" * 128, -2: b"\1\0\1"},
        {3: -35},
    ],
    ids=["off-curve", "short", "other-curve", "kind", "short-eddsa", "rsa-1024", "algorithm"],
)
def test_public_key_that_is_not_offered_is_refused(
    application: Application, members: dict[int, Any]
) -> None:
    key = cbor.encode({**COSE, **members})

    def with_key(data: bytes) -> bytes:
        return data[: 37 + 16 + 2 + 16] + key

    refused(application.try_passkey(Authenticator(), authenticator_data=with_key), 400, "publicKey")
