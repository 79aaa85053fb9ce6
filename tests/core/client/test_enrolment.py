"""A new key becomes a credential, and signs from then on until it is deactivated."""

from __future__ import annotations

import base64
import json
from typing import Any

import anyio
import pytest

from dfns_signers.backends.pem.key import PemKey
from dfns_signers.emulator import Emulator
from dfns_signers.errors import (
    ApiError,
    BadRequestError,
    ChallengeError,
    ConfigurationError,
    ConflictError,
    CredentialNotAllowedError,
    SigningKeyError,
)
from dfns_signers.registration import aattest, attest, new_credential_id
from dfns_signers.signer import KeySigner
from tests.core.client.driving import Connector, Driven
from tests.core.client.recordings import announced, calls
from tests.core.keys import ALGORITHMS, AnsweringKey, private_key, private_pem, stranger


def new_key(algorithm: str = "ES256") -> PemKey:
    return PemKey.from_pem(private_pem(stranger(algorithm)))


def challenge_of(dfns: Driven) -> Any:
    return dfns.call(lambda client: client.auth.credentials.challenge())


def register(dfns: Driven, challenge: Any, info: Any, name: str = "rotation") -> Any:
    return dfns.call(
        lambda client: client.auth.credentials.create(
            name=name, challenge=challenge, credential_info=info
        )
    )


def attest_asynchronously(key: PemKey, challenge: Any) -> Any:
    return anyio.run(aattest, key, challenge)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("prove", [attest, attest_asynchronously])
def test_attested_key_is_registered_and_signs(
    dfns: Driven, connect: Connector, emulator: Emulator, algorithm: str, prove: Any
) -> None:
    key, challenge = new_key(algorithm), challenge_of(dfns)

    info = prove(key, challenge)
    credential = register(dfns, challenge, info)

    assert credential["credentialId"] == info["credId"]
    assert credential["kind"] == "Key"
    assert credential["isActive"]
    rotated = connect(emulator.auth_token, KeySigner(key, info["credId"]), base_url=emulator.url)
    assert rotated.call(lambda client: client.wallets.create(network="Bitcoin"))["id"]


def test_registration_has_the_documented_members_and_is_signed_while_its_challenge_is_not(
    dfns: Driven, emulator: Emulator
) -> None:
    challenge = challenge_of(dfns)
    info = attest(new_key(), challenge)

    register(dfns, challenge, info)

    asked, registered = calls(emulator)
    assert (asked.raw_path, asked.body) == ("/auth/credentials/init", b'{"kind":"Key"}')
    assert json.loads(registered.body) == {
        "credentialKind": "Key",
        "credentialName": "rotation",
        "challengeIdentifier": challenge["challengeIdentifier"],
        "credentialInfo": dict(info),
    }
    assert [init["userActionHttpPath"] for init in announced(emulator)] == ["/auth/credentials"]


def test_credentials_are_listed_deactivated_and_activated(
    dfns: Driven, connect: Connector, emulator: Emulator
) -> None:
    key, challenge = new_key(), challenge_of(dfns)
    credential = register(dfns, challenge, attest(key, challenge, "cr-new"))
    rotated = connect(emulator.auth_token, KeySigner(key, "cr-new"), base_url=emulator.url)
    uuid = credential["credentialUuid"]

    dfns.call(lambda client: client.auth.credentials.deactivate(uuid))
    with pytest.raises(CredentialNotAllowedError, match="'cr-new'; it allows 'cr-first'"):
        rotated.call(lambda client: client.wallets.create(network="Bitcoin"))
    off = dfns.walk(lambda client: client.auth.credentials.list())
    dfns.call(lambda client: client.auth.credentials.activate(uuid))
    on = dfns.walk(lambda client: client.auth.credentials.list())

    assert [(entry["credentialId"], entry["isActive"]) for entry in off] == [
        ("cr-first", True),
        ("cr-new", False),
    ]
    assert all(entry["isActive"] for entry in on)
    assert rotated.call(lambda client: client.wallets.create(network="Bitcoin"))["id"]


def test_credential_id_of_the_caller_is_taken_and_a_taken_one_conflicts(dfns: Driven) -> None:
    challenge = challenge_of(dfns)
    assert register(dfns, challenge, attest(new_key(), challenge, "Mine 1"))["credentialId"] == (
        "Mine 1"
    )

    again = challenge_of(dfns)
    with pytest.raises(ConflictError):
        register(dfns, again, attest(new_key(), again, "Mine 1"))


def test_attestation_of_another_challenge_is_refused_by_the_api(dfns: Driven) -> None:
    other, challenge = challenge_of(dfns), challenge_of(dfns)

    with pytest.raises(BadRequestError):
        register(dfns, challenge, attest(new_key(), other))


def test_attestation_by_another_key_is_refused_by_the_api(dfns: Driven) -> None:
    challenge = challenge_of(dfns)
    ours, theirs = (attest(key, challenge) for key in (new_key("ES256"), new_key("ES256K")))
    data = json.loads(base64.urlsafe_b64decode(ours["attestationData"] + "=="))
    swapped = json.loads(base64.urlsafe_b64decode(theirs["attestationData"] + "=="))
    forged = json.dumps({**data, "signature": swapped["signature"]}).encode()
    encoded = base64.urlsafe_b64encode(forged).decode().rstrip("=")

    with pytest.raises(ApiError, match="signature"):
        register(dfns, challenge, {**ours, "attestationData": encoded})


@pytest.mark.parametrize("challenge", [None, {}, {"challenge": ""}, {"challenge": "\ud800"}, []])
@pytest.mark.parametrize("prove", [attest, attest_asynchronously])
def test_malformed_challenge_is_refused_and_nothing_is_signed(prove: Any, challenge: Any) -> None:
    key = AnsweringKey("ES256")

    with pytest.raises(ChallengeError):
        prove(key, challenge)

    assert key.uses == 0


@pytest.mark.parametrize("key", [None, 5, "key.pem"])
@pytest.mark.parametrize("prove", [attest, attest_asynchronously])
def test_what_is_no_key_is_refused_with_how_to_open_one(prove: Any, key: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"found .*PemKey\.from_file"):
        prove(key, {"challenge": "Y2g"})


def test_key_that_cannot_sign_is_the_error_of_the_attestation() -> None:
    key = new_key()
    key.close()

    with pytest.raises(SigningKeyError, match="closed"):
        attest(key, {"challenge": "Y2g"})


def test_new_credential_ids_are_32_random_bytes_in_base64url_without_padding() -> None:
    identifiers = {new_credential_id() for _ in range(100)}

    assert len(identifiers) == 100
    for identifier in identifiers:
        assert len(base64.urlsafe_b64decode(identifier + "=")) == 32
        assert "=" not in identifier


def test_attestation_gets_a_fresh_credential_id_each_time() -> None:
    key = PemKey.from_pem(private_pem(private_key("ES256")))

    first, second = (attest(key, {"challenge": "Y2g"}) for _ in range(2))

    assert first["credId"] != second["credId"]
