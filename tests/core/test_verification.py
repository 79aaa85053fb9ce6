"""An assertion is verified offline: its form, its clientData, its signature."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dfns_signers.errors import ChallengeError, EncodingError, InvalidSignatureError
from dfns_signers.verification import verify_assertion
from tests.core.keys import ALGORITHMS, make_signature, private_key, public_key, stranger

SIGNED = b'{"type":"key.get","challenge":"Y2gt"}'


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def assertion_over(
    signed: bytes = SIGNED, algorithm: str = "Ed25519", members: Mapping[str, object] | None = None
) -> Any:
    signature = make_signature(private_key(algorithm), signed)
    return {
        "kind": "Key",
        "credentialAssertion": {
            "credId": "Y2kt",
            "clientData": base64url(signed),
            "signature": base64url(signature),
            **(members or {}),
        },
    }


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_signature_by_the_key_is_accepted(algorithm: str) -> None:
    verify_assertion(assertion_over(algorithm=algorithm), public_key(algorithm))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_signature_by_another_key_refused(algorithm: str) -> None:
    with pytest.raises(InvalidSignatureError, match="not by this key"):
        verify_assertion(assertion_over(algorithm=algorithm), stranger(algorithm).public_key())


@pytest.mark.parametrize("signed_for", ALGORITHMS)
def test_signature_for_another_algorithm_refused(signed_for: str) -> None:
    for algorithm in set(ALGORITHMS) - {signed_for}:
        with pytest.raises((EncodingError, InvalidSignatureError)):
            verify_assertion(assertion_over(algorithm=signed_for), public_key(algorithm))


def test_client_data_that_was_changed_after_signing_refused() -> None:
    changed = base64url(SIGNED.replace(b"Y2gt", b"Y2hu"))

    with pytest.raises(InvalidSignatureError, match="not by this key over this message"):
        verify_assertion(assertion_over(members={"clientData": changed}), public_key("Ed25519"))


def test_answer_to_the_challenge_is_accepted() -> None:
    verify_assertion(assertion_over(), public_key("Ed25519"), {"challenge": "Y2gt"})


def test_answer_to_another_challenge_refused() -> None:
    with pytest.raises(InvalidSignatureError, match="answers another challenge"):
        verify_assertion(assertion_over(), public_key("Ed25519"), {"challenge": "b3RoZXI"})


def test_challenge_that_is_none_refused_as_such() -> None:
    with pytest.raises(ChallengeError):
        verify_assertion(assertion_over(), public_key("Ed25519"), {"challenge": 7})


@pytest.mark.parametrize("kind", ["key.create", "webauthn.get", "", 7, None])
def test_signature_for_another_purpose_refused(kind: object) -> None:
    signed = json.dumps({"type": kind, "challenge": "Y2gt"}).encode()

    with pytest.raises(InvalidSignatureError, match=r"'key\.get'"):
        verify_assertion(assertion_over(signed), public_key("Ed25519"))


@pytest.mark.parametrize(
    "signed",
    [
        b"",
        b"key.get",
        b"[]",
        b'"key.get"',
        b"null",
        b"\xff",
        SIGNED.decode().encode("utf-16"),
        b"[" * 100_000,
    ],
    ids=["empty", "text", "array", "string", "null", "bytes", "UTF-16", "deep"],
)
def test_signed_bytes_that_are_no_json_object_refused(signed: bytes) -> None:
    with pytest.raises(EncodingError, match=r"the clientData is not (valid|a) JSON"):
        verify_assertion(assertion_over(signed), public_key("Ed25519"))


@pytest.mark.parametrize(
    "assertion",
    [None, 7, "text", [], {}, {"kind": "Key"}, {"kind": "Key", "credentialAssertion": []}],
)
def test_what_is_no_assertion_refused_with_the_members_it_should_have(assertion: object) -> None:
    with pytest.raises(EncodingError, match="the members kind, credentialAssertion"):
        verify_assertion(assertion, public_key("Ed25519"))


@pytest.mark.parametrize("kind", ["Fido2", "PasswordProtectedKey", "key", None])
def test_assertion_of_another_kind_refused_though_its_signature_is_valid(kind: object) -> None:
    with pytest.raises(EncodingError, match="not of the kind 'Key'"):
        verify_assertion({**assertion_over(), "kind": kind}, public_key("Ed25519"))


@pytest.mark.parametrize("member", ["credId", "clientData", "signature"])
@pytest.mark.parametrize("value", [None, 7, []])
def test_member_that_is_no_text_refused_with_its_name(member: str, value: object) -> None:
    with pytest.raises(EncodingError, match=f"has no '{member}' string"):
        verify_assertion(assertion_over(members={member: value}), public_key("Ed25519"))


@pytest.mark.parametrize("member", ["clientData", "signature"])
@pytest.mark.parametrize("value", ["a+b/", "AA==", "A", "ä", " "])
def test_member_in_another_encoding_refused_with_its_name(member: str, value: str) -> None:
    with pytest.raises(EncodingError, match=f"'{member}' of the assertion"):
        verify_assertion(assertion_over(members={member: value}), public_key("Ed25519"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
MEMBERS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("credId", "clientData", "signature"), JSON)
)


@settings(deadline=None)
@given(assertion=JSON | MEMBERS.map(lambda inner: {"kind": "Key", "credentialAssertion": inner}))
def test_any_json_that_nobody_signed_is_refused(assertion: object) -> None:
    with pytest.raises((EncodingError, InvalidSignatureError)):
        verify_assertion(assertion, public_key("ES256"))


@settings(max_examples=50, deadline=None)
@given(signed=st.binary().filter(lambda signed: b"key.get" not in signed))
def test_any_signed_bytes_are_refused_unless_they_are_client_data(signed: bytes) -> None:
    with pytest.raises((EncodingError, InvalidSignatureError)):
        verify_assertion(assertion_over(signed), public_key("Ed25519"))


@pytest.mark.parametrize("member", ["", ',"challenge":""', ',"challenge":7', ',"challenge":null'])
def test_client_data_without_a_challenge_is_refused(member: str) -> None:
    signed = f'{{"type":"key.get"{member}}}'.encode()

    with pytest.raises(EncodingError, match="no 'challenge' string"):
        verify_assertion(assertion_over(signed), public_key("Ed25519"))
