"""How a command ended, and commands in a process of their own."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest
from typing_extensions import Self

from dfns_signers.cli import main
from dfns_signers.cli.app import command_line
from dfns_signers.cli.lazy_command import LazyCommand, LazyGroup
from tests.core.processes import interruptible

PROGRAM = str(Path(sys.executable).with_name("dfns-signers"))
SECONDS = 60


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command: TypeAlias = Callable[..., Outcome]


def _runnable(
    command: Any, *path: str
) -> Iterator[tuple[tuple[str, ...], LazyCommand | LazyGroup]]:
    if isinstance(command, (LazyCommand, LazyGroup)):
        yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from _runnable(inner, *path, name)


COMMANDS: Final = dict(sorted(_runnable(command_line())))
"""Every command that runs by itself, by its path."""


def environment(**variables: str) -> dict[str, str]:
    """That of the tests, as wide as any table."""
    return {**os.environ, "COLUMNS": "200", **variables}


def run(*arguments: str | Path, stdin: bytes = b"", **variables: str) -> Outcome:
    done = subprocess.run(
        [PROGRAM, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        timeout=SECONDS,
        check=False,
        env=environment(**variables),
    )
    return Outcome(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))


class Started:
    """A command that runs until it is told to stop."""

    def __init__(
        self, *arguments: str | Path, stdin: int = subprocess.PIPE, **variables: str
    ) -> None:
        with interruptible():
            self.process = subprocess.Popen(
                [PROGRAM, *map(str, arguments)],
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment(**variables),
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def line(self) -> bytes:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def note(self) -> bytes:
        """A line of standard error."""
        assert self.process.stderr is not None
        return self.process.stderr.readline()

    def note_with(self, text: str) -> str:
        """The first line of standard error with a text."""
        while text.encode() not in (note := self.note()):
            assert note, f"standard error ended without {text!r}"
        return note.decode()

    def stop(self, number: signal.Signals) -> tuple[int, bytes, bytes]:
        """Send a signal; returns exit code, and what is left of standard output and error."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, out, err


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs the console script's function within the test, as a shell would run the script."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object, stdin: str | bytes = b"") -> Outcome:
        data = stdin.encode("utf-8") if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "argv", ["dfns-signers", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return Outcome(int(ended.value.code or 0), captured.out, captured.err)

    return run
