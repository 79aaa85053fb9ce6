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

from dfns_signers.audit.trail import AuditTrail
from dfns_signers.errors import AuditError
from tests.core.audit.trails import end_well, events, is_whole, lines, process, verified, write

FORK = multiprocessing.get_context("fork")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


@pytest.fixture
def trail(file: Path) -> Iterator[AuditTrail]:
    trail = AuditTrail(file)
    yield trail
    trail.close()


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

    with pytest.raises(AuditError, match="cannot be written: No such file or directory"):
        trail.append("decided", call_id="call-1")

    assert trail.failures == 1


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


def test_threads_share_a_trail(trail: AuditTrail, file: Path) -> None:
    def work(name: int) -> None:
        for number in range(25):
            trail.append("decided", call_id=f"{name}-{number}", outcome="allowed")

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(events(file)) == 101
    assert is_whole(file)


WRITE = """
for number in range(int(sys.argv[3])):
    trail.append("decided", call_id=f"{sys.argv[2]}-{number}", outcome="allowed")
"""


def test_processes_share_a_file_while_it_is_rotated(file: Path) -> None:
    writers = [process(WRITE, file, name, 150) for name in range(4)]
    rotated: list[Path] = []
    while any(writer.poll() is None for writer in writers):
        if file.exists() and file.stat().st_size > 20_000:
            rotated.append(file.with_name(f"audit.jsonl.{len(rotated)}"))
            file.rename(rotated[-1])
    end_well(writers)

    files = [*rotated, file]
    assert len(rotated) > 3
    assert is_whole(*files)
    calls = [line["call"] for each in files for line in lines(each) if line["event"] == "decided"]
    assert sorted(calls) == sorted(f"{name}-{n}" for name in range(4) for n in range(150))


ENDLESS = """
import itertools
for number in itertools.count():
    trail.append("decided", call_id=f"{sys.argv[2]}-{number}", outcome="allowed")
    if number == 20:
        print("writes", flush=True)
"""


def test_writers_that_are_killed_leave_a_trail_that_can_be_verified(file: Path) -> None:
    for round_ in range(8):
        writers = [process(ENDLESS, file, f"{round_}-{name}") for name in range(2)]
        for writer in writers:
            assert writer.stdout is not None
            writer.stdout.readline()
        for writer in writers:
            writer.kill()
            writer.communicate(timeout=60)

    write(file, 1)

    assert verified(file).findings == []
    assert verified(file).records > 8 * 2 * 20


def test_writer_that_keeps_the_lock_is_named_and_not_waited_for_without_end(file: Path) -> None:
    holder = process(
        "import fcntl\n"
        "head = open(sys.argv[1] + '.head', 'a')\n"
        "fcntl.flock(head, fcntl.LOCK_EX)\n"
        "print('locked', flush=True)\n"
        "sys.stdin.read()",
        file,
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    file.with_name("audit.jsonl.head").chmod(0o600)
    trail = AuditTrail(file, patience=0.05)

    with pytest.raises(AuditError, match=r"another process has kept .*audit.jsonl.head locked"):
        trail.append("decided", call_id="call-1")
    end_well([holder])
    trail.append("decided", call_id="call-1")
    trail.close()

    assert is_whole(file)


def test_forked_child_and_its_parent_share_the_file(trail: AuditTrail, file: Path) -> None:
    def work(name: str) -> None:
        for number in range(50):
            trail.append("decided", call_id=f"{name}-{number}", outcome="allowed")

    trail.append("decided", call_id="before", outcome="allowed")
    children = [FORK.Process(target=work, args=(f"child-{n}",)) for n in range(2)]
    for child in children:
        child.start()
    work("parent")
    for child in children:
        child.join(60)

    assert [child.exitcode for child in children] == [0, 0]
    assert len(events(file)) == 2 + 150
    assert is_whole(file)
    assert len({line["writer"] for line in lines(file)}) == 3


def test_fork_while_another_thread_writes_leaves_the_child_free_to_write(
    trail: AuditTrail, file: Path
) -> None:
    stop = threading.Event()

    def write_on() -> None:
        while not stop.is_set():
            trail.append("decided", call_id="parent", outcome="allowed")

    thread = threading.Thread(target=write_on)
    thread.start()
    for _ in range(10):
        child = FORK.Process(target=trail.append, args=("decided",), kwargs={"call_id": "child"})
        child.start()
        child.join(60)
        assert child.exitcode == 0
    stop.set()
    thread.join()

    assert is_whole(file)
    assert sum(line.get("call") == "child" for line in lines(file)) == 10


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
