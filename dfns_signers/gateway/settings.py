"""The table ``[gateway]`` of the configuration file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from dfns_signers.backends.options import ConfigPath, StrictModel
from dfns_signers.policy.rule import Rule
from dfns_signers.rate_limits.rate_limit import SIGNED_CALL
from dfns_signers.rate_limits.rates import Rate, RateText
from dfns_signers.secrets import Secret

_Names = list[Annotated[str, Field(min_length=1)]]


def _fits_a_signed_call(rate: str) -> str:
    if Rate.parse(rate).number < SIGNED_CALL:
        raise ValueError(f"expected {SIGNED_CALL} requests or more, those of a signed call")
    return rate


class UnixPeer(StrictModel):
    """The table ``unix`` of a caller: who it is on a unix socket, as the kernel says."""

    uid: list[int] = Field(min_length=1, description="User ids of its process.")


class LocalCredential(StrictModel):
    """The table ``credential`` of a caller: the throwaway key of an official SDK."""

    id: str = Field(min_length=1, description="`credId` that the SDK is given.")
    public_key: ConfigPath = Field(description="Its public key, a PEM file.")


class CallerTable(StrictModel):
    """A table ``[gateway.callers.NAME]``."""

    unix: UnixPeer | None = Field(default=None, description="Its user ids on a unix socket.")
    token_sha256: _Names = Field(
        default=[], max_length=2, description="SHA-256 of its token, in hexadecimal; two to rotate."
    )
    certificate: _Names = Field(
        default=[], description="Names of its client certificate: DNS names or URIs."
    )
    credential: LocalCredential | None = Field(
        default=None,
        description="Key of an official SDK; then each of its writes must be signed with it.",
    )
    identified_by: Literal["any", "all"] = Field(
        default="any",
        description="Whether one of `unix`, `token_sha256` and `certificate` is enough, or all of "
        "those that are given must hold.",
    )
    rate: RateText | None = Field(default=None, description="Its calls, such as `120/minute`.")
    reads: bool = Field(
        default=False, description="Whether it may read what no rule names, sensitive reads apart."
    )
    allow: list[Rule] = Field(default=[], description="Rules; what none allows is refused.")


class TlsTable(StrictModel):
    """A table ``[gateway.tls.NAME]``."""

    certificate: ConfigPath = Field(description="Certificate chain, a PEM file.")
    key: Secret = Field(description='Its private key in PEM: `{ file = "PATH" }`.')
    client_ca: ConfigPath | None = Field(
        default=None,
        description="Authority of client certificates, a PEM file; with it, each caller must show "
        "one.",
    )


class GatewaySettings(StrictModel):
    """The table ``[gateway]``."""

    profile: str | None = Field(
        default=None, description="Profile that signs, where `--profile` names none."
    )
    listen: _Names = Field(
        min_length=1,
        description="Where callers connect: `unix:/PATH?mode=0660&group=NAME`, `127.0.0.1:PORT`, "
        "`HOST:PORT?tls=NAME`.",
    )
    admin: str | None = Field(
        default=None, description="Where health and metrics are: `unix:/PATH` or `127.0.0.1:PORT`."
    )
    hosts: _Names = Field(
        default=[], description="Further values of `Host`, besides the addresses in `listen`."
    )
    max_body: int = Field(default=1_048_576, ge=1, description="Bytes that a body may have.")
    drain_delay: float = Field(
        default=0.0, ge=0, description="Seconds to go on accepting connections after SIGTERM."
    )
    organisation_rate: Annotated[RateText, AfterValidator(_fits_a_signed_call)] = Field(
        default="900/minute",
        description="Requests to Dfns for all callers together; a signed call takes three.",
    )
    store: Secret | None = Field(
        default=None,
        description="URL of the Redis or Valkey through which replicas share limits and used "
        "challenges. Each process has its own by default.",
    )
    seal_keys: list[Secret] = Field(
        default=[],
        max_length=2,
        description="Keys that replicas seal challenges with, 32 bytes or more in hexadecimal; the "
        "first seals, all open.",
    )
    tls: dict[str, TlsTable] = Field(default={}, description="Certificates of listeners, by name.")
    callers: dict[str, CallerTable] = Field(default={}, description="Who may call, by name.")
