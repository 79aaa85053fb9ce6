"""Where a chain goes on in a file that is not as its last writer left it.

A writer that is killed leaves part of a line; rotation leaves another file in its place.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dfns_signers.audit.head_file import Left
from dfns_signers.audit.records import NO_RECORD, Head, read_record
from dfns_signers.errors import AuditError

_LOOKED_AT: Final = 1024 * 1024  # bytes at the end of a file


@dataclass(frozen=True, slots=True)
class Continuation:
    """What comes before the next record.

    Attributes:
        head: what the next record follows.
        prefix: bytes before it: a newline where a line was not ended.
        event: what is recorded first; None where there is nothing to say.
        members: of that record.
    """

    head: Head
    prefix: bytes = b""
    event: str | None = None
    members: Mapping[str, Any] = field(default_factory=dict)


def continuation(path: Path, descriptor: int, left: Left | None) -> Continuation:
    """Where the chain goes on.

    Args:
        path: of the trail.
        descriptor: its open file, readable, which nobody else writes meanwhile.
        left: how the last writer left it, if that is known.

    Raises:
        AuditError: there is no record at the end of the file.
        OSError: it cannot be read.
    """
    status = os.fstat(descriptor)
    size = status.st_size
    if left is not None and left.is_of(status) and size == left.size:
        return Continuation(left.head)
    if left is None:
        return _without_knowledge(path, descriptor, size)
    if left.is_of(status) and size > left.size:
        return _after(descriptor, left.size, size, left.head)
    if not left.is_of(status) and not size:
        return Continuation(left.head, b"", "rotated", {"former": _name_of(left, path.parent)})
    if not left.is_of(status):
        head, _ = _last_record(descriptor, 0, size)
        if head.sequence >= left.sequence:  # a copy was put in its place
            return _after(descriptor, 0, size, left.head)
    lost = {"lastSequence": left.sequence, "bytesBefore": left.size, "bytesLeft": size}
    return Continuation(left.head, _ending(descriptor, size), "truncated", lost)


def _without_knowledge(path: Path, descriptor: int, size: int) -> Continuation:
    if not size:
        return Continuation(NO_RECORD, b"", "started")
    if _last_record(descriptor, 0, size)[0] is NO_RECORD:
        raise AuditError(
            f"the end of {path} is not an audit trail: look at it with 'dfns-signers audit verify "
            f"{path}', and move it away, or configure another file"
        )
    return _after(descriptor, 0, size, NO_RECORD)


def _after(descriptor: int, start: int, size: int, head: Head) -> Continuation:
    """After the last record from ``start`` on; after ``head`` if there is none."""
    found, end = _last_record(descriptor, start, size)
    if found is not NO_RECORD:
        head = found
    prefix = _ending(descriptor, size)
    if end == size:
        return Continuation(head, prefix)
    return Continuation(head, prefix, "recovered", {"bytes": size - end})


def _last_record(descriptor: int, start: int, size: int) -> tuple[Head, int]:
    """The last record from ``start`` on, and where its line ends; ``start`` if there is none."""
    begin = max(start, size - _LOOKED_AT)
    end = size
    for line in reversed(os.pread(descriptor, size - begin, begin).splitlines(keepends=True)):
        record = read_record(line)
        if record is not None:
            return record.head, end
        end -= len(line)
    return NO_RECORD, start


def _ending(descriptor: int, size: int) -> bytes:
    return b"\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else b""


def _name_of(left: Left, folder: Path) -> str | None:
    """What a file is called that was renamed within its folder; None if it is not there."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.inode() == left.inode and left.is_of(entry.stat(follow_symlinks=False)):
                return entry.name
    return None
