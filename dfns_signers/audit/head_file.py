"""The file beside a trail that says where its chain ends, and that its writers lock.

The trail itself cannot be locked: it is renamed by those that rotate it.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any, Final

from dfns_signers.audit.opening import is_at, open_private
from dfns_signers.audit.records import Head
from dfns_signers.errors import AuditError
from dfns_signers.private_files import open_to_read

_SIZE: Final = 256  # bytes, so that one write replaces all of it
_FIRST_PAUSE: Final = 0.0005
_LONGEST_PAUSE: Final = 0.001


@dataclass(frozen=True, slots=True)
class Left:
    """The trail as its last writer left it.

    Attributes:
        sequence: of the last record.
        hash: of the last record.
        size: bytes of the file.
        inode: of the file.
        device: of the file.
    """

    sequence: int
    hash: str
    size: int
    inode: int
    device: int

    @property
    def head(self) -> Head:
        """Where the chain ends."""
        return Head(self.sequence, self.hash)

    def is_of(self, status: os.stat_result) -> bool:
        """Whether a file is the one that was left."""
        return (self.inode, self.device) == (status.st_ino, status.st_dev)


def left_beside(trail: Path) -> Left | None:
    """How the last writer left a trail; None if that is not known, or of another file."""
    try:
        with open_to_read(_beside(trail)) as stream:
            left = _left_of(stream.read(_SIZE))
        return left if left is not None and left.is_of(trail.stat()) else None
    except (OSError, ValueError):  # ValueError: the path cannot be one
        return None


def _left_of(content: bytes) -> Left | None:
    try:
        left = Left(**json.loads(content))
    except (ValueError, TypeError):
        return None
    types = [type(value) for value in astuple(left)]
    return left if types == [int, str, int, int, int] else None


def _beside(trail: Path) -> Path:
    return trail.with_name(f"{trail.name}.head")


def file_locks() -> Any:
    """The module ``fcntl``.

    Raises:
        AuditError: this system does not have it, as Windows.
    """
    try:
        import fcntl  # noqa: PLC0415  # not on Windows
    except ImportError:
        raise AuditError(
            "an audit trail needs the file locks of POSIX, which this system does not have: "
            "remove 'audit' from the profile"
        ) from None
    return fcntl


class HeadFile:
    """``FILE.head``, opened once for each process.

    Args:
        trail: the file of the trail.
        patience: seconds to wait for a lock.
    """

    def __init__(self, trail: Path, patience: float) -> None:
        self.path = _beside(trail)
        self._patience = patience
        self._descriptor: int | None = None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other writers out.

        Raises:
            AuditError: another writer keeps the lock for too long, or there are no locks here.
            OSError: the file cannot be opened.
        """
        fcntl = file_locks()
        descriptor = self._acquired(lambda of: fcntl.flock(of, fcntl.LOCK_EX | fcntl.LOCK_NB))
        try:
            yield
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)

    def _acquired(self, lock: Callable[[int], None]) -> int:
        """The descriptor of the file, locked."""
        end, pause = time.monotonic() + self._patience, _FIRST_PAUSE
        while True:
            if self._descriptor is None:
                self._descriptor = open_private(self.path, os.O_RDWR)
            try:
                lock(self._descriptor)
            except BlockingIOError:
                if time.monotonic() > end:
                    raise AuditError(
                        f"another process has kept {self.path} locked for {self._patience:g} "
                        "seconds: find it (fuser), and have it go on or end"
                    ) from None
                time.sleep(pause)  # flock itself waits without a limit
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            if is_at(self.path, self._descriptor):
                return self._descriptor
            self.close()  # it was deleted: the others lock another file

    def read(self) -> Left | None:
        """How the trail was left; None if that is not known. Only while it is locked."""
        assert self._descriptor is not None  # noqa: S101  # locked
        return _left_of(os.pread(self._descriptor, _SIZE, 0))

    def write(self, left: Left) -> None:
        """Say how the trail is left. Only while it is locked; OSError if it cannot be."""
        assert self._descriptor is not None  # noqa: S101  # locked
        text = json.dumps(asdict(left), separators=(",", ":")).ljust(_SIZE - 1) + "\n"
        os.pwrite(self._descriptor, text.encode("ascii"), 0)

    def close(self) -> None:
        """Close the file, and thereby end a lock of this process."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
