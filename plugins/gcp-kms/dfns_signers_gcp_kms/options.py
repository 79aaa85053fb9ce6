"""What can be configured: which key version, and how Cloud KMS is reached."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from typing_extensions import Self

from dfns_signers.plugin import (
    BackendOptions,
    ConfigPath,
    ManagementOptions,
    RequestLimits,
    RsaBits,
    ServiceUrl,
)
from dfns_signers_gcp_kms.names import CryptoKeyName, KeyVersionName, ParentName

_CREDENTIALS: Final = ("credentials_file", "impersonate_service_account", "quota_project")


def _https_by_default(value: Any) -> Any:
    return f"https://{value}" if isinstance(value, str) and "://" not in value else value


def _check_target(url: str) -> str:
    parts = urlsplit(url)
    if parts.path or (parts.scheme == "http" and parts.port is None):
        raise ValueError(
            "expected https://HOST or https://HOST:PORT, or http://127.0.0.1:PORT for an emulator "
            "on this machine"
        )
    return url


Endpoint = Annotated[ServiceUrl, BeforeValidator(_https_by_default), AfterValidator(_check_target)]
"""The address of a gRPC service: a URL without a path; https where it has no scheme."""


class GcpKmsConnection(RequestLimits):
    """How Cloud KMS is reached, and as whom."""

    credentials_file: ConfigPath | None = Field(
        default=None,
        description="Service account key, workload identity configuration or user credentials, "
        "as Google writes them in JSON. Default: Application Default Credentials.",
    )
    impersonate_service_account: str | None = Field(
        default=None,
        pattern=r"^[^@\s]+@[^@\s]+$",
        description="E-mail of a service account to act as.",
    )
    quota_project: str | None = Field(
        default=None,
        min_length=1,
        description="Project whose quota the calls count against. Default: that of the "
        "credentials.",
    )
    endpoint: Endpoint | None = Field(
        default=None,
        description="Another address of the service: `https://HOST`, or `http://127.0.0.1:PORT` "
        "for an emulator, which gets no credentials.",
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
        if given and self.is_plaintext:
            raise ValueError(
                f"{', '.join(given)} cannot be used with the endpoint {self.endpoint}: "
                "no credentials are sent over plaintext"
            )
        return self

    @property
    def target(self) -> str | None:
        """The endpoint as gRPC names it: ``HOST`` or ``HOST:PORT``."""
        return urlsplit(self.endpoint).netloc if self.endpoint else None

    @property
    def is_plaintext(self) -> bool:
        """Whether the endpoint is reached without TLS and credentials."""
        return bool(self.endpoint) and urlsplit(self.endpoint).scheme == "http"


class GcpKmsOptions(GcpKmsConnection, BackendOptions):
    """Options of ``backend = "gcp-kms"``."""

    key_version: KeyVersionName = Field(
        description="Full name of the key version: `projects/…/cryptoKeyVersions/NUMBER`."
    )


class GcpKmsCreate(GcpKmsConnection, ManagementOptions):
    """Options of ``dfns-signers keys create --backend gcp-kms``."""

    crypto_key: CryptoKeyName = Field(
        description="Full name of the crypto key: `projects/…/keyRings/RING/cryptoKeys/KEY`."
    )
    protection_level: Literal["SOFTWARE", "HSM"] | None = Field(
        default=None,
        description="`SOFTWARE` or `HSM`. Default: `HSM` for ES256K, which needs it, and "
        "`SOFTWARE` for the others.",
    )
    rsa_bits: RsaBits = Field(default=2048, description="Size of an RS256 key: 2048, 3072 or 4096.")
    create_key_ring: bool = Field(
        default=False,
        description="Create the key ring if it is missing. Key rings cannot be deleted.",
    )
    new_version: bool = Field(
        default=False, description="Add a version to a crypto key that exists."
    )


class GcpKmsList(GcpKmsConnection, ManagementOptions):
    """Options of ``dfns-signers keys list --backend gcp-kms``."""

    parent: ParentName = Field(
        description="What to list: full name of a location (`projects/…/locations/LOCATION`), a "
        "key ring or a crypto key."
    )
