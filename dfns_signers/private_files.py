"""Files that only their owner should write, and only their owner read: configuration and secrets.

Owner and folder are not looked at: in containers, a sidecar writes files as a user of its own, into
a folder that both may write.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from typing import TYPE_CHECKING, Final

from dfns_signers.errors import DfnsSignersError
from dfns_signers.sealed import Sealed

if TYPE_CHECKING:
    from io import BufferedReader
    from pathlib import Path

MAX_BYTES: Final = 1_000_000
"""More than any key, token or configuration has."""

_PATIENCE: Final = 2.0
"""Seconds; a program that writes a FIFO again and again has it closed for a moment."""

_PAUSE: Final = 0.02

_SEPARATORS: Final = re.compile(r"[/\\\0]")

_warned: Final[set[Path]] = set()


def read_private_file(
    path: Path, what: str, refusal: type[DfnsSignersError]
) -> tuple[Sealed[bytes], os.stat_result]:
    """Read a file that nobody else may write.

    Args:
        path: where it is.
        what: names its kind in an error, such as ``the key file``.
        refusal: raised if others can write it, or if it is over a million bytes.

    Returns:
        The content, and the status of the file once it had been read.

    Raises:
        OSError: it cannot be read.
        ValueError: the path cannot be one.
    """
    with open_to_read(path) as stream:
        # One byte more than there may be: a larger file is recognised by it.
        content = Sealed(stream.read(MAX_BYTES + 1))
        status = os.fstat(stream.fileno())
    if len(content.open()) > MAX_BYTES:
        raise refusal(f"{what} {path} is over {MAX_BYTES} bytes, too large to be one")
    if _allows_others(status, stat.S_IWGRP | stat.S_IWOTH):
        raise refusal(f"other users can write {what} {path}; run: chmod go-w {path}")
    return content, status


def open_to_read(path: Path) -> BufferedReader:
    """Open a file; a FIFO that nobody writes to is waited for a moment, and not for ever.

    Raises:
        OSError: it cannot be opened, or is a FIFO that nobody writes to.
        ValueError: the path cannot be one.
    """
    if not hasattr(os, "O_NONBLOCK"):
        return path.open("rb")
    stream = open(path, "rb", opener=_open_without_waiting)  # noqa: SIM115  # the opener
    try:
        os.set_blocking(stream.fileno(), True)
        if stat.S_ISFIFO(os.fstat(stream.fileno()).st_mode):
            _await_content(stream)
    except BaseException:  # Ctrl-C, too
        stream.close()
        raise
    return stream


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def _await_content(fifo: BufferedReader) -> None:
    end = time.monotonic() + _PATIENCE
    while not fifo.peek(1):  # waits for those that have it open, and for nobody else
        if time.monotonic() > end:
            raise OSError(errno.ENODATA, "it is a FIFO, and nobody writes to it")
        time.sleep(_PAUSE)  # no event says that a writer has come


def create_private_file(path: Path, content: Sealed[bytes]) -> None:
    """Write a file that is new, for its owner alone; it is on the disk when this returns.

    Raises:
        FileExistsError: there is one already, which is left as it is.
        OSError: it cannot be written; none is left behind.
        ValueError: the path cannot be one.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content.open())
            stream.flush()
            os.fsync(stream.fileno())
        sync_folder(path.parent)
    except BaseException:  # Ctrl-C and cancellation, too
        path.unlink(missing_ok=True)
        raise


def file_of(name: str, ending: str, folder: Path) -> Path:
    """Where a file goes that has the name of a profile, which may have any characters."""
    return folder / f"{_SEPARATORS.sub('-', name)}{ending}"


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, where a folder can be opened for that."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def reason_of(error: Exception) -> str:
    """What the system says of a file that cannot be used, without path and number."""
    return str(getattr(error, "strerror", None) or error)


def is_exposed(status: os.stat_result) -> bool:
    """Whether users other than the owner may read a file; False where modes do not say so."""
    return _allows_others(status, stat.S_IRGRP | stat.S_IROTH)


def warn_of_exposure(what: str, path: Path) -> None:
    """Say once in this process that others can read the secret that a file holds."""
    if path not in _warned:
        import logging  # noqa: PLC0415  # nobody else here needs it

        _warned.add(path)
        logging.getLogger(__name__).warning(
            "other users can read %s %s; run: chmod 600 %s", what, path, path
        )


def warn_again() -> None:
    """Warn of what was warned of before, the next time."""
    _warned.clear()


def _allows_others(status: os.stat_result, bits: int) -> bool:
    # A device or a pipe keeps nothing that somebody could have written before.
    is_file = stat.S_ISREG(status.st_mode)
    return os.name == "posix" and is_file and bool(status.st_mode & bits)
