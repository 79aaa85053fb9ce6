"""Sockets that callers connect to, bound and removed by ourselves."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from dfns_signers.addresses import DEFAULT_PORTS
from dfns_signers.errors import ListeningError
from dfns_signers.gateway.configuration.addresses import Address, TcpAddress, UnixAddress
from dfns_signers.gateway.requests.messages import Peer
from dfns_signers.gateway.serving.unix_sockets import bound, node_of, peer_of

_BACKLOG: Final = 256
_REMEDIES: Final = {
    errno.EADDRINUSE: ": stop what listens there, or change the address in [gateway]",
    errno.EADDRNOTAVAIL: ": this machine has no such address; change it in [gateway]",
    errno.ENOENT: ": make its folder, or change the address in [gateway]",
    errno.EACCES: ": change the address in [gateway], or who may write the folder of the socket",
}
_UNSPECIFIED: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # connected to, not bound


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket that listens.

    Attributes:
        address: as the configuration has it.
        listening: does not block.
        url: where clients of this machine connect: ``http://…``, ``https://…`` or ``unix:/PATH``.
        hosts: what the header ``Host`` of its requests may be, in lower case.
        node: device and inode of a unix socket; None on TCP.
    """

    address: Address
    listening: socket.socket
    url: str
    hosts: frozenset[str]
    node: tuple[int, int] | None = None

    def close(self) -> None:
        """Stop listening, and remove a unix socket, unless another process replaced it."""
        # Once it is closed, another gateway may take its place, and be given its inode.
        if isinstance(self.address, UnixAddress) and self.listening.fileno() >= 0:
            with suppress(OSError):
                if node_of(self.address.path) == self.node:
                    self.address.path.unlink()
        self.listening.close()

    def peer(self, connection: socket.socket) -> Peer:
        """Who is at the other end of a connection, before anything is read from it."""
        if isinstance(self.address, UnixAddress):
            uid, pid = peer_of(connection)
            return Peer(self.address.text, uid=uid, pid=pid)
        host, port = connection.getpeername()[:2]
        return Peer(self.address.text, address=_authority(host, port))


def open_listener(address: Address) -> Listener:
    """Bind and listen.

    Raises:
        ListeningError: the address is in use or not permitted, or others could replace the socket.
    """
    try:
        return _on_unix(address) if isinstance(address, UnixAddress) else _on_tcp(address)
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, "")
        raise ListeningError(
            f"the gateway cannot listen on {address.text}: {error.strerror or error}{remedy}"
        ) from error


def _on_tcp(address: TcpAddress) -> Listener:
    host = "127.0.0.1" if address.host == "localhost" else address.host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Of connections of this protocol, asyncio turns off Nagle's algorithm, with which an answer in
    # two packets takes 40 ms more.
    tcp = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    with _closed_on_error(tcp) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind((host, address.port))
        _listen(listening)
        port = listening.getsockname()[1]
    scheme = "https" if address.tls else "http"
    url = f"{scheme}://{_authority(_UNSPECIFIED.get(address.host, address.host), port)}"
    # That browsers and resolvers keep ``localhost`` for this machine is RFC 6761.
    names = {address.host, host, "localhost"} if address.is_loopback else {address.host}
    hosts = {_authority(name, port) for name in names}
    if port == DEFAULT_PORTS[scheme]:
        hosts.update(map(_authority, names))
    return Listener(address, listening, url, frozenset(hosts))


def _authority(host: str, port: int | None = None) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port is None else f"{name}:{port}"


def _on_unix(address: UnixAddress) -> Listener:
    unix = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with _closed_on_error(unix) as listening, bound(listening, address) as node:
        _listen(listening)
    return Listener(address, listening, f"unix:{address.path}", frozenset({"localhost"}), node=node)


def _listen(listening: socket.socket) -> None:
    listening.setblocking(False)
    listening.listen(_BACKLOG)


@contextmanager
def _closed_on_error(listening: socket.socket) -> Iterator[socket.socket]:
    try:
        yield listening
    except BaseException:  # Ctrl-C and cancellation, too
        listening.close()
        raise
