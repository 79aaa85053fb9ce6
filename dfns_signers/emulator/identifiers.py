"""Identifiers, dates and tokens in the shapes that Dfns gives them."""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from dfns_signers.emulator.base64url import encode

_ALPHABET = string.ascii_lowercase + string.digits


def new_id(prefix: str) -> str:
    """A new identifier: ``<prefix>-[a-z0-9]{5}-[a-z0-9]{5}-[a-z0-9]{16}`` (Dfns OpenAPI)."""
    return "-".join((prefix, _random(5), _random(5), _random(16)))


def new_challenge() -> str:
    """A challenge: base64url text of a ``ch-`` identifier, as the Dfns docs show it."""
    return encode(new_id("ch").encode("ascii"))


def new_jwt(claims: Mapping[str, Any]) -> str:
    """A token that looks like a JWT; its signature is random bytes."""
    parts = [json.dumps(part).encode() for part in ({"typ": "JWT", "alg": "EdDSA"}, claims)]
    return ".".join(encode(part) for part in (*parts, secrets.token_bytes(64)))


def iso_date(seconds: float) -> str:
    """Seconds since 1970 as Dfns writes dates: ISO 8601, milliseconds, ``Z``."""
    moment = datetime.fromtimestamp(seconds, tz=timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
