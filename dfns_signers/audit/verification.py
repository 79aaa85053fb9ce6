"""Verify the chain of a trail, over one file or several that follow each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from dfns_signers.audit.head_file import Left, left_beside
from dfns_signers.audit.reading import Line, reading
from dfns_signers.audit.records import NO_RECORD, Head, Record

_MOST: Final = 100
"""Findings that are kept; further ones are counted."""

_MOST_OPEN: Final = 100_000
_CONTINUES: Final = frozenset({"rotated", "truncated"})


@dataclass(slots=True)
class Verification:
    """What was found.

    Attributes:
        records: how many there are.
        events: how many there are of each event.
        open_calls: calls that were allowed, and neither signed nor failed: a process was killed.
        first_time: of the first record, as it says.
        last_time: of the last record.
        head: where the chain ends.
        findings: what was tampered with, or lost.
        more_findings: how many there are besides.
        warnings: what may be harmless, such as a last line that is not whole.
        notes: what is as it should be, and worth knowing.
    """

    records: int = 0
    events: Counter[str] = field(default_factory=Counter)
    open_calls: int = 0
    first_time: str = ""
    last_time: str = ""
    head: Head = NO_RECORD
    findings: list[str] = field(default_factory=list)
    more_findings: int = 0
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def calls(self) -> int:
        """How many calls were decided on."""
        return self.events["decided"]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "records": self.records,
            "calls": self.calls,
            "events": dict(self.events),
            "open_calls": self.open_calls,
            "first_time": self.first_time,
            "last_time": self.last_time,
            "head": self.head.hash,
            "sequence": self.head.sequence,
            "findings": self.findings,
            "more_findings": self.more_findings,
            "warnings": self.warnings,
            "notes": self.notes,
        }


def verify(
    files: Sequence[Path],
    *,
    heads: Iterable[Head] = (),
    head: str | None = None,
    progress: Callable[[Path, int], object] = lambda _file, _bytes: None,
) -> Verification:
    """Verify a trail.

    Args:
        files: its files, the oldest first.
        heads: where the chain has ended at some time, as a log says.
        head: hash of a record that must be there.
        progress: called with a file and the bytes of it that have been read.

    Raises:
        AuditError: a file cannot be read.
    """
    verifier = _Verifier(heads, head)
    for file in files:
        left = left_beside(file)  # before the file, which may grow meanwhile
        with reading(file, partial(progress, file)) as lines:
            verifier.read(str(file), lines, left)
    return verifier.end()


@dataclass(frozen=True, slots=True)
class _BadLines:
    """Lines in a row that are not records."""

    first: Line
    last: Line
    count: int
    size: int  # bytes

    @property
    def subject(self) -> str:
        """They begin a sentence so."""
        first, last = self.first.number, self.last.number
        return f"line {first} was" if first == last else f"lines {first} to {last} were"


class _Verifier:
    def __init__(self, heads: Iterable[Head], head: str | None) -> None:
        self.found = Verification()
        self._heads: dict[int, set[str]] = {}
        for each in heads:
            self._heads.setdefault(each.sequence, set()).add(each.hash)
        self._wanted = head
        self._first: int | None = None
        self._open: set[str] = set()
        self._bad: _BadLines | None = None  # since the last record

    def read(self, file: str, lines: Iterable[Line], left: Left | None = None) -> None:
        """Go on with a file, which its last writer left so."""
        line = None
        for line in lines:
            if line.record is None:
                self._note_bad(line)
            else:
                self._take(f"{file} line {line.number}", file, line.record)
        if self._bad is not None:
            self._end_with(self._bad, file)
        elif line is not None and not line.is_ended:
            self.found.warnings.append(
                f"{file}: the last line has no newline: it was cut, or a writer was killed"
            )
        if left is not None and self.found.head.sequence < left.sequence:
            self._find(
                f"{file}: ends at sequence {self.found.head.sequence}, and {file}.head says "
                f"{left.sequence}: the end was cut off, or was not on the disk when the machine "
                "lost its power"
            )

    def _note_bad(self, line: Line) -> None:
        bad = self._bad or _BadLines(line, line, 0, 0)
        self._bad = _BadLines(bad.first, line, bad.count + 1, bad.size + line.size)

    def _end_with(self, bad: _BadLines, file: str) -> None:
        if bad.count == 1 and not bad.last.is_ended:
            self.found.warnings.append(
                f"{file} line {bad.last.number}: the last line is torn: a writer was killed "
                "or is writing at this moment, or the file was truncated"
            )
        else:
            self._find(f"{file} {bad.subject} changed, and no record")
        self._bad = None

    def _take(self, where: str, file: str, record: Record) -> None:
        self._follow(where, file, record)
        self._bad = None
        if self._first is None:
            self._first = record.head.sequence
        self._count(record)
        self._compare(where, record.head)

    def _follow(self, where: str, file: str, record: Record) -> None:
        """Judge how a record follows the one before."""
        head, sequence = self.found.head, record.head.sequence
        follows = record.follows(head)
        if self._bad is not None:
            self._judge(self._bad, file, record, follows=follows)
            if follows or (sequence == head.sequence + 1 + self._bad.count):
                return
        if self._first is None:
            self._begin(where, record)
        elif follows:
            if record.event in _CONTINUES:
                self.found.notes.append(f"{where}: the chain goes on in another file")
        elif sequence > head.sequence + 1:
            missing = f"{head.sequence + 1} to {sequence - 1}"
            self._find(f"{where}: the records {missing} before it are missing")
        elif sequence == head.sequence + 1:
            self._find(f"{where}: the record before it was replaced: its hash is another")
        else:
            self._find(
                f"{where}: is out of order or repeated: sequence {sequence} after {head.sequence}"
            )

    def _judge(self, bad: _BadLines, file: str, record: Record, *, follows: bool) -> None:
        """Judge lines that are not records, by the record after them."""
        of = record.members.get("bytes")
        if follows and record.event == "recovered" and of in (bad.size, bad.size - 1):
            self.found.notes.append(
                f"{file} line {bad.first.number}: a torn line, as a writer leaves that is killed"
            )
        elif follows:
            self._find(f"{file} {bad.subject} inserted")
        else:
            self._find(f"{file} {bad.subject} changed: the hash does not fit")

    def _begin(self, where: str, record: Record) -> None:
        if record.follows(NO_RECORD):
            return
        if record.event in _CONTINUES:
            former = record.members.get("former")
            self.found.notes.append(
                f"{where}: goes on after sequence {record.head.sequence - 1} of "
                f"{former if isinstance(former, str) else 'a former file'}; give that one as well "
                "to have the seam verified"
            )
        else:
            self._find(f"{where}: the records 1 to {record.head.sequence - 1} are missing")

    def _count(self, record: Record) -> None:
        found, members = self.found, record.members
        found.records += 1
        found.events[record.event] += 1
        found.head = record.head
        found.last_time = str(members.get("time", ""))
        found.first_time = found.first_time or found.last_time
        call = str(members.get("call"))
        if record.event == "decided" and members.get("outcome") == "allowed":
            if len(self._open) < _MOST_OPEN:
                self._open.add(call)
        elif record.event in {"signed", "failed", "answered"}:
            self._open.discard(call)

    def _compare(self, where: str, head: Head) -> None:
        """Compare a record with the heads that are known from elsewhere."""
        if head.hash == self._wanted:
            self._wanted = None
            self.found.notes.append(f"{where}: is the given head")
        known = self._heads.pop(head.sequence, {head.hash})
        if known != {head.hash}:
            self._find(f"{where}: the log has another hash for sequence {head.sequence}")

    def _find(self, text: str) -> None:
        if len(self.found.findings) < _MOST:
            self.found.findings.append(text)
        else:
            self.found.more_findings += 1

    def end(self) -> Verification:
        """What was found in all files."""
        found = self.found
        found.open_calls = len(self._open)
        if not found.records:
            found.warnings.append("there is no record")
        if self._wanted is not None:
            self._find("no record is the given head: the trail was truncated or replaced")
        first, last = self._first or 0, found.head.sequence
        if before := [sequence for sequence in self._heads if sequence < first]:
            found.notes.append(f"{len(before)} heads of the log are of former files")
        if after := [sequence for sequence in self._heads if sequence > last]:
            self._find(
                f"the trail ends at sequence {last}, and the log has a head at {max(after)}: the "
                "end was cut off"
            )
        return found
