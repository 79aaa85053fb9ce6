"""The lines of an audit trail: JSON objects, each with the hash of the one before and its own.

A line is a JSON object in ASCII. Its last member ``hash`` is the SHA-256, in hexadecimal, of the
bytes of the line before ``,"hash":"``; its member ``previous`` is the ``hash`` of the line before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, NamedTuple

from dfns_signers.bounded_json import bounded_json

MAX_LINE: Final = 64 * 1024
"""Bytes of a line, its newline included; no record is longer."""

_MAX_STRING: Final = 4096
_MEMBER: Final = b',"hash":"'
_TAIL: Final = len(_MEMBER) + 64 + len(b'"}')


class Head(NamedTuple):
    """Where a chain ends.

    Attributes:
        sequence: number of the last record; 0 if there is none.
        hash: its hash, in hexadecimal.
    """

    sequence: int = 0
    hash: str = "0" * 64


NO_RECORD: Final = Head()
"""What the first record of a chain follows."""


@dataclass(frozen=True, slots=True)
class Record:
    """A line whose own hash is right.

    Attributes:
        head: where the chain ends with it.
        previous: hash of the record before, as it says.
        members: all of it.
    """

    head: Head
    previous: str
    members: Mapping[str, Any]

    @property
    def event(self) -> str:
        """What it records."""
        return str(self.members.get("event"))

    def follows(self, head: Head) -> bool:
        """Whether it is the next one after another."""
        return self.head.sequence == head.sequence + 1 and self.previous == head.hash


def line_after(head: Head, members: Mapping[str, Any]) -> tuple[bytes, Head]:
    """The next line of a chain, newline included, and where the chain ends with it.

    Args:
        head: the end of the chain so far.
        members: JSON values; None is left out, and a string over 4,096 characters is cut.

    Raises:
        ValueError: over 64 KiB, or a value that JSON does not have.
        TypeError: a value that JSON does not have.
    """
    record = {"sequence": head.sequence + 1, "previous": head.hash, **members}
    given = {name: _cut(value) for name, value in record.items() if value is not None}
    text = json.dumps(given, separators=(",", ":"), allow_nan=False).encode("ascii")[:-1]
    digest = sha256(text).hexdigest()
    line = text + _MEMBER + digest.encode("ascii") + b'"}\n'
    if len(line) > MAX_LINE:
        raise ValueError(f"the record is over {MAX_LINE} bytes")
    return line, Head(head.sequence + 1, digest)


def read_record(line: bytes) -> Record | None:
    """The record of a line, with or without its newline; None if it is not a record.

    It is None where the line is not such a JSON object, or its own hash is not right.
    """
    line = line.removesuffix(b"\n")
    text, tail = line[:-_TAIL], line[-_TAIL:]
    digest = sha256(text).hexdigest()
    if tail != _MEMBER + digest.encode("ascii") + b'"}':
        return None
    try:
        members = bounded_json(text + b"}")
    except ValueError:
        return None
    sequence, previous = members.get("sequence"), members.get("previous")
    if type(sequence) is not int or not isinstance(previous, str):
        return None
    return Record(Head(sequence, digest), previous, members)


def _cut(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _MAX_STRING:
        return f"{value[:_MAX_STRING]}…"
    return value
