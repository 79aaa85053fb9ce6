"""What a token says of itself: read locally, not verified. Source: Dfns SDKs."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from dfns_signers.bounded_json import bounded_json
from dfns_signers.encodings import base64url_decode
from dfns_signers.sealed import Sealed

GATEWAY: Final = "dfns-signers-gateway"
"""The issuer of the tokens that callers of a gateway have."""

_METADATA: Final = "https://custom/app_metadata"
_YEAR_10000: Final = 253_402_300_800
"""Seconds since 1970; what is later is not a date."""


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """Claims of a Dfns token; each is None where the token does not have it.

    Attributes:
        kind: ``ServiceAccount``, ``Pat`` or ``Token``.
        user_id: of the user or the service account.
        token_id: of the token itself.
        organisation: id of the organisation, or of the tenant.
        issuer: who issued it.
        expires_at: seconds since 1970; None also where that is not a date.
    """

    kind: str | None = None
    user_id: str | None = None
    token_id: str | None = None
    organisation: str | None = None
    issuer: str | None = None
    expires_at: float | None = None


def read_claims(token: Sealed[str]) -> TokenClaims | None:
    """The claims of a token; None if it is not a JWT."""
    claims: Any = None
    with suppress(ValueError, IndexError):
        claims = bounded_json(base64url_decode(token.open().split(".")[1]))
    if not isinstance(claims, dict):
        return None
    found = claims.get(_METADATA)
    metadata = found if isinstance(found, dict) else {}
    return TokenClaims(
        kind=_text(metadata.get("tokenKind")),
        user_id=_text(metadata.get("userId")),
        token_id=_text(metadata.get("tokenId")),
        organisation=_text(metadata.get("orgId") or metadata.get("tenantId") or claims.get("sub")),
        issuer=_text(claims.get("iss")),
        expires_at=_moment(claims.get("exp")),
    )


def _moment(value: Any) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value < _YEAR_10000 else None


def _text(value: Any) -> str | None:
    """A claim as it can be shown."""
    return value[:200] or None if isinstance(value, str) else None
