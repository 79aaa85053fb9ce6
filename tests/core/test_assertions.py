"""The JSON that Dfns verifies, read back here the way a server would."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.assertions import (
    attestation_message,
    client_data,
    key_assertion,
    key_attestation,
    read_challenge,
    require_action_challenge,
    require_allowed,
)
from dfns_signers.errors import ChallengeError, CredentialNotAllowedError
from tests.core.keys import (
    ALGORITHMS,
    is_signature,
    make_signature,
    private_key,
    public_key,
    public_pem,
)

# The sample challenge of the Dfns documentation, and what openssl dgst -sha256 and sha256sum say.
CHALLENGE = "Y2gtNzloaHQtbXJlb2stOGFwOHFtMmVpZWZ0amxhZw"
SHA256_OF_KEY_CREATE = "8754d35e2729b0927c24688833ac936cd2fa027adb02319d19bb449551335d67"
CREDENTIAL = "Y2ktNzloaHQ"


def decode(text: str) -> bytes:
    assert "=" not in text
    return base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)


def test_client_data_to_answer_is_the_bytes_of_the_typescript_sdk() -> None:
    assert client_data("key.get", CHALLENGE) == (
        b'{"type":"key.get","challenge":"Y2gtNzloaHQtbXJlb2stOGFwOHFtMmVpZWZ0amxhZw"}'
    )


def test_client_data_to_register_has_the_digest_that_sha256sum_shows() -> None:
    signed = client_data("key.create", CHALLENGE)

    assert signed == b'{"type":"key.create","challenge":"%s"}' % CHALLENGE.encode()
    assert hashlib.sha256(signed).hexdigest() == SHA256_OF_KEY_CREATE


def test_client_data_unicode_challenge_is_utf_8_without_escapes() -> None:
    assert client_data("key.get", "é‖😀") == (
        b'{"type":"key.get","challenge":"\xc3\xa9\xe2\x80\x96\xf0\x9f\x98\x80"}'
    )


def test_client_data_quotes_in_the_challenge_cannot_add_members() -> None:
    signed = client_data("key.get", 'a","type":"key.create')

    assert json.loads(signed) == {"type": "key.get", "challenge": 'a","type":"key.create'}
    assert signed.startswith(b'{"type":"key.get","challenge":"a\\",')


@given(st.text())
def test_client_data_any_text_is_read_back_verbatim_in_two_members(challenge: str) -> None:
    pairs = json.loads(client_data("key.get", challenge), object_pairs_hook=list)

    assert pairs == [("type", "key.get"), ("challenge", challenge)]


def test_client_data_lone_surrogate_refused() -> None:
    with pytest.raises(ChallengeError, match="lone surrogate"):
        client_data("key.get", "a\ud800")


@given(signed=st.binary(max_size=100), signature=st.binary(max_size=100))
def test_key_assertion_has_exactly_the_members_that_dfns_takes(
    signed: bytes, signature: bytes
) -> None:
    assertion = key_assertion(CREDENTIAL, signed, signature)

    assert assertion.keys() == {"kind", "credentialAssertion"}
    assert assertion["kind"] == "Key"
    inner = assertion["credentialAssertion"]
    assert inner.keys() == {"credId", "clientData", "signature"}
    assert inner["credId"] == CREDENTIAL
    assert decode(inner["clientData"]) == signed
    assert decode(inner["signature"]) == signature


def test_attestation_message_known_answer() -> None:
    assert attestation_message(CHALLENGE, "-----BEGIN-----\nAA/+\n") == (
        b'{"clientDataHash":"8754d35e2729b0927c24688833ac936cd2fa027adb02319d19bb449551335d67",'
        b'"publicKey":"-----BEGIN-----\\nAA/+\\n"}'
    )


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_key_attestation_verifies_when_it_is_read_as_a_server_does(algorithm: str) -> None:
    pem = public_pem(public_key(algorithm)).decode()
    message = attestation_message(CHALLENGE, pem)

    info = key_attestation(
        CREDENTIAL, CHALLENGE, pem, make_signature(private_key(algorithm), message)
    )

    assert info.keys() == {"credId", "clientData", "attestationData"}
    assert info["credId"] == CREDENTIAL
    signed = decode(info["clientData"])
    assert json.loads(signed) == {"type": "key.create", "challenge": CHALLENGE}
    attestation = json.loads(decode(info["attestationData"]))
    assert attestation.keys() == {"publicKey", "signature"}
    assert attestation["publicKey"] == pem
    digest = hashlib.sha256(signed).hexdigest()
    expected = json.dumps(
        {"clientDataHash": digest, "publicKey": attestation["publicKey"]},
        sort_keys=True,
        separators=(",", ":"),
    )
    signature = bytes.fromhex(attestation["signature"])
    assert is_signature(public_key(algorithm), expected.encode(), signature)


def test_key_attestation_signature_is_lower_case_hex() -> None:
    info = key_attestation(CREDENTIAL, CHALLENGE, "PEM", b"\xab\xcd\x01")

    assert json.loads(decode(info["attestationData"]))["signature"] == "abcd01"


def test_read_challenge_gives_the_text_verbatim() -> None:
    assert read_challenge({"challenge": " Y2g= ", "rp": {}}) == " Y2g= "


@pytest.mark.parametrize("thing", [None, "Y2g", 7, ["Y2g"], b"{}"])
def test_read_challenge_of_no_object_refused_with_what_was_found(thing: object) -> None:
    with pytest.raises(ChallengeError, match=f"found {type(thing).__name__}"):
        read_challenge(thing)


@pytest.mark.parametrize(
    "challenge",
    [{}, {"challenge": None}, {"challenge": ""}, {"challenge": 7}, {"challenge": ["Y2g"]}],
)
def test_read_challenge_without_text_refused(challenge: dict[str, Any]) -> None:
    with pytest.raises(ChallengeError, match="nothing to sign"):
        read_challenge(challenge)


@pytest.mark.parametrize(
    "challenge",
    [
        {},
        {"allowCredentials": None},
        {"allowCredentials": {}},
        {"allowCredentials": {"key": None}},
        {"allowCredentials": {"webauthn": [{"id": "other"}]}},
        {"allowCredentials": {"key": [{"type": "public-key", "id": CREDENTIAL}]}},
        {"allowCredentials": {"key": ({"id": "other"}, {"id": CREDENTIAL})}},
    ],
)
def test_require_allowed_list_is_absent_or_has_the_credential_accepted(
    challenge: dict[str, Any],
) -> None:
    require_allowed(challenge, CREDENTIAL)


def test_require_allowed_empty_list_refused_as_an_identity_without_an_active_one() -> None:
    with pytest.raises(
        CredentialNotAllowedError, match="has no Key credential that is active"
    ) as caught:
        require_allowed({"allowCredentials": {"key": []}}, CREDENTIAL)
    assert CREDENTIAL in str(caught.value)
    assert "that the credential was not deactivated" in str(caught.value)


REGISTRATION = {
    "kind": "Key",
    "user": {"id": "us-1", "displayName": "ada", "name": "ada"},
    "challengeIdentifier": "eyJ",
    "challenge": CHALLENGE,
    "rp": {"id": "dfns.ninja", "name": "Dfns"},
    "attestation": "direct",
    "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
    "temporaryAuthenticationToken": "",
}


def test_require_action_challenge_of_a_registration_refused_with_what_answers_it() -> None:
    with pytest.raises(ChallengeError, match="registration of a credential") as caught:
        require_action_challenge(REGISTRATION)
    assert "dfns_signers.registration.attest" in str(caught.value)


@pytest.mark.parametrize(
    "challenge",
    [
        {"challenge": CHALLENGE},
        {"challenge": CHALLENGE, "allowCredentials": {}, "pubKeyCredParams": []},
        {
            "challenge": CHALLENGE,
            "challengeIdentifier": "eyJ",
            "rp": {"id": "dfns.ninja", "name": "Dfns"},
            "supportedCredentialKinds": [{"kind": "Key", "factor": "either"}],
            "userVerification": "required",
            "attestation": "direct",
            "allowCredentials": {"key": [], "webauthn": []},
            "externalAuthenticationUrl": "",
        },
    ],
)
def test_require_action_challenge_of_a_user_action_accepted(challenge: dict[str, Any]) -> None:
    require_action_challenge(challenge)


@pytest.mark.parametrize("near", [CREDENTIAL.lower(), CREDENTIAL + "=", CREDENTIAL[:-1], ""])
def test_require_allowed_other_credential_refused_naming_both(near: str) -> None:
    with pytest.raises(CredentialNotAllowedError) as caught:
        require_allowed({"allowCredentials": {"key": [{"id": near}]}}, CREDENTIAL)

    assert repr(CREDENTIAL) in str(caught.value)
    assert f"it allows {near!r}." in str(caught.value)


@pytest.mark.parametrize(("count", "rest"), [(10, ""), (11, " and 1 more"), (37, " and 27 more")])
def test_require_allowed_many_others_names_ten_and_counts_the_rest(count: int, rest: str) -> None:
    names = [f"cr-{number:03}" for number in range(count)]
    challenge = {"allowCredentials": {"key": [{"id": name} for name in names]}}

    with pytest.raises(CredentialNotAllowedError) as caught:
        require_allowed(challenge, CREDENTIAL)

    message = str(caught.value)
    assert all(repr(name) in message for name in names[:10])
    assert not any(name in message for name in names[10:])
    assert f"'cr-009'{rest}." in message


@pytest.mark.parametrize(
    ("allow", "expected"),
    [
        ([], "not an object"),
        ("key", "not an object"),
        (0, "not an object"),
        ({"key": {}}, "not an array"),
        ({"key": CREDENTIAL}, "not an array"),
        ({"key": 0}, "not an array"),
        ({"key": [CREDENTIAL]}, "no 'id' string"),
        ({"key": [{}]}, "no 'id' string"),
        ({"key": [{"id": None}]}, "no 'id' string"),
        ({"key": [{"id": CREDENTIAL}, {"id": 7}]}, "no 'id' string"),
    ],
)
def test_require_allowed_malformed_list_refused(allow: object, expected: str) -> None:
    with pytest.raises(ChallengeError, match=expected):
        require_allowed({"allowCredentials": allow}, CREDENTIAL)
