"""Values that callers carry for the gateway, sealed so that nothing has to be stored for them."""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Literal, TypeAlias

from dfns_signers.encodings import base64url_decode, base64url_encode

Purpose: TypeAlias = Literal["challenge", "user action"]

_VERSION: Final = b"\x01"
_EXPIRY_BYTES: Final = 8
_BYTES: Final = 32  # of a nonce, a digest, and an authentication code
# In base64url, which its 105 bytes fill.
_FORM: Final = re.compile(r"[A-Za-z0-9_-]{140}")


class BrokenSealError(Exception):
    """What a caller brought was not sealed here, for this purpose and holder, or is too old."""


@dataclass(frozen=True, slots=True)
class Seal:
    """What is under a seal.

    Attributes:
        nonce: 32 bytes, unique to this seal.
        digest: SHA-256 of what the seal is for.
    """

    nonce: bytes
    digest: bytes


class Seals:
    """Seals values and opens them again, by HMAC-SHA256.

    A sealed value is base64url without padding of: version (1 byte), expiry (8 bytes, seconds
    since 1970, big-endian), nonce (32), digest (32), authentication code (32). The code also covers
    purpose and holder, so that a seal is of no use for another.

    Args:
        keys: 32 bytes or more each; the first seals, all open. Without any, a random one.
        clock: the time in seconds since 1970.
    """

    def __init__(self, keys: Sequence[bytes], clock: Callable[[], float]) -> None:
        self._keys = tuple(keys) or (os.urandom(_BYTES),)
        self._clock = clock

    def seal(self, purpose: Purpose, holder: bytes, sealed: Seal, seconds: float) -> str:
        """Seal a value, which opens for so many seconds, for the same purpose and holder alone."""
        expiry = int(self._clock() + seconds).to_bytes(_EXPIRY_BYTES, "big")
        content = _VERSION + expiry + sealed.nonce + sealed.digest
        return base64url_encode(content + _code(self._keys[0], purpose, holder, content))

    def open(self, purpose: Purpose, holder: bytes, text: str) -> Seal:
        """What is under a seal.

        Raises:
            BrokenSealError: it is not one of ours, of another purpose or holder, or too old.
        """
        # Not base64url_decode alone, whose error would show what may be a token of somebody else.
        if not _FORM.fullmatch(text):
            raise BrokenSealError("not in the form of a seal")
        data = base64url_decode(text)
        content, code = data[:-_BYTES], data[-_BYTES:]
        if not any(
            hmac.compare_digest(code, _code(key, purpose, holder, content)) for key in self._keys
        ):
            raise BrokenSealError("not sealed here for this")
        start = len(_VERSION) + _EXPIRY_BYTES
        if self._clock() >= int.from_bytes(content[len(_VERSION) : start], "big"):
            raise BrokenSealError("too old")
        return Seal(content[start : start + _BYTES], content[start + _BYTES :])


def _code(key: bytes, purpose: Purpose, holder: bytes, content: bytes) -> bytes:
    label = f"dfns-signers gateway: {purpose}".encode()
    parts = (label, holder, content)
    return hmac.digest(key, b"".join(sha256(part).digest() for part in parts), "sha256")
