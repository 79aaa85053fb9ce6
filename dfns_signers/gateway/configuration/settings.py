"""The table ``[gateway]`` of the configuration file."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from dfns_signers.backends.options import ConfigPath, StrictModel
from dfns_signers.gateway.configuration.addresses import Address, TcpAddress, parse_listen
from dfns_signers.policy.rule import Rule
from dfns_signers.rate_limits.rate_limit import SIGNED_CALL
from dfns_signers.rate_limits.rates import Rate, RateText
from dfns_signers.secrets import Secret

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DIGEST: Final = re.compile(r"[0-9a-fA-F]{64}")
_HOST: Final = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9a-fA-F:.]+\](:[0-9]{1,5})?")
_DNS_NAME_OR_URI: Final = re.compile(r"[A-Za-z0-9._-]+|[A-Za-z][A-Za-z0-9+.-]*:[!-)+-~]+")
_NO_TOKENS: Final = frozenset(sha256(text).hexdigest() for text in (b"", b"\n"))
"""Digests of what is left where a variable with a token is not set."""


def check_name(name: str) -> str:
    """Check the name of a caller, which stands in logs, metrics and addresses.

    Raises:
        ValueError: says what was expected.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            "expected a name of up to 64 letters, digits, '.', '_' and '-', a letter or digit first"
        )
    return name


def _check_listen(text: str) -> str:
    parse_listen(text)
    return text


def _check_admin(text: str) -> str:
    address = parse_listen(text)
    if address.caller or (isinstance(address, TcpAddress) and address.tls):
        raise ValueError("the admin listener takes neither 'caller' nor 'tls'")
    if not address.is_loopback:
        raise ValueError(
            "the admin listener is for this machine alone: expected unix:/PATH or 127.0.0.1:PORT"
        )
    return text


def _check_digest(text: str) -> str:
    if not _DIGEST.fullmatch(text):
        raise ValueError(
            "expected the SHA-256 of a token, 64 hex digits, as printf %s TOKEN | sha256sum "
            "prints; the token itself does not belong here"
        )
    digest = text.lower()
    if digest in _NO_TOKENS:
        raise ValueError("this is the SHA-256 of an empty token: was a variable not set?")
    return digest


def _check_host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError("expected a host as clients send it, such as gateway.example.com:8443")
    return text.lower()


def _check_certificate_name(text: str) -> str:
    if not _DNS_NAME_OR_URI.fullmatch(text):
        raise ValueError(
            "expected a DNS name without wildcards, or a URI such as spiffe://example.org/payments"
        )
    return text


_CallerName = Annotated[str, AfterValidator(check_name)]


def _fits_a_signed_call(rate: str) -> str:
    if Rate.parse(rate).number < SIGNED_CALL:
        raise ValueError(f"expected {SIGNED_CALL} requests or more, those of a signed call")
    return rate


class UnixPeer(StrictModel):
    """The table ``unix`` of a caller: who it is on a unix socket, as the kernel says."""

    uid: list[Annotated[int, Field(ge=0)]] = Field(
        min_length=1, description="User ids of its process."
    )


class LocalCredential(StrictModel):
    """The table ``credential`` of a caller: the throwaway key of an official SDK."""

    id: str = Field(min_length=1, description="`credId` that the SDK is given.")
    public_key: ConfigPath = Field(description="Its public key, a PEM file.")


class CallerTable(StrictModel):
    """A table ``[gateway.callers.NAME]``."""

    unix: UnixPeer | None = Field(default=None, description="Its user ids on a unix socket.")
    token_sha256: list[Annotated[str, AfterValidator(_check_digest)]] = Field(
        default=[], max_length=2, description="SHA-256 of its token, in hexadecimal; two to rotate."
    )
    certificate: list[Annotated[str, AfterValidator(_check_certificate_name)]] = Field(
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
    listen: list[Annotated[str, AfterValidator(_check_listen)]] = Field(
        min_length=1,
        description="Where callers connect: `unix:/PATH?mode=0660&group=NAME`, `127.0.0.1:PORT`, "
        "`HOST:PORT?tls=NAME`; with `caller=NAME`, for that caller alone.",
    )
    admin: Annotated[str, AfterValidator(_check_admin)] | None = Field(
        default=None, description="Where health and metrics are: `unix:/PATH` or `127.0.0.1:PORT`."
    )
    audit_reads: bool = Field(
        default=True,
        description="Whether reads are recorded in the audit trail of the profile, too.",
    )
    hosts: list[Annotated[str, AfterValidator(_check_host)]] = Field(
        default=[],
        description="Further values of `Host`, with their port, besides the addresses in `listen`.",
    )
    max_body: int = Field(
        default=1_048_576, ge=1, le=8_388_608, description="Bytes that a body may have."
    )
    drain_delay: float = Field(
        default=0.0,
        ge=0,
        le=86_400,
        description="Seconds to go on accepting connections after SIGTERM.",
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
        "first seals, all open. Needed with `store`, and refused without.",
    )
    tls: dict[str, TlsTable] = Field(default={}, description="Certificates of listeners, by name.")
    callers: dict[_CallerName, CallerTable] = Field(
        default={}, description="Who may call, by name."
    )

    @property
    def addresses(self) -> list[Address]:
        """The entries of ``listen`` as values."""
        return [parse_listen(text) for text in self.listen]

    @property
    def admin_address(self) -> Address | None:
        """``admin`` as a value."""
        return parse_listen(self.admin) if self.admin else None
