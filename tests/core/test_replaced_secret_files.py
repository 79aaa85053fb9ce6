"""A file of a secret that is replaced in place is read when it is whole."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dfns_signers import secrets
from dfns_signers.errors import ConfigurationError
from dfns_signers.secrets import Secret

OLD, NEW = "old-" * 50, "new-" * 50


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(OLD, encoding="utf-8")
    os.utime(path, (0, 0))
    return path


class Waiting:
    """Time as the reader sees it: it passes only while the reader waits.

    Attributes:
        planned: what happens to the file during each pause; it is then a new file.
        pauses: how long the reader waited, each time.
    """

    def __init__(self, path: Path) -> None:
        self.planned: list[Callable[[], object]] = []
        self.pauses: list[float] = []
        self._path = path
        self._age = 0.0

    def time(self) -> float:
        return self._path.stat().st_mtime + self._age

    def monotonic(self) -> float:
        return sum(self.pauses)

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self._age += seconds
        if self.planned:
            self.planned.pop(0)()
            self._age = 0.0


@pytest.fixture
def waiting(path: Path, monkeypatch: pytest.MonkeyPatch) -> Waiting:
    waiting = Waiting(path)
    for name in ("time", "monotonic", "sleep"):
        monkeypatch.setattr(secrets, name, getattr(waiting, name))
    return waiting


class Writer:
    """A thread that rewrites a file in place, in pieces, each when it is asked for."""

    def __init__(self, path: Path, *pieces: str) -> None:
        self._turn, self._done = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._write, args=(path, pieces), daemon=True)
        self._thread.start()
        self.go()

    def go(self) -> None:
        """Write the next piece: at first, none into the file that was emptied."""
        self._turn.release()
        assert self._done.acquire(timeout=30)

    def _write(self, path: Path, pieces: tuple[str, ...]) -> None:
        with path.open("w", encoding="utf-8") as stream:
            for piece in ("", *pieces):
                assert self._turn.acquire(timeout=30)
                stream.write(piece)
                stream.flush()
                self._done.release()


def test_file_that_nobody_writes_is_read_without_waiting(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "sleep", lambda _: pytest.fail("it waits"))

    assert Secret.from_file(path).reveal() == OLD


def test_file_whose_time_is_in_the_future_is_read_without_waiting(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "sleep", lambda _: pytest.fail("it waits"))
    os.utime(path, (time.time() + 3600,) * 2)

    assert Secret.from_file(path).reveal() == OLD


def test_file_that_has_been_emptied_is_read_when_it_is_whole(path: Path, waiting: Waiting) -> None:
    writer = Writer(path, NEW)
    waiting.planned += [writer.go]

    assert Secret.from_file(path).reveal() == NEW


@pytest.mark.parametrize("cut", [1, 100, len(NEW) - 1])
def test_file_that_is_half_written_is_read_when_it_is_whole(
    path: Path, waiting: Waiting, cut: int
) -> None:
    writer = Writer(path, NEW[:cut], NEW[cut:])
    writer.go()
    waiting.planned += [writer.go]

    assert Secret.from_file(path).reveal() == NEW


def test_file_that_was_modified_a_moment_ago_is_read_after_a_tenth_of_a_second(
    path: Path, waiting: Waiting
) -> None:
    path.write_text(NEW, encoding="utf-8")

    assert Secret.from_file(path).reveal() == NEW
    assert sum(waiting.pauses) == pytest.approx(0.1)


def test_file_that_is_rewritten_at_each_look_is_given_up_after_a_second_with_what_to_do(
    path: Path, waiting: Waiting
) -> None:
    waiting.planned += [lambda: path.write_text(NEW, encoding="utf-8")] * 100

    with pytest.raises(ConfigurationError, match="being written all the time") as caught:
        Secret.from_file(path).reveal()

    assert str(path) in str(caught.value)
    assert "rename" in str(caught.value)
    assert 0.9 < sum(waiting.pauses) < 1.2


def test_file_that_stays_empty_is_refused_as_empty_after_a_second(
    path: Path, waiting: Waiting
) -> None:
    path.write_bytes(b"")

    with pytest.raises(ConfigurationError, match="is empty"):
        Secret.from_file(path).reveal()

    assert 0.9 < sum(waiting.pauses) < 1.2


def test_file_that_has_been_empty_for_long_is_refused_at_once(path: Path, waiting: Waiting) -> None:
    path.write_bytes(b"")
    waiting.sleep(60)

    with pytest.raises(ConfigurationError, match="is empty"):
        Secret.from_file(path).reveal()

    assert waiting.pauses == [60]


def test_byte_order_mark_does_not_belong_to_the_secret(path: Path) -> None:
    path.write_text(NEW, encoding="utf-8-sig")

    assert Secret.from_file(path).reveal() == NEW
