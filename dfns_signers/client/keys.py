"""Typed calls on keys. Source: Dfns API reference, keys and signatures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from typing_extensions import NotRequired

from dfns_signers.client.call import Call
from dfns_signers.client.endpoint import ClientT_co, Resource, listing, signed, unsigned
from dfns_signers.user_action.bodies import members


class Key(TypedDict):
    """A wallet key that Dfns holds; further members may come with it."""

    id: str
    scheme: str
    curve: str
    publicKey: str
    status: str
    dateCreated: str
    custodial: NotRequired[bool]
    name: NotRequired[str | None]


class KeySignature(TypedDict):
    """A signature request; made in the background, so look again until ``status`` is final."""

    id: str
    keyId: str
    status: str
    dateRequested: str
    requestBody: NotRequired[dict[str, Any]]
    signature: NotRequired[dict[str, Any]]
    approvalId: NotRequired[str | None]
    externalId: NotRequired[str | None]
    reason: NotRequired[str | None]


def _create(
    *,
    scheme: str,
    curve: str,
    name: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Call[Key]:
    """Create a key.

    Args:
        scheme: ``ECDSA``, ``EdDSA``, ``Schnorr`` or ``DH``.
        curve: ``secp256k1``, ``ed25519`` or ``stark``.
        name: for people.
        extra: further members of the body, by their names in the API.
    """
    return Call.of("POST", "/keys", json=members(extra, scheme=scheme, curve=curve, name=name))


def _get(key_id: str) -> Call[Key]:
    """Get one key."""
    return Call.of("GET", "/keys/{keyId}", path_params={"keyId": key_id})


def _list(*, owner: str | None = None, limit: int | None = None) -> Call[Key]:
    """List keys; ``limit`` is the size of a page."""
    return Call.of("GET", "/keys", params={"owner": owner, "limit": limit})


def _sign(
    key_id: str,
    *,
    kind: str,
    hash: str | None = None,  # noqa: A002  # the API's own name
    message: str | None = None,
    external_id: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Call[KeySignature]:
    """Have Dfns sign with a key.

    Args:
        key_id: the key.
        kind: ``Hash``, ``Message``, ``Eip191`` or another kind of the API.
        hash: for ``Hash``: 32 bytes in hex.
        message: for ``Message``: bytes in hex.
        external_id: up to 50 characters; makes the call safe to repeat.
        extra: further members of the body, by their names in the API.
    """
    return Call.of(
        "POST",
        "/keys/{keyId}/signatures",
        path_params={"keyId": key_id},
        json=members(extra, kind=kind, hash=hash, message=message, externalId=external_id),
    )


def _get_signature(key_id: str, signature_id: str) -> Call[KeySignature]:
    """Get a signature request, to see whether it is signed by now."""
    return Call.of(
        "GET",
        "/keys/{keyId}/signatures/{signatureId}",
        path_params={"keyId": key_id, "signatureId": signature_id},
    )


class Keys(Resource[ClientT_co]):
    """Keys that Dfns holds, and signatures by them."""

    create = signed(_create)
    get = unsigned(_get)
    list = listing(_list)
    sign = signed(_sign)
    get_signature = unsigned(_get_signature)
