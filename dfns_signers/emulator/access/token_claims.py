"""The claims of bearer tokens, of which clients read the organisation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def token_claims(
    member_of: str, name: str, issued_at: float, expires_at: float | None, **metadata: str
) -> Mapping[str, Any]:
    """The claims that Dfns tokens have (official SDKs and docs).

    Args:
        member_of: id of the organisation.
        name: of the user or service account.
        issued_at: seconds since 1970.
        expires_at: likewise; None for a token that does not expire.
        metadata: ids of user and token, and the kind of the token.
    """
    return {
        "iss": "dfns-signers-emulator",
        "aud": "dfns:api",
        "sub": member_of,
        "iat": int(issued_at),
        **({} if expires_at is None else {"exp": int(expires_at)}),
        "https://custom/username": name,
        "https://custom/app_metadata": {"orgId": member_of, **metadata},
    }
