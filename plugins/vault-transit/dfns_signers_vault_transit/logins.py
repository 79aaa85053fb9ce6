"""The ways to get a token: the ``auth`` table of each, and its login."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

from pydantic import BeforeValidator, Field

from dfns_signers.plugin import Secret, StrictModel, errors
from dfns_signers_vault_transit.environment import first_set
from dfns_signers_vault_transit.names import AuthPath

SERVICE_ACCOUNT_TOKEN: Final = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105  # a path
_FORBIDDEN: Final = 403


@dataclass(frozen=True, slots=True)
class Lease:
    """A token, and how long it lives.

    Attributes:
        token: the token.
        seconds: how long it lives from now on; None where it does not end, or where that is not
            known.
        renewable: whether it may be renewed.
    """

    token: str = field(repr=False)
    seconds: float | None = None
    renewable: bool = False


def environment_token() -> Secret | None:
    """The token where Vault's own command line looks: the environment, then its token file."""
    found = first_set("TOKEN")
    if found:
        return Secret.from_env(found)
    # Path.home raises RuntimeError where there is no home.
    file = Path(os.path.expanduser("~/.vault-token"))  # noqa: PTH111
    return Secret.from_file(file) if file.is_file() else None


def _found(value: object) -> object:
    if not value:
        raise ValueError(
            "there is no token: set it, or the environment variable VAULT_TOKEN, or run "
            "'vault login', or choose another auth.method"
        )
    return value


class TokenAuth(StrictModel):
    """A token that somebody else obtained: an operator, or an agent that keeps it in a file."""

    method: Literal["token"] = Field(description="`token`.")
    token: Annotated[Secret, BeforeValidator(_found)] = Field(
        default_factory=lambda: environment_token() or "",
        validate_default=True,
        description="The token: `{ env = … }`, `{ file = … }` (the sink of an agent) or a string; "
        "else `VAULT_TOKEN`, else `~/.vault-token`.",
    )
    mount: ClassVar[str] = "auth/token"

    @property
    def task(self) -> str:
        """What it does, for errors."""
        return f"look up the token from {self.token.origin}"

    @property
    def remedy(self) -> str:
        """What to do when it is refused."""
        return f"renew it in {self.token.origin}"

    def log_in(self, client: Any) -> Lease:
        """Read the token again, and ask how long it lives."""
        from dfns_signers_vault_transit.client import VaultRefusalError  # noqa: PLC0415  # hvac

        client.token = check_token(self.token.reveal(), f"the token from {self.token.origin}")
        try:
            data = client.auth.token.lookup_self()["data"]
        except VaultRefusalError as refusal:
            if refusal.status != _FORBIDDEN:
                raise
            # The policy 'default' allows this; without it, how long the token lives is not known.
            return Lease(client.token)
        return Lease(client.token, _seconds(data["ttl"]), data.get("renewable") is True)


class _Method(StrictModel):
    """A login at an auth method, each time for a new token."""

    method: str
    path: AuthPath

    @property
    def mount(self) -> str:
        """Path of the auth method."""
        return f"auth/{self.path}"

    @property
    def task(self) -> str:
        """What it does, for errors."""
        return f"log in by {self.method} at {self.mount}"

    @property
    def remedy(self) -> str:
        """What to do when it is refused."""
        return (
            f"check {self._sources()}, and that the auth method {self.method} is mounted at "
            f"'{self.mount}' (auth.path) in this namespace"
        )

    def log_in(self, client: Any) -> Lease:
        """Log in with an hvac client."""
        path = f"/v1/{self.mount}/login"
        return lease_of(client.adapter.post(path, json=self._credentials()))

    def _sources(self) -> str:
        """Its settings, and where its secrets come from."""
        raise NotImplementedError

    def _credentials(self) -> dict[str, str]:
        """The body of its request; secrets are read now."""
        raise NotImplementedError


class AppRoleAuth(_Method):
    """A role id and a secret id."""

    method: Literal["approle"] = Field(description="`approle`.")
    path: AuthPath = Field(default="approle", description="Where the method is mounted.")
    role_id: Secret = Field(description="Role id: a string, `{ env = … }` or `{ file = … }`.")
    secret_id: Secret | None = Field(
        default=None,
        description="Secret id: `{ env = … }`, `{ file = … }` or a string; none for a role that "
        "needs none.",
    )

    def _sources(self) -> str:
        secret = f" and the secret id from {self.secret_id.origin}" if self.secret_id else ""
        return f"the role id from {self.role_id.origin}{secret}"

    def _credentials(self) -> dict[str, str]:
        secret = {"secret_id": self.secret_id.reveal()} if self.secret_id else {}
        return {"role_id": self.role_id.reveal(), **secret}


class _RoleAndJwt(_Method):
    role: str = Field(min_length=1, description="Role of the auth method.")
    jwt: Secret

    def _sources(self) -> str:
        return f"the role {self.role!r} and the JWT from {self.jwt.origin}"

    def _credentials(self) -> dict[str, str]:
        return {"role": self.role, "jwt": self.jwt.reveal()}


class KubernetesAuth(_RoleAndJwt):
    """The service account token of a pod; the file is read again at each login."""

    method: Literal["kubernetes"] = Field(description="`kubernetes`.")
    path: AuthPath = Field(default="kubernetes", description="Where the method is mounted.")
    jwt: Secret = Field(
        default_factory=lambda: Secret.from_file(SERVICE_ACCOUNT_TOKEN),
        validate_default=True,
        description=f"The service account token; else the file `{SERVICE_ACCOUNT_TOKEN}`.",
    )


class JwtAuth(_RoleAndJwt):
    """A JWT of an identity provider, such as a CI job's."""

    method: Literal["jwt"] = Field(description="`jwt`.")
    path: AuthPath = Field(default="jwt", description="Where the method is mounted.")
    jwt: Secret = Field(description="The JWT: `{ env = … }`, `{ file = … }` or a string.")


AuthOptions: TypeAlias = TokenAuth | AppRoleAuth | KubernetesAuth | JwtAuth

METHODS: Final[tuple[type[AuthOptions], ...]] = (TokenAuth, AppRoleAuth, KubernetesAuth, JwtAuth)


def check_token(token: str, origin: str) -> str:
    """A token as it is.

    Raises:
        ConfigurationError: it does not fit into a header; an HTTP library would repeat it in its
            error.
    """
    if not re.fullmatch(r"[!-~]+", token):
        raise errors.ConfigurationError(
            f"{origin} contains characters that are not allowed in a token, such as white space"
        )
    return token


def lease_of(answer: Mapping[str, Any]) -> Lease:
    """The lease in an answer to a login or a renewal.

    Raises:
        KeyError, TypeError, ValueError: it is not such an answer.
    """
    auth = answer["auth"]
    if not isinstance(auth["client_token"], str):
        raise TypeError("a token is a string")
    return Lease(auth["client_token"], _seconds(auth["lease_duration"]), auth["renewable"] is True)


def _seconds(duration: Any) -> float | None:
    """How long a lease lasts; None where it does not end."""
    if isinstance(duration, bool) or not isinstance(duration, (int, float)):
        raise TypeError("a lease is a number of seconds")
    seconds = float(duration)
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError("a lease is a number of seconds")
    return seconds or None
