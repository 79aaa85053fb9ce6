"""Where the emulator listens: on this machine only."""

from __future__ import annotations

import ipaddress
import re
import socket

from dfns_signers.errors import ConfigurationError

_LISTEN = re.compile(
    r"(?:\[(?P<v6>[^\[\]]+)\]|(?P<name>[^:\[\]\s]+)):(?P<port>[0-9]{1,5})", re.ASCII
)
_MAXIMUM_PORT = 65_535
_BACKLOG = 2048


def parse_listen(text: str) -> tuple[str, int]:
    """Host and port of ``HOST:PORT`` or ``[IPv6]:PORT``; port 0 is any free port.

    Raises:
        ConfigurationError: it is neither.
    """
    match = _LISTEN.fullmatch(text)
    if not match or int(match["port"]) > _MAXIMUM_PORT:
        msg = f"cannot listen on {text!r}: expected HOST:PORT, such as 127.0.0.1:0 or [::1]:8080"
        raise ConfigurationError(msg)
    return match["v6"] or match["name"], int(match["port"])


def loopback_address(host: str) -> str:
    """The address of a loopback host.

    Raises:
        ConfigurationError: it is reachable from elsewhere, or no address at all.
    """
    if host == "localhost":
        return "127.0.0.1"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if address is None or not address.is_loopback:
        msg = (
            f"the emulator cannot listen on {host!r}: its tokens are no secrets, so that it"
            " listens on 127.0.0.1, [::1] or localhost only"
        )
        raise ConfigurationError(msg)
    return host


def listen(address: str, port: int) -> socket.socket:
    """A listening socket; connections queue from now on.

    Raises:
        ConfigurationError: the port is taken or may not be used.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    # With the protocol named, asyncio turns Nagle's algorithm off: 40 ms for each answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        msg = f"the emulator cannot listen on {address}, port {port}: {error.strerror}"
        raise ConfigurationError(msg) from error
    return listener


def url_of(listener: socket.socket) -> str:
    """The URL of a listening socket."""
    address, port = listener.getsockname()[:2]
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"
