"""Read a trail line by line, in little memory, whatever it has."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, cast

from dfns_signers.audit.records import MAX_LINE, Head, Record, read_record
from dfns_signers.errors import AuditError
from dfns_signers.private_files import open_to_read, reason_of

_HEAD: Final = re.compile(rb"audit trail (.+): head ([0-9a-f]{64}) at sequence ([0-9]{1,18})\b")
"""What ``AuditTrail`` says to the log."""


class Line(NamedTuple):
    """A line of a trail.

    Attributes:
        number: from 1 on.
        size: bytes, newline included.
        is_ended: whether it has a newline.
        record: what it has; None if it is not a record.
    """

    number: int
    size: int
    is_ended: bool
    record: Record | None


@contextmanager
def reading(
    path: Path, progress: Callable[[int], object] = lambda _: None
) -> Iterator[Iterator[Line]]:
    """The lines of a trail; one whose name ends in ``.gz`` is unpacked.

    Args:
        path: where it is.
        progress: called with the bytes of the file that have been read, but for a pipe.

    Raises:
        AuditError: it cannot be read.
    """
    with _opened(path) as (stream, raw):
        yield _lines(stream, lambda: raw.seekable() and progress(raw.tell()))


def heads_in(log: Path) -> Iterator[tuple[str, Head]]:
    """The heads that a log has, each with the file of its trail as it says.

    Raises:
        AuditError: the log cannot be read.
    """
    with _opened(log) as (stream, _):
        while line := stream.readline(MAX_LINE):
            for file, digest, sequence in _HEAD.findall(line):
                yield file.decode("utf-8", "replace"), Head(int(sequence), digest.decode("ascii"))


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """A file, unpacked, and as it is."""
    try:
        with open_to_read(path) as raw:
            if path.suffix == ".gz":
                with gzip.open(raw) as unpacked:
                    yield cast("BinaryIO", unpacked), raw
            else:
                yield raw, raw
    except (OSError, EOFError) as error:
        raise AuditError(f"{path} cannot be read: {reason_of(error)}") from error


def _lines(stream: BinaryIO, progress: Callable[[], object]) -> Iterator[Line]:
    number = 0
    while content := stream.readline(MAX_LINE + 1):
        number += 1
        size, is_ended = len(content), content.endswith(b"\n")
        record = read_record(content) if size <= MAX_LINE else None
        while not is_ended and (more := stream.readline(MAX_LINE)):
            size, is_ended = size + len(more), more.endswith(b"\n")
        yield Line(number, size, is_ended, record)
        if number % 1000 == 0:
            progress()
    progress()
