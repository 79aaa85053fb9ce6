"""The JSON that Dfns verifies: clientData, the Key assertion and the Key attestation.

Source: Dfns documentation on user action signing and on credentials; the clientData is the form of
the official TypeScript SDK, the one with the fewest members.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final, Literal, TypeAlias, TypedDict

from dfns_signers.encodings import base64url_encode, sha256_hex
from dfns_signers.errors import ChallengeError, CredentialNotAllowedError


class Assertion(TypedDict):
    """The first factor that answers a challenge, as ``POST /auth/action`` takes it.

    ``kind`` is ``Key``; ``credentialAssertion`` has exactly ``credId``, ``clientData`` and
    ``signature``, the last two in base64url without padding.
    """

    kind: str
    credentialAssertion: dict[str, str]


class CredentialInfo(TypedDict):
    """Proof of possession of a new key, the ``credentialInfo`` of ``POST /auth/credentials``."""

    credId: str
    clientData: str
    attestationData: str


ClientDataType: TypeAlias = Literal["key.get", "key.create"]
_MAX_NAMED: Final = 10

# The dict comes first: asking the abstract class takes three times as long.
_OBJECT: Final = (dict, Mapping)
_json_text: Final = json.JSONEncoder(ensure_ascii=False).encode


def client_data(kind: ClientDataType, challenge: str) -> bytes:
    """The bytes that a key signs: ``{"type":"…","challenge":"…"}`` in UTF-8, no spaces.

    Args:
        kind: ``key.get`` to answer a user action, ``key.create`` to register a key.
        challenge: verbatim, as the API sent it; it is never decoded.

    Raises:
        ChallengeError: the challenge cannot be encoded as UTF-8.
    """
    try:
        return f'{{"type":"{kind}","challenge":{_json_text(challenge)}}}'.encode()
    except UnicodeEncodeError as error:
        raise ChallengeError(
            "the challenge contains a lone surrogate and cannot be encoded as UTF-8"
        ) from error


def key_assertion(credential_id: str, signed: bytes, signature: bytes) -> Assertion:
    """Assemble the assertion of a Key credential.

    Args:
        credential_id: ``credId`` of the credential.
        signed: the clientData bytes that were signed.
        signature: canonical signature bytes over them.
    """
    return {
        "kind": "Key",
        "credentialAssertion": {
            "credId": credential_id,
            "clientData": base64url_encode(signed),
            "signature": base64url_encode(signature),
        },
    }


def attestation_message(challenge: str, public_key_pem: str) -> bytes:
    """The bytes that a new key signs to prove possession, when it is registered."""
    digest = sha256_hex(client_data("key.create", challenge))
    return _compact({"clientDataHash": digest, "publicKey": public_key_pem})


def key_attestation(
    credential_id: str, challenge: str, public_key_pem: str, signature: bytes
) -> CredentialInfo:
    """Assemble the proof of possession of a new Key credential.

    Args:
        credential_id: the ``credId`` of the new credential; the caller chooses it.
        challenge: verbatim, from ``POST /auth/credentials/init``.
        public_key_pem: SPKI PEM of the new key, the very text of ``attestation_message``.
        signature: canonical signature over ``attestation_message``; hex on the wire, the one
            place where Dfns does not use base64url.
    """
    attestation = {"publicKey": public_key_pem, "signature": signature.hex()}
    return {
        "credId": credential_id,
        "clientData": base64url_encode(client_data("key.create", challenge)),
        "attestationData": base64url_encode(_compact(attestation)),
    }


def read_challenge(challenge: object) -> str:
    """The challenge text of an answer of ``POST /auth/action/init``; ChallengeError without one."""
    if not isinstance(challenge, _OBJECT):
        raise ChallengeError(f"expected a challenge object, found {type(challenge).__name__}")
    text = challenge.get("challenge")
    if not isinstance(text, str) or not text:
        raise ChallengeError(
            "the challenge object has no 'challenge' string: there is nothing to sign"
        )
    return text


def require_action_challenge(challenge: Mapping[str, object]) -> None:
    """Refuse the challenge of a registration: an assertion does not answer it.

    Only creation options have ``pubKeyCredParams``, and only those of a user action or a login have
    ``allowCredentials`` (WebAuthn, Dfns docs).

    Raises:
        ChallengeError: it is the answer of ``POST /auth/credentials/init`` or the like.
    """
    if "pubKeyCredParams" in challenge and "allowCredentials" not in challenge:
        raise ChallengeError(
            "this challenge is for the registration of a credential, not for a user action: POST "
            "/auth/credentials/init gave it, and dfns_signers.registration.attest answers it"
        )


def require_allowed(challenge: Mapping[str, object], credential_id: str) -> None:
    """Refuse a credential that the challenge does not list among its Key credentials.

    A challenge without such a list (absent or null) allows every credential here; the API decides.

    Raises:
        CredentialNotAllowedError: another credential is asked for; the message names those.
        ChallengeError: the list is malformed.
    """
    allowed = _allowed_credentials(challenge)
    if allowed is None or credential_id in allowed:
        return
    if not allowed:
        raise CredentialNotAllowedError(
            f"the challenge allows no Key credential, and {credential_id!r} is configured: the "
            "identity of the token has no Key credential that is active. Check that token and "
            "credential id belong together, and that the credential was not deactivated"
        )
    more = f" and {len(allowed) - _MAX_NAMED} more" if len(allowed) > _MAX_NAMED else ""
    raise CredentialNotAllowedError(
        f"the challenge does not allow the credential {credential_id!r}; it allows "
        f"{', '.join(map(repr, allowed[:_MAX_NAMED]))}{more}. Check that token and credential id "
        "belong together, and that the credential is active"
    )


def _allowed_credentials(challenge: Mapping[str, object]) -> list[str] | None:
    allow = challenge.get("allowCredentials")
    if allow is None:
        return None
    if not isinstance(allow, _OBJECT):
        raise ChallengeError("'allowCredentials' of the challenge is not an object")
    keys = allow.get("key")
    if keys is None:
        return None
    if not isinstance(keys, (list, tuple)):
        raise ChallengeError("'allowCredentials.key' of the challenge is not an array")
    allowed = []
    for entry in keys:
        identifier = entry.get("id") if isinstance(entry, _OBJECT) else None
        if not isinstance(identifier, str):
            raise ChallengeError("an entry of 'allowCredentials.key' has no 'id' string")
        allowed.append(identifier)
    return allowed


def _compact(value: Mapping[str, str]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
