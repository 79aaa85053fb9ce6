"""What ``gateway caller add`` prints for the program of a caller, while its gateway serves."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dfns_signers.emulator import Emulator
from dfns_signers_testkit.servers import free_port
from tests.core.cli.support import Command
from tests.gateway.running import configuration, served

RULES = """
[[gateway.callers.web.allow]]
name = "wallets"
call = "GET /wallets"

[[gateway.callers.web.allow]]
name = "new wallets"
call = "POST /wallets"
"""


@dataclass(frozen=True)
class Printed:
    """What was printed.

    Attributes:
        text: settings of each client.
        notes: what else is to be done.
        folder: has the key of the caller, and is where programs run.
        url: of the gateway.
    """

    text: str
    notes: str
    folder: Path
    url: str

    @property
    def is_tls(self) -> bool:
        return self.url.startswith("https:")

    def section(self, title: str) -> str:
        """The lines below the comment with a title."""
        before, _, rest = self.text.partition(f" {title}\n")
        assert rest, f"{title} is not in {before}"
        comment = before.rpartition("\n")[2]
        return rest.partition(f"\n\n{comment} ")[0].partition("\n\n//")[0] + "\n"

    def trusting(self, variable: str) -> dict[str, str]:
        """The variable that has a program trust the certificate of the gateway."""
        found = re.search(rf"\b{variable}=(\S+)", self.notes)
        assert found, f"{variable} is not in {self.notes}"
        return {variable: found[1]}

    def trusting_in_java(self) -> tuple[str, list[str]]:
        """The line that makes a trust store, and the options of ``java`` that name it."""
        line = re.search(r"keytool .*", self.notes)
        options = re.search(r"java (-D.*)", self.notes)
        assert line, self.notes
        assert options, self.notes
        return line[0], shlex.split(options[1])

    @property
    def private_key(self) -> Path:
        return self.folder / "web.pem"

    @property
    def token(self) -> str:
        return (self.folder / "web.token").read_text().strip()

    def run(self, *words: str, **variables: str) -> str:
        environment = {**os.environ, "DFNS_GATEWAY_TOKEN": self.token, **variables}
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=environment,
            cwd=self.folder,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def printed_settings(
    folder: Path, command: Command, *options: str, tls: bool = False
) -> Iterator[Printed]:
    """What is printed for a caller ``web`` that may list and create wallets.

    Args:
        folder: where files go.
        command: runs the command.
        options: of the command.
        tls: whether the gateway speaks https, with a certificate of ``gateway certificate``.
    """
    listener = f"127.0.0.1:{free_port()}"
    gateway = f'listen = ["{listener}?tls=local"]\n' if tls else f'listen = ["{listener}"]\n'
    if tls:
        made = command("gateway", "certificate", "-o", folder / "tls")
        assert made.code == 0, made.err
        gateway += made.out
    with Emulator() as emulator:
        file = configuration(folder, emulator, gateway)
        done = command(
            *("gateway", "caller", "add", "web", "--config", file, "--org-id", "or-1"),
            *("--token-file", folder / "web.token", *options),
        )
        assert done.code == 0, done.err
        with file.open("a") as stream:
            stream.write(RULES)
        with served(file) as (url,):
            yield Printed(done.out, done.err, folder, url)
