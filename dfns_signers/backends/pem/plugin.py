"""The ``pem`` backend: opens a PemKey from the configuration."""

from __future__ import annotations

from pydantic import Field, model_validator
from typing_extensions import Self

from dfns_signers.backends.backend import Backend
from dfns_signers.backends.options import BackendOptions, ConfigPath
from dfns_signers.backends.pem.key import PemKey
from dfns_signers.sealed import Sealed
from dfns_signers.secrets import Secret
from dfns_signers.signing_key import SigningKey


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


class PemBackend(Backend[PemOptions]):
    """Opens private keys in PEM from files and environment variables."""

    options = PemOptions

    def open(self, options: PemOptions) -> SigningKey:
        """Read the key; see PemKey for what is refused."""
        passphrase = Sealed(options.passphrase.reveal() if options.passphrase else None)
        if options.path is not None:
            return PemKey.from_file(options.path, passphrase.open(), verify=options.verify)
        return PemKey.from_env(options.env or "", passphrase.open(), verify=options.verify)
