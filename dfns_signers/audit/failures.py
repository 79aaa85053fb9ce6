"""Why a trail cannot be written, and what to do."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final

from dfns_signers.private_files import reason_of

_NO_RIGHT: Final = "its writer, {user}, must be able to write it, {file.name}.head and {folder}"
_NO_ROOM: Final = "make room on the disk of {folder}"
_NO_FILE: Final = "name a file in a folder"
_NO_LOCKS: Final = "name a file on a file system with locks, such as that of a local disk"

_REMEDIES: Final = {
    errno.ENOENT: "make its folder: mkdir -p {folder}",
    errno.EACCES: _NO_RIGHT,
    errno.EPERM: _NO_RIGHT,
    errno.EROFS: "name a file on a file system that is not read-only",
    errno.ENOSPC: _NO_ROOM,
    errno.EDQUOT: _NO_ROOM,
    errno.EFBIG: "rename it, for a new one to follow, or raise the limit (ulimit -f)",
    errno.EISDIR: _NO_FILE,
    errno.ENOTDIR: _NO_FILE,
    errno.ENOLCK: _NO_LOCKS,
    errno.EOPNOTSUPP: _NO_LOCKS,
}


def reason_and_remedy(error: OSError, file: Path) -> str:
    """What the system says, and what to do about it.

    Args:
        error: raised as the trail was opened or written.
        file: of the trail.
    """
    reason = reason_of(error)
    if error.filename is not None and _is_another(error.filename, file):
        reason += f" ({error.filename})"
    remedy = _REMEDIES.get(error.errno or 0)
    if remedy is None:
        return reason
    user = f"user {os.geteuid()}" if hasattr(os, "geteuid") else "its user"
    return f"{reason}; {remedy.format(file=file, folder=file.parent, user=user)}"


def _is_another(found: str, file: Path) -> bool:
    """Whether something at another path than that of the trail is in the way."""
    return Path(found) != file and os.path.lexists(found)
