"""TOTP (RFC 6238) with the defaults of authenticator apps: SHA-1, 30 seconds, 6 digits."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from dfns_signers.emulator.credentials.relying_party import NAME

_STEP: Final = 30
_DIGITS: Final = 6


def otp_url(username: str, secret: bytes) -> str:
    """The URL that authenticator apps read as a QR code (Key URI format)."""
    return _totp(secret).get_provisioning_uri(username, NAME)


def is_valid_code(secret: bytes, code: str, now: float) -> bool:
    """Whether it is the code of the present 30 seconds, or of those before or after."""
    totp = _totp(secret)
    codes = [totp.generate(max(0, int(now) + offset)) for offset in (-_STEP, 0, _STEP)]
    return code.encode("utf-8") in codes


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, _DIGITS, SHA1(), _STEP)  # noqa: S303 - what authenticator apps use
