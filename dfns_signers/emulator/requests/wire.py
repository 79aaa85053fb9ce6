"""What goes over the wire: base64url, JSON, identifiers, dates and tokens, as Dfns writes them."""

from __future__ import annotations

import base64
import json
import re
import secrets
import string
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any, Final

from dfns_signers.bounded_json import bounded_json

_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]*")
_ID_CHARACTERS: Final = string.ascii_lowercase + string.digits


def to_base64url(data: bytes) -> str:
    """Base64url without padding, the encoding of all binary members but one (Dfns docs)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def from_base64url(text: str) -> bytes:
    """The bytes of base64url text that is exactly what `to_base64url` would write.

    Raises:
        ValueError: padding, characters outside the alphabet, an impossible length, or unused
            bits at the end that are not zero.
    """
    if text.endswith("="):
        raise ValueError("has padding (=), and base64url without padding is expected")
    if not _BASE64URL.fullmatch(text):
        raise ValueError(
            "has characters outside A-Z a-z 0-9 - _ (base64url is expected, not base64)"
        )
    if len(text) % 4 == 1:
        raise ValueError(f"is not valid base64url: no bytes encode to {len(text)} characters")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if to_base64url(data) != text:
        raise ValueError(
            "is not canonical base64url: the unused bits of the last character are not zero"
        )
    return data


def parse_json(data: bytes) -> Any:
    """Parse UTF-8 JSON that can mean one thing only.

    Raises:
        ValueError: not UTF-8, not JSON, a member name twice in one object, a number that is not
            finite, a lone surrogate, or nested more than 100 deep.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8: {error.reason} at byte {error.start}") from None
    value = bounded_json(text, object_pairs_hook=_members)
    # What cannot be written again is NaN, an overflow or half of a surrogate pair.
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
    return value


def canonical_json(value: Any) -> str:
    """Text that is equal for equal JSON values: ``true``, ``1`` and ``1.0`` all differ."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def kind_of(value: Any) -> str:
    """The JSON name of a parsed value's type, for messages."""
    return {
        dict: "an object",
        list: "an array",
        str: "a string",
        int: "a number",
        float: "a number",
        bool: "a boolean",
    }.get(type(value), "null")


def new_id(prefix: str) -> str:
    """A new identifier: ``<prefix>-[a-z0-9]{5}-[a-z0-9]{5}-[a-z0-9]{16}`` (Dfns OpenAPI)."""
    return "-".join((prefix, _random(5), _random(5), _random(16)))


def new_challenge() -> str:
    """A challenge: base64url text of a ``ch-`` identifier, as the Dfns docs show it."""
    return to_base64url(new_id("ch").encode("ascii"))


def new_jwt(
    claims: Mapping[str, Any], sign: Callable[[str], bytes] = lambda _: secrets.token_bytes(64)
) -> str:
    """A token that looks like a JWT.

    Args:
        claims: its claims.
        sign: 64 bytes in place of a signature over header and claims; random by default.
    """
    parts = [json.dumps(part).encode() for part in ({"typ": "JWT", "alg": "EdDSA"}, claims)]
    text = ".".join(map(to_base64url, parts))
    return f"{text}.{to_base64url(sign(text))}"


def iso_date(seconds: float) -> str:
    """Seconds since 1970 as Dfns writes dates: ISO 8601, milliseconds, ``Z``."""
    moment = datetime.fromtimestamp(seconds, tz=timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_date(text: str) -> datetime:
    """The moment of a date in ISO 8601; one without a time zone is in UTC.

    Raises:
        ValueError: it is not a date.
    """
    # Python 3.10 does not know Z.
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        twice = next(
            name for name, count in Counter(name for name, _ in pairs).items() if count > 1
        )
        raise ValueError(f'the member "{twice[:100]}" occurs twice in one object')
    return members


def _random(length: int) -> str:
    return "".join(secrets.choice(_ID_CHARACTERS) for _ in range(length))
