"""Base64url without padding, the encoding of all binary members (Dfns docs)."""

from __future__ import annotations

import base64
import re

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*")


def encode(data: bytes) -> str:
    """Bytes as base64url text without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The bytes of base64url text that is exactly what `encode` would write.

    Raises:
        ValueError: padding, characters outside the alphabet, an impossible length, or unused
            bits at the end that are not zero.
    """
    if text.endswith("="):
        msg = "has padding (=), and base64url without padding is expected"
        raise ValueError(msg)
    if not _ALPHABET.fullmatch(text):
        msg = "has characters outside A-Z a-z 0-9 - _ (base64url is expected, not base64)"
        raise ValueError(msg)
    if len(text) % 4 == 1:
        msg = f"cannot be base64url: no bytes encode to {len(text)} characters"
        raise ValueError(msg)
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode(data) != text:
        msg = "is not canonical base64url: the unused bits of the last character are not zero"
        raise ValueError(msg)
    return data
