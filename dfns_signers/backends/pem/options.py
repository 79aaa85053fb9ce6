"""Options of the ``pem`` backend, and of creating and listing its keys."""

from __future__ import annotations

from pydantic import Field, model_validator
from typing_extensions import Self

from dfns_signers.backends.management import ManagementOptions
from dfns_signers.backends.options import BackendOptions, ConfigPath, RsaBits
from dfns_signers.secrets import Secret


class PemOptions(BackendOptions):
    """Options of ``backend = "pem"``: exactly one of ``path`` and ``env``."""

    path: ConfigPath | None = Field(default=None, description="File that holds the private key.")
    env: str | None = Field(
        default=None,
        min_length=1,
        description=r"Environment variable that holds it; a literal `\n` counts as a line break.",
    )
    passphrase: Secret | None = Field(
        default=None,
        description="Of an encrypted key: `{ env = … }`, `{ file = … }` or a string.",
    )
    verify: bool = Field(
        default=False, description="Verify each signature, as is always done for remote keys."
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.path is None) == (self.env is None):
            raise ValueError("expected exactly one of 'path' and 'env'")
        return self


class PemCreate(ManagementOptions):
    """Options of ``dfns-signers keys create --backend pem``."""

    path: ConfigPath = Field(description="File to create; its folder exists.")
    passphrase: Secret | None = Field(
        default=None, description="Encrypts the key: `{ env = … }`, `{ file = … }` or a string."
    )
    rsa_bits: RsaBits = Field(default=2048, description="Size of an RSA key: 2048, 3072 or 4096.")


class PemList(ManagementOptions):
    """Options of ``dfns-signers keys list --backend pem``."""

    folder: ConfigPath = Field(description="Folder whose files `*.pem` and `*.key` are read.")
    passphrase: Secret | None = Field(default=None, description="Of the encrypted keys among them.")
