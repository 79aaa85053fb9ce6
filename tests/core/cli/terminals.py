"""A command at a terminal, with a person who answers its questions."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path
from typing import Final

from typing_extensions import Self

from tests.core.cli.support import PROGRAM, SECONDS, environment

_END: Final = b""


class Terminal:
    """Runs a command with a pseudo-terminal for standard input and error, and a pipe for output."""

    def __init__(self, *arguments: str | Path, **variables: str) -> None:
        self._own, theirs = pty.openpty()
        self._shown = b""
        self._read = 0
        self.process = subprocess.Popen(
            [PROGRAM, *map(str, arguments)],
            stdin=theirs,
            stderr=theirs,
            stdout=subprocess.PIPE,
            env=environment(TERM="dumb", NO_COLOR="1", **variables),
            start_new_session=True,
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        os.close(self._own)

    @property
    def shown(self) -> str:
        """What was on the terminal so far."""
        return self._shown.decode("utf-8", "replace").replace("\r\n", "\n")

    def answer(self, question: str, text: str) -> None:
        """Wait for a question, and answer it."""
        self._wait_for(question.encode())
        os.write(self._own, f"{text}\n".encode())

    def press(self, question: str, key: bytes) -> None:
        """Wait for a question, and press a key."""
        self._wait_for(question.encode())
        os.write(self._own, key)

    def end(self) -> int:
        """Wait for the end of the command; returns its exit code."""
        while self._more():
            pass
        self.process.communicate(timeout=SECONDS)
        return self.process.returncode

    def _wait_for(self, text: bytes) -> None:
        while text not in self._shown[self._read :]:
            assert self._more(), f"it ended before {text!r} was asked: {self.shown}"
        self._read = self._shown.index(text, self._read) + len(text)

    def _more(self) -> bool:
        try:
            found = os.read(self._own, 65_536)
        except OSError:  # Linux: the other end is closed
            found = _END
        self._shown += found
        return found != _END
