"""Client data: the JSON with the challenge in it, which every credential signs.

WebAuthn defines it for passkeys, the Dfns docs for keys.
"""

from __future__ import annotations

import json
from typing import Any

from dfns_signers.emulator.credentials.relying_party import RelyingParty
from dfns_signers.emulator.requests.messages import CheckName, Refusal, bad_request, quoted
from dfns_signers.emulator.requests.wire import from_base64url, kind_of, parse_json, to_base64url


def decoded(where: str, text: str) -> bytes:
    """The bytes of a base64url member, refused with 400 if it is not base64url."""
    try:
        return from_base64url(text)
    except ValueError as error:
        raise bad_request("base64url", f"{where} {error}.", field=where) from None


def read_client_data(where: str, data: bytes, wanted_type: str) -> dict[str, Any]:
    """The members of client data of this type; refused with 400 if it is another."""
    try:
        content = parse_json(data)
    except ValueError as error:
        raise bad_request("clientData.json", f"{where} is not UTF-8 JSON: {error}.") from None
    if not isinstance(content, dict):
        raise bad_request(
            "clientData.object", f"{where} must be a JSON object, and is {kind_of(content)}."
        )
    _require(where, content, "type", wanted_type)
    return content


def check_key_client_data(where: str, data: bytes, wanted_type: str, challenge: str) -> None:
    """Refuse client data of a key for another type or challenge.

    Other members are allowed: official SDKs send ``origin`` and ``crossOrigin``.
    """
    _require(where, read_client_data(where, data, wanted_type), "challenge", challenge)


def check_passkey_client_data(
    where: str, data: bytes, wanted_type: str, challenge: str, site: RelyingParty
) -> str:
    """The origin in the client data of a passkey; refused unless it is right for the site.

    Browsers encode the challenge that a page gives them. The official browser SDK gives the bytes
    of the challenge's text, other SDKs the bytes that the text encodes.
    """
    content = read_client_data(where, data, wanted_type)
    encoded_twice = to_base64url(challenge.encode("ascii"))
    if content.get("challenge") != encoded_twice:
        _require(where, content, "challenge", challenge)
    origin = content.get("origin")
    if not isinstance(origin, str) or not site.allows(origin):
        raise _differs("clientData.origin", where, "origin", site.expected, origin)
    if content.get("crossOrigin", False) is not False:
        raise _differs(
            "clientData.crossOrigin", where, "crossOrigin", "false", content["crossOrigin"]
        )
    return origin


def _require(where: str, content: dict[str, Any], member: str, wanted: str) -> None:
    found = content.get(member)
    if found != wanted:
        check: CheckName = "clientData.type" if member == "type" else "clientData.challenge"
        raise _differs(check, where, member, f'"{wanted}"', found)


def _differs(check: CheckName, where: str, member: str, wanted: str, found: Any) -> Refusal:
    shown = quoted(found) if isinstance(found, str) else kind_of(found)
    if isinstance(found, bool):
        shown = json.dumps(found)
    return bad_request(
        check,
        f"The {member} in {where} must be {wanted}, and is {shown}.",
        expected=wanted.strip('"'),
        found=shown,
    )
