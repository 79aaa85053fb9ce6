"""Open the files of a trail, for their owner alone, or see whether that can be done."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from dfns_signers.errors import AuditError


def open_private(path: Path, flags: int) -> int:
    """Open a file, which is made with the mode 0600 if it is not there.

    Raises:
        AuditError: others can write it, or it is not a regular file.
        OSError: it cannot be opened.
    """
    return _open(path, flags | os.O_CREAT)


def check_private(path: Path) -> None:
    """See that ``open_private`` could open a file to write it, without making it.

    Raises:
        AuditError, OSError: as of ``open_private``.
    """
    try:
        os.close(_open(path, os.O_RDWR))
    except FileNotFoundError:
        path.parent.stat()
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from None


def _open(path: Path, flags: int) -> int:
    # Not blocked by a FIFO.
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise AuditError(
                f"{path} is not a regular file, which an audit trail must be: name another file"
            )
        if mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise AuditError(f"other users can write {path}; run: chmod go-w {path}")
    except BaseException:  # Ctrl-C, too
        os.close(descriptor)
        raise
    return descriptor


def is_at(path: Path, descriptor: int) -> bool:
    """Whether an open file is still the one at a path."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
