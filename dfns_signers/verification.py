"""Check an assertion the way Dfns does: form, clientData, and signature."""

from __future__ import annotations

from collections.abc import Mapping

from dfns_signers.algorithms import PublicKey, verify
from dfns_signers.assertions import Assertion, read_challenge
from dfns_signers.bounded_json import bounded_json
from dfns_signers.encodings import base64url_decode
from dfns_signers.errors import EncodingError, InvalidSignatureError


def verify_assertion(
    assertion: object, public_key: PublicKey, challenge: Mapping[str, object] | None = None
) -> None:
    """Check an assertion of a Key credential.

    Args:
        assertion: ``{"kind": "Key", "credentialAssertion": {…}}``.
        public_key: the public key that the credential is registered with.
        challenge: the challenge that it should answer; not compared if None.

    Raises:
        EncodingError: it is not an assertion, or a member is not in its encoding.
        InvalidSignatureError: it answers another challenge, or the signature is not by this key.
    """
    signed, signature = _signed_parts(assertion)
    verify(public_key, signed, signature)
    data = _client_data(signed)
    if data.get("type") != "key.get":
        raise InvalidSignatureError(
            f"the clientData is of type {data.get('type')!r}; an assertion has 'key.get'"
        )
    answered = data.get("challenge")
    if not isinstance(answered, str) or not answered:
        raise EncodingError("the clientData has no 'challenge' string")
    if challenge is not None and answered != read_challenge(challenge):
        raise InvalidSignatureError("the assertion is valid, but answers another challenge")


def _signed_parts(assertion: object) -> tuple[bytes, bytes]:
    inner = assertion.get("credentialAssertion") if isinstance(assertion, Mapping) else None
    if not isinstance(assertion, Mapping) or not isinstance(inner, Mapping):
        raise EncodingError(
            f"expected an assertion with the members {', '.join(Assertion.__annotations__)}"
        )
    if assertion.get("kind") != "Key":
        raise EncodingError("the assertion is not of the kind 'Key'")
    _text(inner, "credId")
    return _binary(inner, "clientData"), _binary(inner, "signature")


def _text(inner: Mapping[str, object], name: str) -> str:
    text = inner.get(name)
    if not isinstance(text, str):
        raise EncodingError(f"the assertion has no {name!r} string")
    return text


def _binary(inner: Mapping[str, object], name: str) -> bytes:
    text = _text(inner, name)
    try:
        return base64url_decode(text)
    except EncodingError as error:
        raise EncodingError(f"{name!r} of the assertion: {error}") from error


def _client_data(signed: bytes) -> Mapping[str, object]:
    try:
        # Decoded first: given bytes, a byte order mark would pass as well.
        data = bounded_json(signed.decode("utf-8"))
    except ValueError as error:
        raise EncodingError("the clientData is not valid JSON") from error
    if not isinstance(data, dict):
        raise EncodingError("the clientData is not a JSON object")
    return data
