"""Who is calling: the bearer token."""

from __future__ import annotations

import re

from dfns_signers.emulator.directory import AccessToken
from dfns_signers.emulator.exchange import Incoming
from dfns_signers.emulator.refusals import forbidden, unauthorized
from dfns_signers.emulator.state import State

TOKEN_PATTERN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750, b64token
_INVALID = "user token is missing or invalid"


def authenticate(state: State, request: Incoming) -> AccessToken:
    """The token that the request was sent with, refused with 401 unless it is in force."""
    token = state.directory.tokens.get(_bearer(request))
    if token is None:
        raise unauthorized("token.unknown", f"{_INVALID}: this server did not issue it.")
    if not token.is_active:
        raise unauthorized("token.deactivated", f"{_INVALID}: {token.token_id} is deactivated.")
    if token.expires_at is not None and state.clock() >= token.expires_at:
        raise unauthorized("token.expired", f"{_INVALID}: {token.token_id} has expired.")
    if not token.user.is_active:
        raise unauthorized(
            "token.user", f"Not Authorized. The user {token.user.user_id} is deactivated."
        )
    return token


def require_session(token: AccessToken, operation: str) -> None:
    """Refuse a token that is not a user's login session with 403."""
    if token.kind != "Token":
        raise forbidden(
            "token.session",
            f"{token.kind} {token.token_id} is not authorized to perform operation ({operation}):"
            " it takes the session of a user.",
            expected="Token",
            found=token.kind,
        )


def _bearer(request: Incoming) -> str:
    headers = request.header("authorization")
    if not headers:
        raise unauthorized("token.missing", f"{_INVALID}: no Authorization header.")
    scheme, _, value = headers[0].partition(" ")
    well_formed = scheme.lower() == "bearer" and TOKEN_PATTERN.fullmatch(value)
    if len(headers) > 1 or not well_formed:
        raise unauthorized(
            "token.malformed",
            f'{_INVALID}: expected one Authorization header, "Bearer <token>".',
        )
    return value
