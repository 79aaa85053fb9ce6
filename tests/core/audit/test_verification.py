"""Whatever is done to a trail is found, and what is as it should be is not."""

from __future__ import annotations

import gzip
import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dfns_signers import private_files
from dfns_signers.audit.records import Head, line_after
from dfns_signers.audit.trail import AuditTrail
from dfns_signers.audit.verification import Verification, verify
from dfns_signers.errors import AuditError
from tests.core.audit.trails import is_whole, verified, write

ANY_EXAMPLES = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def _valid() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "audit.jsonl"
        write(file, 6)
        return file.read_bytes()


VALID = _valid()
LINES = VALID.splitlines(keepends=True)
HEAD: str = json.loads(LINES[-1])["hash"]


def found_in(folder: Path, content: bytes, head: str | None = None) -> Verification:
    file = folder / "audit.jsonl"
    file.write_bytes(content)
    return verify([file], head=head)


def is_found(found: Verification) -> bool:
    return bool(found.findings or found.warnings)


def test_trail_that_nobody_touched_is_whole(tmp_path: Path) -> None:
    found = found_in(tmp_path, VALID)

    assert not is_found(found)
    assert (found.records, found.calls, found.open_calls) == (13, 6, 0)
    assert found.first_time <= found.last_time


@ANY_EXAMPLES
@given(at=st.integers(0, len(VALID) - 1), by=st.integers(1, 255))
def test_any_byte_that_was_changed_is_found(tmp_path: Path, at: int, by: int) -> None:
    changed = VALID[:at] + bytes([VALID[at] ^ by]) + VALID[at + 1 :]

    assert is_found(found_in(tmp_path, changed))


@ANY_EXAMPLES
@given(begin=st.integers(0, len(LINES) - 2), count=st.integers(1, len(LINES)))
def test_any_lines_that_were_removed_are_found_but_at_the_end(
    tmp_path: Path, begin: int, count: int
) -> None:
    left = LINES[:begin] + LINES[begin + count :]
    head = HEAD if begin + count >= len(LINES) else None

    assert is_found(found_in(tmp_path, b"".join(left), head))


@ANY_EXAMPLES
@given(data=st.data())
def test_any_two_lines_that_were_swapped_are_found(tmp_path: Path, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(LINES) - 2))
    second = data.draw(st.integers(first + 1, len(LINES) - 1))
    swapped = LINES.copy()
    swapped[first], swapped[second] = swapped[second], swapped[first]

    assert found_in(tmp_path, b"".join(swapped)).findings != []


@ANY_EXAMPLES
@given(at=st.integers(0, len(LINES)), which=st.integers(0, len(LINES) - 1))
def test_any_line_that_was_repeated_is_found(tmp_path: Path, at: int, which: int) -> None:
    repeated = [*LINES[:at], LINES[which], *LINES[at:]]

    assert found_in(tmp_path, b"".join(repeated)).findings != []


@ANY_EXAMPLES
@given(at=st.integers(0, len(LINES)), line=st.binary(min_size=0, max_size=300))
def test_any_line_that_was_inserted_is_found(tmp_path: Path, at: int, line: bytes) -> None:
    inserted = [*LINES[:at], line.replace(b"\n", b"") + b"\n", *LINES[at:]]

    assert found_in(tmp_path, b"".join(inserted)).findings != []


@ANY_EXAMPLES
@given(size=st.integers(0, len(VALID) - 1))
def test_any_truncation_is_found_with_the_head(tmp_path: Path, size: int) -> None:
    found = found_in(tmp_path, VALID[:size], HEAD)

    # Only the newline is missing: no record is.
    assert found.findings != [] or (size == len(VALID) - 1 and found.warnings != [])


def test_truncation_within_a_line_is_found_without_the_head(tmp_path: Path) -> None:
    found = found_in(tmp_path, VALID[:-10])

    assert found.findings == []
    (warning,) = found.warnings
    assert "line 13: the last line is torn" in warning


def forged(head: Head, line: bytes, **members: str) -> tuple[bytes, Head]:
    """The next line of a chain, with other members than a line has; its own hash is right."""
    record = {**json.loads(line), **members}
    for name in ("sequence", "previous", "hash"):
        del record[name]
    return line_after(head, record)


def replaced(at: int, **members: str) -> list[bytes]:
    """The lines of the trail, one of which was forged to follow the one before."""
    before = json.loads(LINES[at - 1])
    line, _ = forged(Head(before["sequence"], before["hash"]), LINES[at], **members)
    return [*LINES[:at], line, *LINES[at + 1 :]]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([*LINES[:4], LINES[4].replace(b"signed", b"failed"), *LINES[5:]], "line 5 was changed"),
        ([*LINES[:4], b"{}\n", *LINES[4:]], "line 5 was inserted"),
        ([*LINES[:4], *LINES[6:]], "line 5: the records 5 to 6 before it are missing"),
        (LINES[2:], "line 1: the records 1 to 2 are missing"),
        ([*LINES[:4], LINES[5], LINES[4]], "sequence 5 after 6"),
        ([*LINES[:4], *LINES[3:]], "line 5: is out of order or repeated: sequence 4 after 4"),
        (
            replaced(4, method="PUT"),
            "line 6: the record before it was replaced: its hash is another",
        ),
    ],
    ids=["changed", "inserted", "removed", "beginning", "reordered", "repeated", "forged"],
)
def test_what_was_done_is_said_with_the_line(
    tmp_path: Path, content: list[bytes], said: str
) -> None:
    assert any(said in each for each in found_in(tmp_path, b"".join(content)).findings)


def test_number_that_does_not_follow_is_found_where_all_hashes_fit(tmp_path: Path) -> None:
    before = json.loads(LINES[-2])
    last, _ = forged(Head(before["sequence"] + 1, before["hash"]), LINES[-1])

    assert found_in(tmp_path, b"".join([*LINES[:-1], last])).findings != []


def test_torn_line_is_tampering_where_no_writer_said_so(tmp_path: Path) -> None:
    found = found_in(tmp_path, b"".join([*LINES[:4], b'{"torn\n', *LINES[4:]]))

    assert found.findings != []


def test_chain_made_anew_shows_by_the_head_of_the_log(tmp_path: Path) -> None:
    """Whoever can write the file can hash all of it again: the log is the anchor."""
    head, rewritten = Head(), []
    for line in LINES:
        made, head = forged(head, line, writer="somebody else")
        rewritten.append(made)
    content = b"".join(rewritten)

    assert found_in(tmp_path, content).findings == []
    assert found_in(tmp_path, content, HEAD).findings != []


def test_end_that_was_cut_off_is_found_by_the_head_beside_the_trail(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    write(file, 2)
    assert is_whole(file)

    os.truncate(file, sum(map(len, file.read_bytes().splitlines(keepends=True)[:-1])))

    (finding,) = verified(file).findings
    assert f"ends at sequence 4, and {file}.head says 5: the end was cut off" in finding


def test_trail_that_grows_while_it_is_read_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    trail = AuditTrail(file)
    for _ in range(2000):
        trail.append("signed", call_id="call-1")
    grown: list[int] = []

    def grow(_file: Path, size: int) -> None:
        grown.append(size)
        if len(grown) < 3:
            trail.append("signed", call_id="call-2")

    found = verify([file], progress=grow)
    trail.close()

    assert (found.findings, found.warnings) == ([], [])
    assert found.records > 2001


@pytest.mark.parametrize("head", [b"", b"[]", b"{", b"\xff", b'{"sequence": 99}'])
def test_head_that_is_not_one_says_nothing(tmp_path: Path, head: bytes) -> None:
    file = tmp_path / "audit.jsonl"
    write(file, 1)
    file.with_name("audit.jsonl.head").write_bytes(head)

    assert is_whole(file)


@pytest.mark.parametrize("sequence", ["99", 99.5, None, [99]])
def test_head_with_members_of_another_type_says_nothing(tmp_path: Path, sequence: object) -> None:
    file = tmp_path / "audit.jsonl"
    write(file, 1)
    head = file.with_name("audit.jsonl.head")
    head.write_text(json.dumps({**json.loads(head.read_text()), "sequence": sequence}))

    assert is_whole(file)


def test_head_of_the_file_that_was_rotated_says_nothing_of_the_new_one(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    write(file, 1)
    file.rename(tmp_path / "audit.jsonl.1")
    file.touch()

    assert verified(file).findings == []


def test_files_that_follow_each_other_are_one_chain(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    files = [tmp_path / "audit.jsonl.2.gz", tmp_path / "audit.jsonl.1", file]
    write(file, 2)
    file.rename(files[1])
    write(file, 2)
    files[0].write_bytes(gzip.compress(files[1].read_bytes()))
    files[1].write_bytes(file.read_bytes())
    file.unlink()
    write(file, 1)

    assert is_whole(*files)
    assert not is_whole(files[0], files[2])
    assert not is_whole(files[1], files[0], files[2])


def test_later_file_alone_is_whole_and_says_what_it_follows(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    write(file, 2)
    file.rename(tmp_path / "audit.jsonl.1")
    write(file, 2)

    (note,) = verified(file).notes

    assert is_whole(file)
    assert "goes on after sequence 5 of audit.jsonl.1; give that one as well" in note


def test_calls_that_were_allowed_and_never_signed_are_open(tmp_path: Path) -> None:
    assert found_in(tmp_path, b"".join(LINES[:2])).open_calls == 1


@pytest.mark.parametrize(
    "hostile",
    [
        b"[" * 60_000 + b"\n",
        b'{"a":' * 10_000 + b"\n",
        b"x" * 5_000_000 + b"\n",
        b'{"sequence":' + b"9" * 50_000 + b"}\n",
        b"\xff\xfe\n",
        b"null\n",
        b"\n",
    ],
    ids=["deep arrays", "deep objects", "huge", "huge integer", "not UTF-8", "no object", "empty"],
)
def test_hostile_line_is_found_and_does_no_harm(tmp_path: Path, hostile: bytes) -> None:
    found = found_in(tmp_path, b"".join([*LINES[:3], hostile, *LINES[3:]]))

    (finding,) = found.findings
    assert "line 4 was inserted" in finding


def test_fifo_that_nobody_writes_to_is_refused_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_files, "_PATIENCE", 0.0)
    fifo = tmp_path / "audit.jsonl"
    os.mkfifo(fifo)

    with pytest.raises(AuditError, match="cannot be read: it is a FIFO, and nobody writes to it"):
        verify([fifo])


@pytest.mark.parametrize("name", ["missing.jsonl", "broken.gz", "cut.gz"])
def test_file_that_cannot_be_read_is_said(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    if name == "broken.gz":
        file.write_bytes(b"not compressed")
    elif name == "cut.gz":
        file.write_bytes(gzip.compress(VALID)[:-20])

    with pytest.raises(AuditError, match=f"{file} cannot be read"):
        verify([file])
