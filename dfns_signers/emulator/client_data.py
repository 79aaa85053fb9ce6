"""Client data: the JSON that is signed, with the challenge in it (WebAuthn and Dfns docs)."""

from __future__ import annotations

from typing import Any

from dfns_signers.emulator import base64url
from dfns_signers.emulator.refusals import bad_request, quoted
from dfns_signers.emulator.strict_json import kind_of, parse


def decoded(where: str, text: str) -> bytes:
    """The bytes of a base64url member, refused with 400 if it is not canonical base64url."""
    try:
        return base64url.decode(text)
    except ValueError as error:
        raise bad_request("base64url", f"{where} {error}.", field=where) from None


def check_client_data(where: str, data: bytes, *, wanted_type: str, challenge: str) -> None:
    """Refuse client data of another type or for another challenge.

    Other members are allowed: official SDKs send ``origin`` and ``crossOrigin``.
    """
    try:
        content = parse(data)
    except ValueError as error:
        raise bad_request("clientData.json", f"{where} is not UTF-8 JSON: {error}.") from None
    if not isinstance(content, dict):
        raise bad_request(
            "clientData.object", f"{where} must be a JSON object, and is {kind_of(content)}."
        )
    for member, wanted in (("type", wanted_type), ("challenge", challenge)):
        found: Any = content.get(member)
        if found != wanted:
            shown = quoted(found) if isinstance(found, str) else kind_of(found)
            raise bad_request(
                f"clientData.{member}",
                f'The {member} in {where} must be "{wanted}", and is {shown}.',
                expected=wanted,
                found=shown,
            )
