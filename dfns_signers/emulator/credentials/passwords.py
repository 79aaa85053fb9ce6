"""Passwords are kept as hashes."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final

_SALT_BYTES: Final = 16


def hash_of(password: str) -> bytes:
    """Salt and scrypt hash; cheap to compute, since nothing here is worth guessing."""
    return _hashed(secrets.token_bytes(_SALT_BYTES), password)


def is_password(kept: bytes, password: str) -> bool:
    """Whether the hash is of this password."""
    return hmac.compare_digest(kept, _hashed(kept[:_SALT_BYTES], password))


def _hashed(salt: bytes, password: str) -> bytes:
    return salt + hashlib.scrypt(password.encode("utf-8"), salt=salt, n=2**10, r=8, p=1)
