"""Options of the backend, and of creating and listing keys."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, model_validator
from pydantic.functional_validators import ModelWrapValidatorHandler
from typing_extensions import Self

from dfns_signers.plugin import (
    BackendOptions,
    ConfigPath,
    ManagementOptions,
    RequestLimits,
    Secret,
    ServiceUrl,
    StrictModel,
)
from dfns_signers_vault_transit.environment import attempts, seconds, variable
from dfns_signers_vault_transit.logins import AuthOptions
from dfns_signers_vault_transit.names import KeyName, Mount, Namespace

DEFAULT_MOUNT: Final = "transit"

MAX_BATCH: Final = 496
"""Messages in a request. OpenBao refuses JSON of 1,000 strings and more, and then signs none: two
for each message, and six for the parameters of an ECDSA or RSA signature."""


# A relative path of the environment starts at the working directory.
_ENVIRONMENT: Final[Mapping[str, tuple[Any, ...]]] = {
    "address": (str, "AGENT_ADDR", "ADDR"),
    "namespace": (str, "NAMESPACE"),
    "ca_cert": (os.path.abspath, "CACERT", "CAPATH"),
    "client_cert": (os.path.abspath, "CLIENT_CERT"),
    "client_key": (os.path.abspath, "CLIENT_KEY"),
    "tls_server_name": (str, "TLS_SERVER_NAME"),
    "read_timeout": (seconds, "CLIENT_TIMEOUT"),
    "max_attempts": (attempts, "MAX_RETRIES"),
}
"""Where options come from that are not set: how a variable is read, and which it may be."""

_PLACE: Final = {*_ENVIRONMENT, "mount"} - {"read_timeout", "max_attempts"}


class VaultTransitConnection(RequestLimits):
    """Where Vault is, and how to log in. Unset ones come from Vault's own environment."""

    address: ServiceUrl = Field(
        description="Address of the server: https, or http to this machine; else "
        "`VAULT_AGENT_ADDR`, else `VAULT_ADDR`.",
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
        description="How to get a token, see below; else a token of the environment.",
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
        description="Name in the server's certificate, if not that of the address; else "
        "`VAULT_TLS_SERVER_NAME`.",
    )

    @model_validator(mode="wrap")
    @classmethod
    def _from_environment(
        cls, values: Mapping[str, Any], handler: ModelWrapValidatorHandler[Self]
    ) -> Self:
        unset = {name: variable(*_ENVIRONMENT[name]) for name in _ENVIRONMENT.keys() - values}
        found = {name: value for name, value in unset.items() if value is not None}
        options = handler({**found, **values})
        # What was found is not set in the table: 'config show' shows the difference.
        options.model_fields_set.difference_update(found)
        return options

    @model_validator(mode="after")
    def _tls(self) -> Self:
        if (variable(str, "SKIP_VERIFY") or "").lower() in {"1", "t", "true"}:
            raise ValueError(
                "VAULT_SKIP_VERIFY is set, and a token is not sent to a server that is not "
                "verified: unset it, and set ca_cert or VAULT_CACERT to the server's CA"
            )
        if self.client_key is not None and self.client_cert is None:
            raise ValueError("'client_key' is set without 'client_cert'")
        return self

    def settings(self) -> dict[str, Any]:
        """The options of a ``[signer]`` table that lead to the same place, as the same client.

        Where the server is, is written out, also as far as the environment says it. A secret is
        written as the reference that it was given as; a literal one is left out.
        """
        given = self.model_fields_set & VaultTransitConnection.model_fields.keys()
        names = (_PLACE | given) - {"auth"}
        settings = self.model_dump(mode="json", include=names, exclude_none=True)
        login = {"auth": _written(self.auth)} if "auth" in self.model_fields_set else {}
        return {**settings, **login}


def _written(auth: AuthOptions) -> dict[str, Any]:
    """A table ``auth`` as it was given, without literal secrets."""
    given = auth.model_dump(exclude_unset=True)
    written = ((n, v.reference if isinstance(v, Secret) else v) for n, v in given.items())
    return {name: value for name, value in written if value is not None}


class BatchOptions(StrictModel):
    """Sign messages that are asked for at the same time in one request."""

    max_size: int = Field(
        default=100, ge=2, le=MAX_BATCH, description="Most signatures in a request."
    )
    max_wait: float = Field(
        default=0.1,
        gt=0,
        le=10,
        description="Longest time in seconds that a signature waits for a request in flight; "
        "then it leaves beside it.",
    )


DEFAULT_BATCH: Final = BatchOptions()


def _off(value: object) -> object:
    return None if value is False or value == "false" else value


class VaultTransitOptions(BackendOptions, VaultTransitConnection):
    """Options of ``backend = "vault-transit"``."""

    key: KeyName = Field(description="Name of the key.")
    key_version: int | None = Field(
        default=None,
        ge=1,
        description="Version of the key that signs. Without it the latest at opening is pinned.",
    )
    batch: Annotated[BatchOptions | None, BeforeValidator(_off)] = Field(
        default_factory=lambda: DEFAULT_BATCH,
        description="How concurrent messages are signed in one request, see below; `false` sends "
        "each alone.",
    )

    def settings(self) -> dict[str, Any]:
        """As of a connection, and how messages are signed together."""
        if "batch" not in self.model_fields_set:
            return super().settings()
        batch = self.batch.model_dump(exclude_unset=True) if self.batch else False
        return {**super().settings(), "batch": batch}


class VaultTransitCreate(ManagementOptions, VaultTransitConnection):
    """Options of creating a key."""

    key: KeyName = Field(description="Name of the key to create.")
    key_type: str | None = Field(
        default=None,
        description="Transit's type, where an algorithm has several: `rsa-2048` (the default of "
        "RS256), `rsa-3072` or `rsa-4096`.",
    )


class VaultTransitList(ManagementOptions, VaultTransitConnection):
    """Options of listing keys."""
