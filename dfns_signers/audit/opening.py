"""Open the files of a trail, for their owner alone."""

from __future__ import annotations

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
    # Not blocked by a FIFO.
    descriptor = os.open(path, flags | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
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
