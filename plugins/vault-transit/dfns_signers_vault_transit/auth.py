"""Options of the ``auth`` table: how to come by a token, as one model for each method."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from dfns_signers.secrets import Secret
from dfns_signers_vault_transit.environment import environment_token
from dfns_signers_vault_transit.names import AuthPath

SERVICE_ACCOUNT_TOKEN: Final = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105  # a path


def _found(value: object) -> object:
    if not value:
        raise ValueError(
            "there is no token: set it, or the environment variable VAULT_TOKEN, or run "
            "'vault login', or choose another auth.method"
        )
    return value


class _Method(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, hide_input_in_errors=True
    )


class TokenAuth(_Method):
    """A token that somebody else obtained: an operator, or an agent that keeps it in a file."""

    method: Literal["token"] = Field(description="`token`.")
    token: Annotated[Secret, BeforeValidator(_found)] = Field(
        default_factory=lambda: environment_token() or "",
        validate_default=True,
        description="The token: `{ env = … }`, `{ file = … }` (the sink of an agent) or a text; "
        "else `VAULT_TOKEN`, else `~/.vault-token`.",
    )


class AppRoleAuth(_Method):
    """A role id and a secret id."""

    method: Literal["approle"] = Field(description="`approle`.")
    role_id: Secret = Field(description="Role id: a text, `{ env = … }` or `{ file = … }`.")
    secret_id: Secret | None = Field(
        default=None,
        description="Secret id: `{ env = … }`, `{ file = … }` or a text; none for a role that "
        "needs none.",
    )
    path: AuthPath = Field(default="approle", description="Where the method is mounted.")


class KubernetesAuth(_Method):
    """The service account token of a pod; the file is read again at each login."""

    method: Literal["kubernetes"] = Field(description="`kubernetes`.")
    role: str = Field(min_length=1, description="Role of the auth method.")
    jwt: Secret = Field(
        default_factory=lambda: Secret.from_file(SERVICE_ACCOUNT_TOKEN),
        validate_default=True,
        description=f"The service account token; else the file `{SERVICE_ACCOUNT_TOKEN}`.",
    )
    path: AuthPath = Field(default="kubernetes", description="Where the method is mounted.")


class JwtAuth(_Method):
    """A JWT of an identity provider, such as a CI job's."""

    method: Literal["jwt"] = Field(description="`jwt`.")
    role: str = Field(min_length=1, description="Role of the auth method.")
    jwt: Secret = Field(description="The JWT: `{ env = … }`, `{ file = … }` or a text.")
    path: AuthPath = Field(default="jwt", description="Where the method is mounted.")


AuthOptions: TypeAlias = TokenAuth | AppRoleAuth | KubernetesAuth | JwtAuth

METHODS: Final[tuple[type[BaseModel], ...]] = (TokenAuth, AppRoleAuth, KubernetesAuth, JwtAuth)
