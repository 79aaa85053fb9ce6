"""Records are appended to a chain that its readers can follow, whatever happens to the file."""

from __future__ import annotations

import errno
import json
import logging
import multiprocessing
import os
import resource
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from dfns_signers.audit.failures import reason_and_remedy
from dfns_signers.audit.trail import AuditTrail
from dfns_signers.errors import AuditError
from tests.core.audit.trails import events, is_whole, lines, process

FORK = multiprocessing.get_context("fork")


def test_each_record_has_the_hash_of_the_one_before_and_its_own(
    trail: AuditTrail, file: Path
) -> None:
    trail.append("decided", call_id="call-1", outcome="allowed")
    trail.append("signed", call_id="call-1", key="key-1")

    previous, numbers = "0" * 64, []
    for line in file.read_bytes().splitlines():
        record = json.loads(line)
        assert record["previous"] == previous
        previous = record["hash"]
        assert previous == sha256(line.rpartition(b',"hash":"')[0]).hexdigest()
        numbers.append(record["sequence"])
    assert numbers == [1, 2, 3]


def test_record_says_when_what_and_by_whom(trail: AuditTrail, file: Path) -> None:
    trail.append("decided", call_id="call-1", outcome="refused", rule=None)

    record = lines(file)[-1]

    assert (record["event"], record["call"], record["outcome"]) == ("decided", "call-1", "refused")
    assert record["time"].endswith("Z")
    assert record["writer"].split("/")[1] == str(os.getpid())
    assert "rule" not in record


def test_files_are_made_for_their_owner_alone(trail: AuditTrail, file: Path) -> None:
    trail.open()

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}

    assert modes == {"audit.jsonl": 0o600, "audit.jsonl.head": 0o600}


@pytest.mark.parametrize("name", ["audit.jsonl", "audit.jsonl.head"])
def test_file_that_others_can_write_is_refused(trail: AuditTrail, file: Path, name: str) -> None:
    open_to_all = file.with_name(name)
    open_to_all.touch()
    open_to_all.chmod(0o622)

    with pytest.raises(AuditError, match=f"other users can write {open_to_all}; run: chmod go-w"):
        trail.open()


@pytest.mark.parametrize("kind", ["a folder", "a FIFO", "a device"])
def test_what_is_not_a_regular_file_is_refused(file: Path, trail: AuditTrail, kind: str) -> None:
    if kind == "a folder":
        file.mkdir()
    elif kind == "a FIFO":
        os.mkfifo(file)
    else:
        file.symlink_to("/dev/full")

    with pytest.raises(AuditError, match=r"cannot be written|is not a regular file"):
        trail.open()


def test_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    trail = AuditTrail(tmp_path / "missing" / "audit.jsonl")

    with pytest.raises(AuditError, match=r"cannot be written: .*; make its folder: mkdir -p (.+)"):
        trail.append("decided", call_id="call-1")


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.EACCES, f"its writer, user {os.geteuid()}, must be able to write it, audit.jsonl"),
        (errno.EROFS, "name a file on a file system that is not read-only"),
        (errno.ENOSPC, "make room on the disk of /var/lib/payments"),
        (errno.EISDIR, "name a file in a folder"),
        (errno.ENOLCK, "name a file on a file system with locks"),
        (errno.EIO, os.strerror(errno.EIO)),
    ],
    ids=errno.errorcode.get,
)
def test_reason_comes_with_what_to_do(number: int, remedy: str) -> None:
    file = Path("/var/lib/payments/audit.jsonl")
    error = OSError(number, os.strerror(number), f"{file}.head")

    assert remedy in reason_and_remedy(error, file)


def test_folder_in_the_place_of_the_head_is_named(trail: AuditTrail, file: Path) -> None:
    head = file.with_name("audit.jsonl.head")
    head.mkdir()

    with pytest.raises(AuditError, match=rf"Is a directory \({head}\); name a file in a folder"):
        trail.open()


def test_file_that_is_not_a_trail_is_left_as_it_is(trail: AuditTrail, file: Path) -> None:
    file.write_text("something else\n")
    file.chmod(0o600)

    with pytest.raises(AuditError, match="is not an audit trail: look at it with"):
        trail.append("decided", call_id="call-1")

    assert file.read_text() == "something else\n"


@pytest.mark.parametrize(
    "value", [float("nan"), object(), ["x" * 4000] * 20], ids=["NaN", "no JSON", "too large"]
)
def test_what_is_not_a_record_is_not_written(trail: AuditTrail, file: Path, value: object) -> None:
    trail.open()

    with pytest.raises(AuditError):
        trail.append("decided", call_id="call-1", value=value)

    assert events(file) == ["started"]


def test_long_string_is_cut(trail: AuditTrail, file: Path) -> None:
    trail.append("decided", call_id="call-1", path="/" + "x" * 100_000)

    assert len(lines(file)[-1]["path"]) == 4097
    assert is_whole(file)


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_record_that_does_not_fit_leaves_no_part_of_it(trail: AuditTrail, file: Path) -> None:
    trail.open()
    before = file.read_bytes()

    # The kernel writes what fits, and then nothing: as on a full disk.
    with file_size_limit(len(before) + 20), pytest.raises(AuditError, match="File too large"):
        trail.append("decided", call_id="call-1", outcome="allowed")

    assert file.read_bytes() == before
    trail.append("decided", call_id="call-1", outcome="allowed")
    assert is_whole(file)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 64 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", "size=64k"]
    try:
        subprocess.run(["mount", *options, "tmpfs", folder], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no disk can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_full_disk_refuses_until_there_is_room(small_disk: Path) -> None:
    trail = AuditTrail(small_disk / "audit.jsonl")
    filler = small_disk / "filler"
    trail.open()
    filler.write_bytes(b"x" * 48 * 1024)

    def fill() -> None:
        for _ in range(1000):
            trail.append("decided", call_id="call-1", outcome="allowed")

    with pytest.raises(AuditError, match=os.strerror(errno.ENOSPC)):
        fill()
    filler.unlink()
    trail.append("decided", call_id="call-2", outcome="allowed")
    trail.close()

    assert lines(trail.file)[-1]["call"] == "call-2"
    assert is_whole(trail.file)


def test_disk_that_became_read_only_refuses(small_disk: Path) -> None:
    trail = AuditTrail(small_disk / "audit.jsonl")
    trail.open()
    trail.close()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)

    with pytest.raises(AuditError, match="Read-only file system"):
        trail.append("decided", call_id="call-1")


def test_head_goes_to_the_log_when_the_trail_is_opened_and_closed(
    trail: AuditTrail, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "dfns_signers.audit")

    trail.open()
    trail.append("decided", call_id="call-1")
    trail.close()

    hashes = [line["hash"] for line in lines(file)]
    assert caplog.messages == [
        f"audit trail {file}: head {hash_} at sequence {number}"
        for number, hash_ in enumerate(hashes, 1)
    ]


def test_head_goes_to_the_log_while_records_are_written(file: Path) -> None:
    said = threading.Event()

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "at sequence 2" in record.getMessage():
                said.set()

    logger, listener = logging.getLogger("dfns_signers.audit"), Listener()
    logger.addHandler(listener)
    before = logger.level
    logger.setLevel(logging.INFO)
    trail = AuditTrail(file, head_interval=0.01)
    try:
        trail.append("decided", call_id="call-1")
        assert said.wait(60)
    finally:
        logger.removeHandler(listener)
        logger.setLevel(before)
        trail.close()


def test_head_goes_to_the_log_at_the_end_of_a_process(file: Path) -> None:
    writer = process(
        "import logging; logging.basicConfig(level=logging.INFO)\n"
        "from dfns_signers.audit.trail import shared_trail\n"
        "assert shared_trail(trail.file) is shared_trail(trail.file)\n"
        "shared_trail(trail.file).append('decided', call_id='call-1')",
        file,
    )
    _, log = writer.communicate(timeout=60)

    assert f"head {lines(file)[-1]['hash']} at sequence 2" in log
