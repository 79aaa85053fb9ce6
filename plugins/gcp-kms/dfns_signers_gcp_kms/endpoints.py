"""Where Cloud KMS is: a TLS host, or plaintext on this machine alone."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator

_EXPECTED: Final = (
    "expected https://HOST or https://HOST:PORT, or for an emulator on this machine "
    "http://127.0.0.1:PORT"
)


@dataclass(frozen=True, slots=True)
class Address:
    """A gRPC target.

    Attributes:
        target: ``HOST:PORT``, or ``HOST`` for the port of https.
        plaintext: whether without TLS and credentials; on loopback only.
    """

    target: str
    plaintext: bool


def parse_endpoint(text: str) -> Address:
    """Read an endpoint.

    Raises:
        ValueError: it has another form, or is plaintext and leads off this machine.
    """
    parts = _split(text)
    if parts is None:
        raise ValueError(_EXPECTED)
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise ValueError(f"{_EXPECTED}; plaintext to other hosts is refused")
    return Address(parts.netloc, plaintext=parts.scheme == "http")


def _split(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        port = parts.port
    except ValueError:
        return None
    beside = parts.path.rstrip("/") or parts.query or parts.fragment or parts.username
    wrong_scheme = parts.scheme not in {"http", "https"} or (parts.scheme == "http" and not port)
    return None if beside or wrong_scheme or not parts.hostname else parts


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check(text: str) -> str:
    parse_endpoint(text)
    return text


Endpoint = Annotated[str, AfterValidator(_check)]
"""An endpoint as text, checked."""
