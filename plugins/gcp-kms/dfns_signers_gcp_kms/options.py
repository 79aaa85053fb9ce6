"""Options of the backend: the validation, the error messages and the table in the docs."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, Field, model_validator
from typing_extensions import Self

from dfns_signers.backends.management import ManagementOptions
from dfns_signers.backends.options import BackendOptions, ConfigPath
from dfns_signers_gcp_kms.endpoints import Endpoint, parse_endpoint
from dfns_signers_gcp_kms.names import CryptoKeyName, KeyVersionName, ParentName

_CREDENTIALS: Final = ("credentials_file", "impersonate_service_account", "quota_project")


class ConnectionOptions(BaseModel):
    """How to reach Cloud KMS, and as whom; the same for signing, creating and listing."""

    credentials_file: ConfigPath | None = Field(
        default=None,
        description="Service account key, workload identity configuration or user credentials, "
        "as Google writes them in JSON. Else Application Default Credentials.",
    )
    impersonate_service_account: str | None = Field(
        default=None,
        pattern=r"^[^@\s]+@[^@\s]+$",
        description="E-mail of a service account to act as.",
    )
    quota_project: str | None = Field(
        default=None,
        min_length=1,
        description="Project whose quota the calls count against. Else that of the credentials.",
    )
    endpoint: Endpoint | None = Field(
        default=None,
        description="Another address of the service: `https://HOST`, or `http://127.0.0.1:PORT` "
        "for an emulator; plaintext to this machine only, and without credentials.",
    )
    timeout: float = Field(
        default=10.0,
        gt=0,
        le=600,
        description="Seconds for one operation, with everything that is repeated.",
    )
    max_attempts: int = Field(
        default=4,
        ge=1,
        le=20,
        description="Requests at most for one operation: it is repeated when Cloud KMS is "
        "unavailable or refuses for its rate, and when an answer was damaged on its way.",
    )
    generation_timeout: float = Field(
        default=60.0,
        ge=0,
        le=3600,
        description="Seconds to wait for a key version that is still being generated.",
    )

    @model_validator(mode="after")
    def _no_credentials_over_plaintext(self) -> Self:
        given = [name for name in _CREDENTIALS if getattr(self, name) is not None]
        if given and self.endpoint is not None and parse_endpoint(self.endpoint).plaintext:
            raise ValueError(
                f"{', '.join(given)} cannot be used with the endpoint {self.endpoint}: "
                "no credentials are sent over plaintext"
            )
        return self


class GcpKmsOptions(ConnectionOptions, BackendOptions):
    """Options of ``backend = "gcp-kms"``."""

    key_version: KeyVersionName = Field(
        description="Full name of the key version: `projects/…/cryptoKeyVersions/NUMBER`."
    )


class GcpKmsCreateOptions(ConnectionOptions, ManagementOptions):
    """Options of ``keys create``."""

    crypto_key: CryptoKeyName = Field(
        description="Full name of the crypto key: `projects/…/keyRings/RING/cryptoKeys/KEY`."
    )
    protection_level: Literal["SOFTWARE", "HSM"] | None = Field(
        default=None,
        description="`SOFTWARE` or `HSM`. Else `HSM` for ES256K, which there is nowhere else, and "
        "`SOFTWARE` for the others.",
    )
    rsa_bits: Literal[2048, 3072, 4096] = Field(
        default=2048, description="Size of an RS256 key: 2048, 3072 or 4096."
    )
    create_key_ring: bool = Field(
        default=False,
        description="Create the key ring if it is missing. Key rings cannot be deleted.",
    )
    new_version: bool = Field(
        default=False, description="Add a version to a crypto key that exists."
    )

    @model_validator(mode="before")
    @classmethod
    def _number_from_text(cls, values: Any) -> Any:
        # A Literal of numbers takes no text, and the command line has nothing else.
        if isinstance(values, dict) and str(values.get("rsa_bits", "")).isdecimal():
            return {**values, "rsa_bits": int(values["rsa_bits"])}
        return values


class GcpKmsListOptions(ConnectionOptions, ManagementOptions):
    """Options of ``keys list``."""

    parent: ParentName = Field(
        description="What to list: full name of a location (`projects/…/locations/LOCATION`), a "
        "key ring or a crypto key."
    )


def connection_of(options: ConnectionOptions) -> dict[str, Any]:
    """The connection settings that were given, as a ``[signer]`` table has them."""
    given = options.model_dump(
        include=set(ConnectionOptions.model_fields), exclude_unset=True, exclude_none=True
    )
    if "credentials_file" in given:
        given["credentials_file"] = str(given["credentials_file"])
    return given
