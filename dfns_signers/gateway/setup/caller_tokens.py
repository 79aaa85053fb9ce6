"""Tokens of callers: 256 random bits, in the shape that the official SDKs expect of a token."""

from __future__ import annotations

import json
import secrets
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from dfns_signers.config.loading import load_profile
from dfns_signers.encodings import base64url_encode
from dfns_signers.errors import ConfigurationError
from dfns_signers.sealed import Sealed
from dfns_signers.user_action.token_claims import read_claims

_BYTES: Final = 32


def new_token(caller: str, organisation: str | None) -> Sealed[str]:
    """A token for a caller; nothing in it is ever read by the gateway.

    With an organisation, it has the form of a JWT: the official SDK for TypeScript refuses any
    other one before it sends it, and compares ``orgId`` with that of its own settings
    (``assertAuthTokenIsSameOrg``). In place of a signature it has the random bits.

    Args:
        caller: its name.
        organisation: id that Dfns gave it; None if it is not known.
    """
    random = base64url_encode(secrets.token_bytes(_BYTES))
    if organisation is None:
        return Sealed(random)
    claims = {
        "iss": "dfns-signers-gateway",
        "sub": organisation,
        "https://custom/username": caller,
        "https://custom/app_metadata": {"orgId": organisation},
    }
    parts = (_part({"alg": "none", "typ": "JWT"}), _part(claims), random)
    return Sealed(".".join(parts))


def token_digest(token: Sealed[str]) -> str:
    """SHA-256 of a token, as ``token_sha256`` has it: lower-case hexadecimal."""
    return sha256(token.open().encode("utf-8")).hexdigest()


def organisation_of(profile: str | None, config: Path) -> str | None:
    """The organisation of the token of a profile; None where it cannot be read.

    Args:
        profile: its name; None for the one that the configuration chooses.
        config: the configuration file, which need not be there.
    """
    try:
        token = load_profile(
            profile, config=config if config.exists() else None
        ).settings.auth_token
        claims = read_claims(Sealed(token.reveal())) if token else None
    except ConfigurationError:
        return None
    return claims.organisation if claims else None


def _part(value: Any) -> str:
    return base64url_encode(json.dumps(value, separators=(",", ":")).encode("utf-8"))
