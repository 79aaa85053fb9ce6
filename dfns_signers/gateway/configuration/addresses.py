"""Where a gateway listens: entries of ``listen`` as values."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from dfns_signers.addresses import is_loopback
from dfns_signers.near_miss import did_you_mean

EXPECTED: Final = (
    "expected an address such as unix:/run/dfns-gateway/api.sock?mode=0660&group=payments, "
    "127.0.0.1:8787 or localhost:8788?tls=NAME"
)
_SCHEME: Final = "unix:"
_MODES: Final = {"0600": 0o600, "0660": 0o660}
_LONGEST_PATH: Final = 103
"""Bytes; the least that an operating system takes, macOS."""
_HOST_AND_PORT: Final = re.compile(r"(\[[0-9a-fA-F:.]+\]|[0-9.]+|localhost):([0-9]{1,5})", re.ASCII)
_MAX_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """A unix socket.

    Attributes:
        text: as the configuration has it.
        path: absolute.
        mode: of the socket, 0o600 or 0o660.
        group: name of the group of the socket; None for that of the process.
        caller: the one caller that may use it; None for all.
    """

    text: str
    path: Path
    mode: int = 0o600
    group: str | None = None
    caller: str | None = None

    is_loopback = True


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A TCP port.

    Attributes:
        text: as the configuration has it.
        host: IPv4 address, IPv6 address without brackets, or ``localhost``.
        port: 0 for any free one.
        tls: name of a table ``[gateway.tls.NAME]``; None for plain http.
        caller: the one caller that may use it; None for all.
    """

    text: str
    host: str
    port: int
    tls: str | None = None
    caller: str | None = None

    @property
    def is_loopback(self) -> bool:
        """Whether only programs of this machine can connect."""
        return is_loopback(self.host)

    @property
    def is_unspecified(self) -> bool:
        """Whether it stands for every address of this machine, as 0.0.0.0 does."""
        return self.host != "localhost" and ipaddress.ip_address(self.host).is_unspecified


Address: TypeAlias = UnixAddress | TcpAddress


def parse_listen(text: str) -> Address:
    """Read one entry of ``listen``; nothing in it is decoded or normalised.

    Raises:
        ValueError: says what was expected.
    """
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(f"{EXPECTED}, of printable ASCII without spaces")
    place, asks, query = text.partition("?")
    if asks and not query:
        raise ValueError(f"{EXPECTED}: nothing follows the '?'")
    is_unix = place.startswith(_SCHEME)
    options = _options(query, ("mode", "group", "caller") if is_unix else ("tls", "caller"))
    if is_unix:
        return _unix_address(text, place.removeprefix(_SCHEME), options)
    host, port = _host_and_port(place)
    return TcpAddress(text, host, port, **options)


def _options(query: str, known: Iterable[str]) -> dict[str, str]:
    options: dict[str, str] = {}
    for pair in query.split("&") if query else ():
        name, _, value = pair.partition("=")
        if name not in known:
            hint = did_you_mean(name, known)
            raise ValueError(f"unknown option {name!r}{hint}. Known options: {', '.join(known)}")
        if not value:
            raise ValueError(f"the option {name!r} has no value: expected {name}=VALUE")
        if name in options:
            raise ValueError(f"the option {name!r} is there twice")
        options[name] = value
    return options


def _unix_address(text: str, path: str, options: Mapping[str, str]) -> UnixAddress:
    if not path.startswith("/") or path.endswith("/"):
        raise ValueError("expected an absolute path after 'unix:', such as unix:/run/dfns/api.sock")
    if len(path) > _LONGEST_PATH:
        raise ValueError(f"the path of the socket has over {_LONGEST_PATH} characters: shorten it")
    mode = options.get("mode", "0600")
    if mode not in _MODES:
        raise ValueError(
            "expected mode=0600, for the user of the gateway alone, or mode=0660, for a group too"
        )
    group = options.get("group")
    if group is not None and mode == "0600":
        raise ValueError("'group' has no effect with mode 0600: add mode=0660")
    return UnixAddress(text, Path(path), _MODES[mode], group, options.get("caller"))


def _host_and_port(place: str) -> tuple[str, int]:
    if place.startswith(("http:", "https:")):
        raise ValueError(f"{EXPECTED}, not a URL")
    found = _HOST_AND_PORT.fullmatch(place)
    if found is None:
        raise ValueError(EXPECTED)
    host, port = found[1], int(found[2])
    if port > _MAX_PORT:
        raise ValueError(f"expected a port up to {_MAX_PORT}")
    if host != "localhost":
        address = host.strip("[]")
        try:
            version = ipaddress.ip_address(address).version
        except ValueError:
            raise ValueError(f"{EXPECTED}; the host is not an IP address") from None
        if (version == 6) != host.startswith("["):  # noqa: PLR2004  # IPv6
            raise ValueError("expected an IPv6 address in brackets, such as [::1]:8787")
        host = address
    return host, port
