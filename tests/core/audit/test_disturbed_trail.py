"""A trail that was torn, rotated, truncated or deleted goes on, and says so."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest

from dfns_signers.audit.trail import AuditTrail
from tests.core.audit.trails import events, is_whole, lines, verified, write

FORK = multiprocessing.get_context("fork")


@pytest.mark.parametrize("torn", [b'{"sequence":99', b"\0" * 500, b'{"a":1}\n{"b"'])
@pytest.mark.parametrize("is_known", [True, False], ids=["head known", "head lost"])
def test_torn_line_is_recorded_and_not_taken_for_tampering(
    file: Path, caplog: pytest.LogCaptureFixture, torn: bytes, is_known: bool
) -> None:
    write(file, 3)
    with file.open("ab") as stream:
        stream.write(torn)
    if not is_known:
        file.with_name("audit.jsonl.head").unlink()

    write(file, 1)

    found = verified(file)
    assert found.findings == []
    assert found.events["recovered"] == 1
    assert f"after {len(torn)} bytes that are not a record" in caplog.text
    assert any("a torn line" in note for note in found.notes)


def test_record_whose_newline_is_missing_is_kept(file: Path) -> None:
    write(file, 3)
    os.truncate(file, file.stat().st_size - 1)
    file.with_name("audit.jsonl.head").unlink()

    write(file, 1)

    assert is_whole(file)
    assert "recovered" not in events(file)


def test_record_that_was_written_before_a_crash_is_kept_although_the_head_does_not_know_it(
    file: Path,
) -> None:
    write(file, 1)
    head = file.with_name("audit.jsonl.head")
    before = head.read_bytes()
    write(file, 1)
    head.write_bytes(before)

    write(file, 1)

    assert is_whole(file)


def test_file_that_was_renamed_goes_on_in_a_new_one(trail: AuditTrail, file: Path) -> None:
    former = file.with_name("audit.jsonl.1")
    trail.append("decided", call_id="call-1")
    file.rename(former)

    trail.append("decided", call_id="call-2")

    assert events(file) == ["rotated", "decided"]
    assert lines(file)[0]["former"] == "audit.jsonl.1"
    assert lines(file)[0]["previous"] == lines(former)[-1]["hash"]
    assert is_whole(former, file)


def test_copy_that_takes_the_place_of_the_file_goes_on_with_the_chain(file: Path) -> None:
    write(file, 3)
    copy = file.with_name("copy.jsonl")
    copy.write_bytes(file.read_bytes())
    copy.replace(file)

    write(file, 1)

    assert is_whole(file)
    assert not {"rotated", "truncated"} & set(events(file))


@pytest.mark.parametrize("is_made", [True, False], ids=["made by who rotates", "not made"])
def test_process_that_starts_after_a_rotation_goes_on_with_the_chain(
    file: Path, is_made: bool
) -> None:
    former = file.with_name("audit.jsonl.1")
    write(file, 2)
    file.rename(former)
    if is_made:
        file.touch(0o600)

    write(file, 2)

    assert events(file)[0] == "rotated"
    assert is_whole(former, file)


def test_deleted_file_is_said_in_the_new_one_and_in_the_log(
    trail: AuditTrail, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trail.append("decided", call_id="call-1")
    file.unlink()

    trail.append("decided", call_id="call-2")

    first = lines(file)[0]
    assert (first["event"], first["sequence"]) == ("rotated", 3)
    assert "former" not in first
    assert "if it was not rotated, it was deleted" in caplog.text


@pytest.mark.parametrize("left", [0, 40, 100_000], ids=["emptied", "torn", "some lines"])
def test_truncated_file_is_said_in_it_and_in_the_log(
    trail: AuditTrail, file: Path, caplog: pytest.LogCaptureFixture, left: int
) -> None:
    write(file, 3)
    size = file.stat().st_size
    keep = min(left, len(b"".join(file.read_bytes().splitlines(keepends=True)[:4])))
    os.truncate(file, keep)

    trail.append("decided", call_id="call-9")

    assert f"it was cut from {size} to {keep} bytes, or replaced, after record 7" in caplog.text
    found = verified(file)
    assert found.events["truncated"] == 1
    if left:
        assert found.findings != []


def test_copy_that_was_truncated_after_it_was_copied_can_be_verified_with_the_rest(
    trail: AuditTrail, file: Path
) -> None:
    write(file, 3)
    copy = file.with_name("copy.jsonl")
    copy.write_bytes(file.read_bytes())
    os.truncate(file, 0)

    trail.append("decided", call_id="call-9")

    assert is_whole(copy, file)
