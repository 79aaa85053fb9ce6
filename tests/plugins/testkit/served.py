"""Local servers as ``make`` leaves them running."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

from typing_extensions import Self

from dfns_signers_testkit.servers import free_port
from tests.core.processes import interruptible
from tests.support import ROOT
from tests.support.makefile import recipe


class Served:
    """What ``make TARGET`` runs, in a process of its own.

    Attributes:
        port: where the server was asked to listen.
        call: the second command, which it prints.
        printed: the file of its standard output, which has whole profiles.
        config: the configuration file that it wrote.
    """

    def __init__(self, folder: Path, target: str, *arguments: str, usual: bool = False) -> None:
        self.port = free_port()
        port = [] if usual else ["--port", str(self.port)]
        self.printed = folder / "printed.toml"
        self.printed.touch(0o600)
        with self.printed.open("wb") as printed, interruptible():
            self._process = subprocess.Popen(
                recipe(target, *port, *arguments),
                cwd=ROOT,
                stdout=printed,
                stderr=subprocess.PIPE,
                text=True,
            )
        self.call = ""

    def __enter__(self) -> Self:
        assert self._process.stderr
        self.call = next(line for line in self._process.stderr if " request " in line)
        self.config = Path(*re.findall(r"--config (\S+)", self.call))
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.interrupted()
        finally:
            self._process.kill()
            self._process.communicate()

    def interrupted(self) -> int:
        """Its exit code after Ctrl-C."""
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(30)


def pasted(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line in a shell of a new user, who stands in a folder with nothing in it."""
    return subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env={"HOME": os.fspath(folder), "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
