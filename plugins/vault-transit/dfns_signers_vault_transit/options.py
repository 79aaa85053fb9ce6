"""Options of the backend, and of creating and listing keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.functional_validators import ModelWrapValidatorHandler
from typing_extensions import Self

from dfns_signers.backends.management import ManagementOptions
from dfns_signers.backends.options import BackendOptions, ConfigPath
from dfns_signers_vault_transit.auth import AuthOptions
from dfns_signers_vault_transit.environment import (
    first_variable,
    number_variable,
    path_variable,
    seconds,
    verification_is_switched_off,
)
from dfns_signers_vault_transit.names import KeyName, Mount, Namespace

DEFAULT_MOUNT: Final = "transit"
DEFAULT_MAX_ATTEMPTS: Final = 3
MOST_ATTEMPTS: Final = 20


def _check_address(value: str) -> str:
    expected = "expected an address such as 'https://vault.example.com:8200'"
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise ValueError(expected) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(expected)
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError(f"{expected}, without a user, a query or a fragment")
    return value.rstrip("/")


def _attempts(retries: float | None) -> float | None:
    return None if retries is None else retries + 1


Address = Annotated[str, AfterValidator(_check_address)]

_ENVIRONMENT: Final[Mapping[str, Callable[[], Any]]] = {
    "address": lambda: first_variable("AGENT_ADDR", "ADDR"),
    "namespace": lambda: first_variable("NAMESPACE"),
    "ca_cert": lambda: path_variable("CACERT", "CAPATH"),
    "client_cert": lambda: path_variable("CLIENT_CERT"),
    "client_key": lambda: path_variable("CLIENT_KEY"),
    "tls_server_name": lambda: first_variable("TLS_SERVER_NAME"),
    "read_timeout": lambda: number_variable("CLIENT_TIMEOUT", seconds, 0.001, 86400),
    "max_attempts": lambda: _attempts(number_variable("MAX_RETRIES", int, 0, MOST_ATTEMPTS - 1)),
}
"""Where options come from that are not set."""


class ConnectionOptions(BaseModel):
    """Where Vault is, and how to get in. Unset ones come from Vault's own environment."""

    address: Address = Field(
        description="Address of the server; else `VAULT_AGENT_ADDR`, else `VAULT_ADDR`.",
    )
    namespace: Namespace | None = Field(
        default=None,
        description="Namespace; else `VAULT_NAMESPACE`.",
    )
    mount: Mount = Field(
        default=DEFAULT_MOUNT,
        description="Where the Transit secrets engine is mounted; may contain slashes.",
    )
    auth: AuthOptions = Field(
        default_factory=lambda: {"method": "token"},
        validate_default=True,
        discriminator="method",
        description="Table: how to come by a token, see below; else a token of the environment.",
    )
    ca_cert: ConfigPath | None = Field(
        default=None,
        description="File (or folder, as `c_rehash` makes it) of CA certificates in PEM; else "
        "`VAULT_CACERT`, else `VAULT_CAPATH`, else those of certifi.",
    )
    client_cert: ConfigPath | None = Field(
        default=None,
        description="File of a client certificate in PEM; else `VAULT_CLIENT_CERT`.",
    )
    client_key: ConfigPath | None = Field(
        default=None,
        description="File of its private key in PEM; else `VAULT_CLIENT_KEY`.",
    )
    tls_server_name: str | None = Field(
        default=None,
        min_length=1,
        description="Name that the server's certificate bears, if not that of the address; else "
        "`VAULT_TLS_SERVER_NAME`.",
    )
    connect_timeout: float = Field(
        default=3.0, gt=0, description="Seconds that a connection may take."
    )
    read_timeout: float = Field(
        default=10.0,
        gt=0,
        description="Seconds between two pieces of an answer; else `VAULT_CLIENT_TIMEOUT`.",
    )
    max_attempts: int = Field(
        default=DEFAULT_MAX_ATTEMPTS,
        ge=1,
        le=MOST_ATTEMPTS,
        description="How often a request is sent at most: 412, 429, 5xx and broken connections "
        "are tried again; else `VAULT_MAX_RETRIES` + 1.",
    )

    @model_validator(mode="wrap")
    @classmethod
    def _from_environment(
        cls, values: Mapping[str, Any], handler: ModelWrapValidatorHandler[Self]
    ) -> Self:
        unset = (name for name in _ENVIRONMENT if name not in values)
        found = {name: v for name in unset if (v := _ENVIRONMENT[name]()) is not None}
        options = handler({**found, **values})
        # What was found is no setting of the table: 'config show' tells them apart.
        options.model_fields_set.difference_update(found)
        return options

    @model_validator(mode="after")
    def _tls(self) -> Self:
        if verification_is_switched_off():
            raise ValueError(
                "VAULT_SKIP_VERIFY is set, and a token is not sent to a server that is not "
                "verified: unset it, and set ca_cert or VAULT_CACERT to the server's CA"
            )
        if self.client_key is not None and self.client_cert is None:
            raise ValueError("'client_key' is set without 'client_cert'")
        return self


class BatchOptions(BaseModel):
    """Gather concurrent signatures of a key into one request."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    max_size: int = Field(default=100, ge=2, le=1000, description="Most signatures of a request.")
    max_wait: float = Field(
        default=0.1,
        gt=0,
        le=10,
        description="Longest time in seconds that a signature waits for a request in flight; "
        "then it leaves beside it.",
    )


class VaultTransitOptions(BackendOptions, ConnectionOptions):
    """Options of ``backend = "vault-transit"``."""

    key: KeyName = Field(description="Name of the key.")
    key_version: int | None = Field(
        default=None,
        ge=1,
        description="Version of the key that signs. Without it the latest at opening is pinned.",
    )
    batch: BatchOptions | None = Field(
        default=None, description="Table: gather concurrent signatures, see below. Off by default."
    )


class CreateKeyOptions(ManagementOptions, ConnectionOptions):
    """Options of creating a key."""

    key: KeyName = Field(description="Name of the key to create.")
    key_type: str | None = Field(
        default=None,
        description="Transit's type, where an algorithm has several: `rsa-2048` (the default of "
        "RS256), `rsa-3072` or `rsa-4096`.",
    )


class ListKeysOptions(ManagementOptions, ConnectionOptions):
    """Options of listing keys."""
