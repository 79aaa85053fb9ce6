"""Files that others can write are refused; a secret that others can read is warned of, once."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from dfns_signers import private_files
from dfns_signers.backends.pem.key import PemKey
from dfns_signers.config.loading import load_profile
from dfns_signers.errors import DfnsSignersError
from dfns_signers.private_files import create_private_file
from dfns_signers.sealed import Sealed
from dfns_signers.secrets import Secret
from tests.core.keys import private_key, private_pem

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes say nothing here")

READERS: dict[str, tuple[bytes, Callable[[Path], object]]] = {
    "key file": (private_pem(private_key("ES256")), PemKey.from_file),
    "token": (b"token", lambda path: Secret.from_file(path).reveal()),
    "configuration": (
        b"[profiles.p]\nauth_token = 'literal'",
        lambda path: load_profile("p", config=path),
    ),
}
KINDS = pytest.mark.parametrize("kind", READERS)


@pytest.fixture
def path(tmp_path: Path, kind: str) -> Path:
    path = tmp_path / "file"
    path.write_bytes(READERS[kind][0])
    os.utime(path, (0, 0))
    return path


@KINDS
@pytest.mark.parametrize("mode", [0o660, 0o606, 0o666, 0o620, 0o602, 0o777])
def test_file_that_others_can_write_refused_with_what_to_run(
    path: Path, kind: str, mode: int
) -> None:
    path.chmod(mode)

    with pytest.raises(DfnsSignersError, match="other users can write the ") as caught:
        READERS[kind][1](path)

    assert str(caught.value).endswith(f"{path}; run: chmod go-w {path}")


@KINDS
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o444])
def test_file_that_others_can_read_is_warned_of_once_with_what_to_run(
    path: Path, kind: str, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    path.chmod(mode)

    for _ in range(3):
        READERS[kind][1](path)

    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("other users can read the ")
    assert record.getMessage().endswith(f"{path}; run: chmod 600 {path}")


@KINDS
@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700, 0o611])
def test_file_that_only_its_owner_can_read_and_write_is_read_without_a_word(
    path: Path, kind: str, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    path.chmod(mode)

    READERS[kind][1](path)

    assert caplog.records == []


@KINDS
def test_link_is_judged_by_the_file_that_it_leads_to(path: Path, kind: str) -> None:
    link = path.with_name("link")  # a link has all modes itself
    link.symlink_to(path)
    path.chmod(0o600)

    READERS[kind][1](link)

    path.chmod(0o666)
    with pytest.raises(DfnsSignersError, match="other users can write"):
        READERS[kind][1](link)


@KINDS
def test_file_in_a_folder_that_others_can_write_is_read(path: Path, kind: str) -> None:
    path.chmod(0o600)
    path.parent.chmod(0o777)  # as a sidecar that shares it needs

    READERS[kind][1](path)


@KINDS
def test_file_of_another_size_of_thing_refused(path: Path, kind: str) -> None:
    path.chmod(0o600)
    os.truncate(path, 2_000_000)

    with pytest.raises(DfnsSignersError, match="over 1000000 bytes"):
        READERS[kind][1](path)


def test_file_of_a_million_bytes_is_not_too_large(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"t" * 1_000_000)
    path.chmod(0o600)
    os.utime(path, (0, 0))

    assert len(Secret.from_file(path).reveal()) == 1_000_000


def test_device_that_all_can_write_is_read() -> None:
    with pytest.raises(DfnsSignersError, match="/dev/null is empty"):
        Secret.from_file("/dev/null").reveal()


def test_private_file_that_cannot_be_written_whole_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        create_private_file(tmp_path / "new", Sealed("text"))  # type: ignore[arg-type]

    assert list(tmp_path.iterdir()) == []


@KINDS
def test_fifo_that_nobody_writes_to_is_refused_and_not_waited_for(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_files, "_PATIENCE", 0.0)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)

    with pytest.raises(DfnsSignersError, match="cannot be read: it is a FIFO, and nobody writes"):
        READERS[kind][1](fifo)


@KINDS
def test_fifo_is_read_to_the_end_of_its_writer(tmp_path: Path, kind: str) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    content, read = READERS[kind]
    begun, may_end = threading.Event(), threading.Event()

    def write() -> None:
        with fifo.open("wb", buffering=0) as stream:
            stream.write(content[:3])
            begun.set()
            may_end.wait(60)
            stream.write(content[3:])

    def let_go() -> None:
        begun.wait(60)
        may_end.set()

    threads = [threading.Thread(target=write), threading.Thread(target=let_go)]
    for thread in threads:
        thread.start()

    assert read(fifo)

    for thread in threads:
        thread.join(60)
