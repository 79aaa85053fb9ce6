"""Checks of the token without sending it: what it says of itself.

Source: Dfns SDKs and documentation, on kinds and issuers of tokens.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Final
from urllib.parse import urlsplit

from dfns_signers.backends.diagnosis import Finding
from dfns_signers.config.loading import LoadedProfile
from dfns_signers.lifecycle.checks import Findings, checked, failure, ok, warning
from dfns_signers.sealed import Sealed
from dfns_signers.secrets import Secret
from dfns_signers.user_action.token_claims import GATEWAY, TokenClaims, read_claims
from dfns_signers.user_action.tokens import checked_token

_NEW: Final = (
    "make one with 'dfns-signers register service-account' or 'dfns-signers register token'"
)
_LONG_LIVED: Final = frozenset({"Pat", "ServiceAccount"})
_KINDS: Final = _LONG_LIVED | {"Token"}
_SOON: Final = 7 * 86_400.0
"""Seconds; time to renew a token that lives for months."""
_OF_DFNS: Final = (".dfns.io", ".dfns.ninja")
_ISSUERS: Final[Mapping[str, str]] = {
    "emulator": "the emulator",
    "uae": "api.uae.dfns.io",
    "ninja": "api.dfns.ninja",
}
"""The place that a token is good for, by what its issuer has in its name."""


def readable_token(loaded: LoadedProfile) -> Findings[Sealed[str] | None]:
    """The token, with findings on what it says of itself."""
    secret = loaded.settings.auth_token
    if secret is None:
        yield failure("token", f"{loaded.title}: there is no 'auth_token'", _NEW)
        return None
    found = yield from checked("token", lambda: _read(loaded, secret), _NEW)
    if found is None:
        return None
    yield from _examined(read_claims(found.value), secret.origin, loaded.settings.base_url)
    return found.value


def _read(loaded: LoadedProfile, secret: Secret) -> Sealed[str]:
    with loaded.placing("auth_token"):
        return checked_token(Sealed(secret.reveal()))


def _examined(claims: TokenClaims | None, origin: str, base_url: str) -> Iterator[Finding]:
    if claims is None:
        yield warning(
            "token",
            f"the token from {origin} is not a JWT: its kind, organisation and expiry are unknown",
            "compare it with what Dfns issued",
        )
        return
    if claims.issuer == GATEWAY:
        organisation = claims.organisation or "unknown"
        yield ok("token", f"of a caller of a gateway, organisation {organisation}, from {origin}")
        return
    problems = [*_expired(claims), *_of_another_kind(claims), *_of_another_place(claims, base_url)]
    described = (
        f"{claims.kind or 'unknown kind'} of {claims.user_id or 'an unknown user'}, organisation "
        f"{claims.organisation or 'unknown'}, {_expiry(claims)}, from {origin}"
    )
    yield from problems or [ok("token", described)]


def _expired(claims: TokenClaims) -> Iterator[Finding]:
    if claims.expires_at is None:
        return
    left = claims.expires_at - time.time()
    described = f"the token of {claims.user_id or 'an unknown user'} {_expiry(claims)}"
    if left <= 0:
        yield failure("token", described, _NEW)
    elif left < _SOON and claims.kind in _LONG_LIVED:
        yield warning("token", described, f"before then, {_NEW}")


def _of_another_kind(claims: TokenClaims) -> Iterator[Finding]:
    if claims.kind not in _KINDS:
        yield warning(
            "token",
            f"its kind is {claims.kind or 'not given'}, expected {', '.join(sorted(_KINDS))}",
            _NEW,
        )


def _of_another_place(claims: TokenClaims, base_url: str) -> Iterator[Finding]:
    host = urlsplit(base_url).hostname or ""
    home = next((place for mark, place in _ISSUERS.items() if mark in (claims.issuer or "")), host)
    if host.endswith(_OF_DFNS) and home != host:
        yield warning(
            "token",
            f"{claims.issuer} issued it, and it goes to {base_url}: it is good for {home} alone",
            "set 'base_url' to the region of the token, or take a token of this one",
        )


def _expiry(claims: TokenClaims) -> str:
    if claims.expires_at is None:
        return "without expiry"
    moment = datetime.fromtimestamp(claims.expires_at, tz=timezone.utc)
    verb = "expired" if claims.expires_at <= time.time() else "expires"
    return f"{verb} {moment:%Y-%m-%d %H:%M} UTC"
