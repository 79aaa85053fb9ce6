"""Sockets that callers connect to, bound and removed by ourselves."""

from __future__ import annotations

import errno
import os
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dfns_signers.errors import ListeningError
from dfns_signers.gateway.configuration.addresses import Address, TcpAddress, UnixAddress
from dfns_signers.gateway.requests.messages import Peer

_BACKLOG: Final = 256
_STARTING: Final = 5.0  # seconds that another gateway may take to bind a socket
_REMEDIES: Final = {
    errno.EADDRINUSE: ": stop what listens there, or change the address in [gateway]",
    errno.EADDRNOTAVAIL: ": this machine has no such address; change it in [gateway]",
    errno.ENOENT: ": make its folder, or change the address in [gateway]",
    errno.EACCES: ": change the address in [gateway], or who may write the folder of the socket",
}
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_UNSPECIFIED: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # connected to, not bound
_OTHERS_MAY_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


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
        self.listening.close()
        if isinstance(self.address, UnixAddress):
            with suppress(OSError):
                if _node(self.address.path) == self.node:
                    self.address.path.unlink()

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
    hosts = {_authority(address.host, port)}
    if port == _DEFAULT_PORTS[scheme]:
        hosts.add(_authority(address.host))
    return Listener(address, listening, url, frozenset(hosts))


def _authority(host: str, port: int | None = None) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port is None else f"{name}:{port}"


def _on_unix(address: UnixAddress) -> Listener:
    if not hasattr(socket, "SO_PEERCRED"):
        raise ListeningError(
            f"the gateway cannot listen on {address.text}: it learns who connects to a unix socket "
            "on Linux only; listen on 127.0.0.1:PORT, and give callers a token"
        )
    _require_own_folder(address)
    with (
        _one_at_a_time(address.path.parent),
        _closed_on_error(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as listening,
    ):
        _remove_stale(address)
        former = os.umask(0o177)  # 0600 from the first moment on
        try:
            listening.bind(os.fspath(address.path))
        finally:
            os.umask(former)
        try:
            _give_to_group(address)
            _listen(listening)
            node = _node(address.path)
        except BaseException:  # Ctrl-C and cancellation, too
            address.path.unlink(missing_ok=True)
            raise
    return Listener(address, listening, f"unix:{address.path}", frozenset({"localhost"}), node=node)


def _require_own_folder(address: UnixAddress) -> None:
    """Refuse a folder where others could put a socket of their own in the place of ours."""
    folder = address.path.parent
    status = folder.stat()
    if status.st_mode & _OTHERS_MAY_WRITE and not status.st_mode & stat.S_ISVTX:
        raise ListeningError(
            f"the gateway cannot listen on {address.text}: other users can write the folder "
            f"{folder}, and so replace the socket; run: chmod go-w {folder}"
        )


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Keep gateways that start together from taking each other's socket for a stale one."""
    import fcntl  # noqa: PLC0415  # not on every platform

    with ExitStack() as stack:
        with suppress(OSError):  # the folder cannot be read, or has no locks
            descriptor = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, descriptor)
            end = time.monotonic() + _STARTING
            while time.monotonic() < end:  # whoever can read the folder may lock it for ever
                with suppress(BlockingIOError):
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                time.sleep(0.01)
        yield


def _remove_stale(address: UnixAddress) -> None:
    """Remove the socket of a process that has ended."""
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(address.path.lstat().st_mode):
            raise ListeningError(
                f"the gateway cannot listen on {address.text}: there is something else than a "
                "socket at that path; remove it, or choose another path"
            )
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
            asking.setblocking(False)
            try:
                asking.connect(os.fspath(address.path))
            except ConnectionRefusedError:
                address.path.unlink()
                return
            except BlockingIOError:  # it listens, and is busy
                pass
        raise ListeningError(
            f"the gateway cannot listen on {address.text}: another process listens there; stop it, "
            "or choose another path"
        )


def _give_to_group(address: UnixAddress) -> None:
    if address.group is not None:
        import grp  # noqa: PLC0415  # not on every platform

        try:
            group = grp.getgrnam(address.group).gr_gid
        except KeyError:
            raise ListeningError(
                f"the gateway cannot listen on {address.text}: there is no group {address.group!r}"
            ) from None
        os.chown(address.path, -1, group)
    address.path.chmod(address.mode)
    mode = stat.S_IMODE(address.path.lstat().st_mode)
    if mode != address.mode:
        raise ListeningError(
            f"the gateway cannot listen on {address.text}: the file system gives the socket the "
            f"mode {mode:04o}, not {address.mode:04o}; choose a path on another one"
        )


def peer_of(connection: socket.socket) -> tuple[int, int]:
    """User id and process id at the other end of a unix socket, as when it connected."""
    # struct ucred of Linux: pid, uid, gid.
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    pid, uid, _ = memoryview(credentials).cast("i")
    return uid & 0xFFFFFFFF, pid


def _node(path: Path) -> tuple[int, int]:
    status = path.lstat()
    return status.st_dev, status.st_ino


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
