"""What a token says of itself: read locally, not verified. Source: claims of the official SDKs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from dfns_signers.encodings import base64url_decode
from dfns_signers.sealed import Sealed

_METADATA: Final = "https://custom/app_metadata"


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """Claims of a Dfns token; each is None where the token does not have it.

    Attributes:
        kind: ``ServiceAccount``, ``Pat`` or ``Token``.
        user_id: of the user or the service account.
        token_id: of the token itself.
        organisation: id of the organisation, or of the tenant.
        expires_at: seconds since 1970.
    """

    kind: str | None
    user_id: str | None
    token_id: str | None
    organisation: str | None
    expires_at: float | None


def read_claims(token: Sealed[str]) -> TokenClaims | None:
    """The claims of a token; None if it is not a JWT with claims of Dfns."""
    claims: Any = None
    with suppress(ValueError, RecursionError, IndexError):
        claims = json.loads(base64url_decode(token.open().split(".")[1]))
    metadata = claims.get(_METADATA) if isinstance(claims, Mapping) else None
    if not isinstance(metadata, Mapping):
        return None
    expiry = claims.get("exp")
    return TokenClaims(
        kind=_text(metadata, "tokenKind"),
        user_id=_text(metadata, "userId"),
        token_id=_text(metadata, "tokenId"),
        organisation=_text(metadata, "orgId") or _text(metadata, "tenantId"),
        expires_at=expiry if isinstance(expiry, (int, float)) else None,
    )


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name)
    return value if isinstance(value, str) else None
