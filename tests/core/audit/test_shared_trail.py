"""Threads, processes and forked children share one trail, also while it is rotated."""

from __future__ import annotations

import multiprocessing
import threading
from pathlib import Path

import pytest

from dfns_signers.audit.trail import AuditTrail
from dfns_signers.errors import AuditError
from tests.core.audit.trails import end_well, events, is_whole, lines, process, verified, write

FORK = multiprocessing.get_context("fork")


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
from itertools import count
for number in count():
    trail.append("decided", call_id=f"{sys.argv[2]}-{number}", outcome="allowed")
    if Path(sys.argv[3]).exists():
        print(number + 1)
        break
"""


def test_processes_share_a_file_while_it_is_rotated(file: Path) -> None:
    end = file.with_name("end")
    writers = [process(WRITE, file, name, end) for name in range(4)]
    rotated: list[Path] = []
    while len(rotated) < 5:
        assert all(writer.poll() is None for writer in writers)
        if file.exists() and file.stat().st_size > 20_000:
            rotated.append(file.with_name(f"audit.jsonl.{len(rotated)}"))
            file.rename(rotated[-1])
    end.touch()
    written = [int(printed) for printed in end_well(writers)]

    # The last record may stand in a file that was rotated after it.
    files = [*rotated, *([file] if file.exists() else [])]
    assert is_whole(*files)
    calls = [line["call"] for each in files for line in lines(each) if line["event"] == "decided"]
    assert sorted(calls) == sorted(f"{name}-{n}" for name in range(4) for n in range(written[name]))


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
