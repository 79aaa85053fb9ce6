"""The place of a unix socket: whose it is, who may replace it, and who connects to it."""

from __future__ import annotations

import os
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from dfns_signers.errors import ListeningError
from dfns_signers.gateway.configuration.addresses import UnixAddress

_STARTING: Final = 5.0  # seconds that another gateway may take to bind a socket
_OTHERS_MAY_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


@contextmanager
def bound(listening: socket.socket, address: UnixAddress) -> Iterator[tuple[int, int]]:
    """Bind a socket to its path, and remove it on an error; within, it begins to listen.

    Raises:
        ListeningError: another process listens there, or others could replace the socket.
        OSError: the path cannot be used.
    """
    if not hasattr(socket, "SO_PEERCRED"):
        raise ListeningError(
            f"the gateway cannot listen on {address.text}: it learns who connects to a unix socket "
            "on Linux only; listen on 127.0.0.1:PORT, and give callers a token"
        )
    _require_own_folder(address)
    with _one_at_a_time(address.path.parent):
        _remove_stale(address)
        former = os.umask(0o177)  # 0600 from the first moment on
        try:
            listening.bind(os.fspath(address.path))
        finally:
            os.umask(former)
        try:
            _set_access(address)
            yield node_of(address.path)
        except BaseException:  # Ctrl-C and cancellation, too
            address.path.unlink(missing_ok=True)
            raise


def node_of(path: Path) -> tuple[int, int]:
    """Device and inode, which are others for another socket at the same path."""
    status = path.lstat()
    return status.st_dev, status.st_ino


def peer_of(connection: socket.socket) -> tuple[int, int]:
    """User id and process id at the other end of a unix socket, as when it connected."""
    # struct ucred of Linux: pid, uid, gid.
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    pid, uid, _ = memoryview(credentials).cast("i")
    return uid & 0xFFFFFFFF, pid


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
    with ExitStack() as stack:
        with suppress(OSError):  # the folder cannot be read, or has no locks
            descriptor = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, descriptor)
            _lock(descriptor)
        yield


def _lock(descriptor: int) -> None:
    """Lock a folder, unless another process keeps its lock, as any that can read it may."""
    import fcntl  # noqa: PLC0415  # not on every platform

    end = time.monotonic() + _STARTING
    while time.monotonic() < end:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(0.01)  # flock itself waits without a limit


def _remove_stale(address: UnixAddress) -> None:
    """Remove the socket of a process that has ended."""
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(address.path.lstat().st_mode):
            raise ListeningError(
                f"the gateway cannot listen on {address.text}: there is something that is not a "
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


def _set_access(address: UnixAddress) -> None:
    """Give the socket its group and its mode."""
    if address.group is not None:
        os.chown(address.path, -1, _group_id(address, address.group))
    address.path.chmod(address.mode)
    mode = stat.S_IMODE(address.path.lstat().st_mode)
    if mode != address.mode:
        raise ListeningError(
            f"the gateway cannot listen on {address.text}: the file system gives the socket the "
            f"mode {mode:04o}, not {address.mode:04o}; choose a path on another one"
        )


def _group_id(address: UnixAddress, name: str) -> int:
    import grp  # noqa: PLC0415  # not on every platform

    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise ListeningError(
            f"the gateway cannot listen on {address.text}: there is no group {name!r}"
        ) from None
