"""The ways to get a token: the ``auth`` table of each, and its login."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from dfns_signers.plugin import Sealed, Secret, StrictModel, errors
from dfns_signers_vault_transit.answers import VaultRefusalError
from dfns_signers_vault_transit.environment import first_set
from dfns_signers_vault_transit.names import AuthPath

SERVICE_ACCOUNT_TOKEN: Final = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105  # a path
_FORBIDDEN: Final = 403


def _sealed(token: object) -> Sealed[str]:
    if not isinstance(token, str):
        raise ValueError("a token is a string")
    return Sealed(token)


class Lease(BaseModel):
    """A token, and how long it lives, as Vault answers to a login, a renewal or a look-up.

    Attributes:
        token: the token.
        seconds: how long it lives from now on; 0 where it does not end, or where that is not
            known.
        renewable: whether it may be renewed.
    """

    model_config = ConfigDict(
        strict=True, frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True
    )

    token: Annotated[Sealed[str], BeforeValidator(_sealed)] = Field(alias="client_token")
    seconds: float = Field(
        validation_alias=AliasChoices("lease_duration", "ttl"), ge=0, allow_inf_nan=False
    )
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
        token = Sealed(self.token.reveal())
        check_token(token, f"the token from {self.token.origin}")
        client.token = token.open()
        try:
            found = Sealed(client.auth.token.lookup_self()["data"])
        except VaultRefusalError as refusal:
            if refusal.status != _FORBIDDEN:
                raise
            found = Sealed({"ttl": 0})  # without the policy 'default', its life is not known
        return Lease.model_validate({**found.open(), "client_token": token.open()})


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
        sources = (
            f"'{name}' ({value.origin if isinstance(value, Secret) else value})"
            for name, value in self._sent()
        )
        return (
            f"check {' and '.join(sources)}, and that the auth method {self.method} is mounted at "
            f"'{self.mount}' (auth.path) in this namespace"
        )

    def log_in(self, client: Any) -> Lease:
        """Log in with an hvac client."""
        body = Sealed(
            {name: v.reveal() if isinstance(v, Secret) else v for name, v in self._sent()}
        )
        answer = Sealed(client.adapter.post(f"/v1/{self.mount}/login", json=body.open()))
        return Lease.model_validate(answer.open()["auth"])

    def _sent(self) -> list[tuple[str, Secret | str]]:
        """The settings that are credentials, by the names that the auth method gives them."""
        own = type(self).model_fields.keys() - _Method.model_fields
        return [(name, value) for name, value in self if name in own and value is not None]


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


class KubernetesAuth(_Method):
    """The service account token of a pod; the file is read again at each login."""

    method: Literal["kubernetes"] = Field(description="`kubernetes`.")
    path: AuthPath = Field(default="kubernetes", description="Where the method is mounted.")
    role: str = Field(min_length=1, description="Role of the auth method.")
    jwt: Secret = Field(
        default_factory=lambda: Secret.from_file(SERVICE_ACCOUNT_TOKEN),
        validate_default=True,
        description=f"The service account token; else the file `{SERVICE_ACCOUNT_TOKEN}`.",
    )


class JwtAuth(_Method):
    """A JWT of an identity provider, such as a CI job's."""

    method: Literal["jwt"] = Field(description="`jwt`.")
    path: AuthPath = Field(default="jwt", description="Where the method is mounted.")
    role: str = Field(min_length=1, description="Role of the auth method.")
    jwt: Secret = Field(description="The JWT: `{ env = … }`, `{ file = … }` or a string.")


AuthOptions: TypeAlias = TokenAuth | AppRoleAuth | KubernetesAuth | JwtAuth

METHODS: Final[tuple[type[AuthOptions], ...]] = (TokenAuth, AppRoleAuth, KubernetesAuth, JwtAuth)


def check_token(token: Sealed[str], origin: str) -> None:
    """See that a token fits into a header.

    Raises:
        ConfigurationError: it does not; an HTTP library would repeat it in its error.
    """
    if not re.fullmatch(r"[!-~]+", token.open()):
        raise errors.ConfigurationError(
            f"{origin} contains characters that are not allowed in a token, such as white space"
        )
