"""Until when tokens and certificates are good."""

from __future__ import annotations

import json
from pathlib import Path

from cryptography import x509

from dfns_signers.encodings import base64url_decode
from dfns_signers.errors import EncodingError
from dfns_signers.sealed import Sealed


def token_expiry(token: Sealed[str]) -> float | None:
    """When a token ends, in seconds since 1970; None where its claims do not say, if it has any."""
    parts = token.open().split(".")
    if len(parts) != 3:  # noqa: PLR2004  # a JWT: header, claims, signature
        return None
    try:
        claims = json.loads(base64url_decode(parts[1]))
    except (EncodingError, ValueError, RecursionError):
        return None
    expiry = claims.get("exp") if isinstance(claims, dict) else None
    if not isinstance(expiry, (int, float)) or isinstance(expiry, bool):
        return None
    return float(expiry)


def certificate_expiry(file: Path) -> float:
    """When the first certificate of a chain ends, in seconds since 1970.

    Raises:
        OSError: the file cannot be read.
        ValueError: it has no certificate in PEM.
    """
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    return certificate.not_valid_after_utc.timestamp()
