"""The ways to come by a token, one function for each."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hvac.exceptions import VaultError  # type: ignore[import-untyped]

from dfns_signers.errors import ConfigurationError
from dfns_signers.secrets import Secret
from dfns_signers_vault_transit.auth import (
    AppRoleAuth,
    AuthOptions,
    JwtAuth,
    KubernetesAuth,
    TokenAuth,
)
from dfns_signers_vault_transit.errors import Purpose

_FORBIDDEN: Final = 403


@dataclass(frozen=True, slots=True)
class Lease:
    """A token, and how long it lives.

    Attributes:
        token: the token.
        seconds: how long it lives from now on; None where it does not end, or it cannot be told.
        renewable: whether it may be renewed.
    """

    token: str = field(repr=False)
    seconds: float | None = None
    renewable: bool = False


@dataclass(frozen=True, slots=True)
class Login:
    """A way to come by a token.

    Attributes:
        obtain: logs in with an hvac client.
        purpose: names it in errors.
        is_ours: whether it makes a new token each time; else the token is somebody else's.
    """

    obtain: Callable[[Any], Lease]
    purpose: Purpose
    is_ours: bool = True


def login_for(auth: AuthOptions) -> Login:
    """The login that the ``auth`` table describes."""
    if isinstance(auth, TokenAuth):
        return token_login(auth.token)
    method = auth.method
    return Login(
        obtain=_LOGINS[type(auth)](auth),
        purpose=Purpose(
            doing=f"log in by {method} at auth/{auth.path}",
            remedy=f"Check {_sources(auth)}, and that the auth method {method} is mounted at "
            f"'auth/{auth.path}' (auth.path) in this namespace",
            mount=f"auth/{auth.path}",
            is_login=True,
        ),
    )


def token_login(token: Secret) -> Login:
    """A token that somebody else obtained; it is read again when it is refused."""

    def obtain(client: Any) -> Lease:
        client.token = check_token(token.reveal(), f"the token from {token.origin}")
        try:
            data = client.auth.token.lookup_self()["data"]
        except VaultError as error:
            if getattr(error, "status", None) != _FORBIDDEN:
                raise
            # The policy 'default' allows this; a token without it lives as long as it lives.
            return Lease(client.token)
        return Lease(client.token, _seconds(data["ttl"]), data.get("renewable") is True)

    purpose = Purpose(f"look up the token from {token.origin}", f"Renew it in {token.origin}")
    return Login(obtain, purpose, is_ours=False)


def check_token(token: str, origin: str) -> str:
    """A token as it is.

    Raises:
        ConfigurationError: it fits into no header; an HTTP library would repeat it in its error.
    """
    if not re.fullmatch(r"[!-~]+", token):
        raise ConfigurationError(f"{origin} has characters that no token has, such as white space")
    return token


def lease_of(answer: Mapping[str, Any]) -> Lease:
    """The lease in an answer to a login or a renewal.

    Raises:
        KeyError, TypeError, ValueError: it is no such answer.
    """
    auth = answer["auth"]
    if not isinstance(auth["client_token"], str):
        raise TypeError("a token is a text")
    return Lease(auth["client_token"], _seconds(auth["lease_duration"]), auth["renewable"] is True)


def _seconds(duration: Any) -> float | None:
    """How long a lease lasts; None where it does not end."""
    if isinstance(duration, bool) or not isinstance(duration, (int, float)):
        raise TypeError("a lease is a number of seconds")
    seconds = float(duration)
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError("a lease is a number of seconds")
    return seconds or None


def _approle(auth: AppRoleAuth) -> Callable[[Any], Lease]:
    return lambda client: lease_of(
        client.auth.approle.login(
            role_id=auth.role_id.reveal(),
            secret_id=auth.secret_id.reveal() if auth.secret_id else None,
            use_token=False,
            mount_point=auth.path,
        )
    )


def _kubernetes(auth: KubernetesAuth) -> Callable[[Any], Lease]:
    return lambda client: lease_of(
        client.auth.kubernetes.login(
            role=auth.role, jwt=auth.jwt.reveal(), use_token=False, mount_point=auth.path
        )
    )


def _jwt(auth: JwtAuth) -> Callable[[Any], Lease]:
    return lambda client: lease_of(
        client.auth.jwt.jwt_login(
            role=auth.role, jwt=auth.jwt.reveal(), use_token=False, path=auth.path
        )
    )


_LOGINS: Final[Mapping[type, Callable[[Any], Callable[[Any], Lease]]]] = {
    AppRoleAuth: _approle,
    KubernetesAuth: _kubernetes,
    JwtAuth: _jwt,
}


def _sources(auth: AppRoleAuth | KubernetesAuth | JwtAuth) -> str:
    """The settings of a login, and where its secrets come from."""
    if isinstance(auth, AppRoleAuth):
        secret = f" and the secret id from {auth.secret_id.origin}" if auth.secret_id else ""
        return f"the role id from {auth.role_id.origin}{secret}"
    return f"the role {auth.role!r} and the JWT from {auth.jwt.origin}"
