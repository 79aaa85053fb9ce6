"""TOTP (RFC 6238) with the defaults of authenticator apps: SHA-1, 30 seconds, 6 digits."""

from __future__ import annotations

import base64
import hmac
from typing import Final
from urllib.parse import quote, urlencode

from dfns_signers.emulator.relying_party import NAME

_STEP: Final = 30
_DIGITS: Final = 6


def otp_url(username: str, secret: bytes) -> str:
    """The URL that authenticator apps read as a QR code (Key URI format)."""
    text = base64.b32encode(secret).decode("ascii").rstrip("=")
    label = quote(f"{NAME}:{username}")
    return f"otpauth://totp/{label}?{urlencode({'secret': text, 'issuer': NAME})}"


def is_valid_code(secret: bytes, code: str, now: float) -> bool:
    """Whether it is the code of the present 30 seconds, or of those before or after."""
    step = int(now) // _STEP
    return code in {_code(secret, step + offset) for offset in (-1, 0, 1)}


def _code(secret: bytes, step: int) -> str:
    """HOTP (RFC 4226) of a time step."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    start = digest[-1] & 0x0F
    value = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return f"{value % 10**_DIGITS:0{_DIGITS}}"
