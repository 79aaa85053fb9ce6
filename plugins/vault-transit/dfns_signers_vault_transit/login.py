"""The ways to come by a token, one function for each."""

from __future__ import annotations

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
        client.token = _checked(token)
        try:
            data = client.auth.token.lookup_self()["data"]
        except VaultError as error:
            if getattr(error, "status", None) != _FORBIDDEN:
                raise
            # The policy 'default' allows this; a token without it lives as long as it lives.
            return Lease(client.token)
        return Lease(client.token, data["ttl"] or None, bool(data.get("renewable")))

    purpose = Purpose(f"look up the token from {token.origin}", f"Renew it in {token.origin}")
    return Login(obtain, purpose, is_ours=False)


def _checked(token: Secret) -> str:
    """A token that fits into a header; an HTTP library would repeat another one in its error."""
    value = token.reveal()
    if not re.fullmatch(r"[!-~]+", value):
        raise ConfigurationError(
            f"the token from {token.origin} has characters that no token has, such as white space"
        )
    return value


def lease_of(answer: Mapping[str, Any]) -> Lease:
    """The lease in an answer to a login or a renewal."""
    auth = answer["auth"]
    return Lease(auth["client_token"], auth["lease_duration"] or None, bool(auth["renewable"]))


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
