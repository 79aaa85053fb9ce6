"""For the same key and the same bytes, both packages make the same signature."""

from __future__ import annotations

import base64
import json

import dfns_sdk
import pytest
from dfns_sdk.auth import UserActionChallenge

from dfns_signers.errors import ChallengeError
from dfns_signers.signer import KeySigner
from tests.core.keys import is_signature, public_key

CHALLENGE: UserActionChallenge = {
    "challenge": "Y2gtNzloaHQtbXJlb2stOGFwOHFtMmVpZWZ0amxhZw",
    "challengeIdentifier": "eyJ0eXAi",
    "supportedCredentialKinds": [],
    "allowCredentials": {"key": [{"type": "public-key", "id": "cr-1"}]},
    "rp": {},
    "externalAuthenticationUrl": "",
}


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_our_key_signs_their_client_data_as_they_do(
    algorithm: str, our_signer: KeySigner, their_signer: dfns_sdk.KeySigner
) -> None:
    theirs = their_signer.sign(CHALLENGE)["credentialAssertion"]
    message = decode(theirs["clientData"])

    ours = our_signer.key.sign(message)

    if algorithm in {"Ed25519", "RS256"}:
        assert ours == decode(theirs["signature"])
    # ECDSA is randomised: both must verify.
    assert is_signature(public_key(algorithm), message, ours)
    assert is_signature(public_key(algorithm), message, decode(theirs["signature"]))


def test_assertions_have_the_same_shape_and_ours_the_fewest_members(
    our_signer: KeySigner, their_signer: dfns_sdk.KeySigner
) -> None:
    ours, theirs = our_signer.sign(CHALLENGE), their_signer.sign(CHALLENGE)

    assert ours["kind"] == theirs["kind"] == "Key"
    assert ours["credentialAssertion"].keys() == theirs["credentialAssertion"].keys()
    read = [
        json.loads(decode(assertion["credentialAssertion"]["clientData"]))
        for assertion in (ours, theirs)
    ]
    assert read[0] == {"type": "key.get", "challenge": CHALLENGE["challenge"]}
    assert read[0].items() <= read[1].items()


def test_both_refuse_a_challenge_without_a_challenge(
    our_signer: KeySigner, their_signer: dfns_sdk.KeySigner
) -> None:
    with pytest.raises(ChallengeError):
        our_signer.sign({})
    with pytest.raises(KeyError):
        their_signer.sign({})  # type: ignore[typeddict-item]
