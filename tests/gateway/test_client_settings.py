"""What is printed for the program of a caller works as printed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dfns_signers import DfnsClient
from dfns_signers.emulator import Emulator
from dfns_signers.sealed import Sealed
from dfns_signers_testkit.servers import free_port
from tests.core.cli.support import Command, command
from tests.gateway.running import configuration, served

__all__ = ["command"]

RULE = '\n[[gateway.callers.web.allow]]\nname = "wallets"\ncall = "GET /wallets"\n'


@dataclass(frozen=True)
class Printed:
    """What ``caller add`` printed, while its gateway serves."""

    text: str
    folder: Path

    def section(self, title: str) -> str:
        """The lines below the comment with a title."""
        before, _, rest = self.text.partition(f" {title}\n")
        assert rest, f"{title} is not in {before}"
        comment = before.rpartition("\n")[2]
        return rest.partition(f"\n\n{comment} ")[0].partition("\n\n//")[0] + "\n"

    @property
    def environment(self) -> dict[str, str]:
        token = (self.folder / "web.token").read_text().strip()
        return {**os.environ, "DFNS_GATEWAY_TOKEN": token}

    def run(self, *words: str) -> str:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=60, check=False, env=self.environment
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(params=["--key", "--no-key"])
def printed(tmp_path: Path, command: Command, request: pytest.FixtureRequest) -> Iterator[Printed]:
    options = [] if request.param == "--key" else ["--no-key"]
    with Emulator() as emulator:
        file = configuration(tmp_path, emulator, f'listen = ["127.0.0.1:{free_port()}"]')
        done = command(
            *("gateway", "caller", "add", "web", "--config", file, "--org-id", "or-1"),
            *("--token-file", tmp_path / "web.token", *options),
        )
        assert done.code == 0, done.err
        with file.open("a") as stream:
            stream.write(RULE)
        with served(file):
            yield Printed(done.out, tmp_path)


def test_line_for_curl_lists_wallets(printed: Printed) -> None:
    (export,) = [line for line in printed.text.splitlines() if line.startswith("export ")]

    answer = printed.run("sh", "-c", f"{export}\n{printed.section('curl')}")

    assert answer == '{"items":[]}'


@pytest.mark.parametrize("printed", ["--no-key"], indirect=True)
def test_program_with_httpx_lists_wallets(printed: Printed) -> None:
    answer = printed.run(sys.executable, "-c", printed.section("Python, with httpx"))

    assert answer == "{'items': []}\n"


@pytest.mark.parametrize("printed", ["--key"], indirect=True)
def test_program_with_the_official_python_sdk_lists_wallets(printed: Printed) -> None:
    answer = printed.run(sys.executable, "-c", printed.section("Python, official SDK"))

    assert answer == "{'items': []}\n"


@pytest.mark.parametrize("printed", ["--key"], indirect=True)
def test_profile_lists_wallets(printed: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    config = printed.folder / "client.toml"
    config.write_text(printed.section("dfns-signers, a profile"))
    config.chmod(0o600)
    monkeypatch.setenv("DFNS_GATEWAY_TOKEN", printed.environment["DFNS_GATEWAY_TOKEN"])

    with DfnsClient.from_config("web", config=config) as dfns:
        assert Sealed(dfns.get("/wallets")).open() == {"items": []}


@pytest.mark.parametrize("printed", ["--key"], indirect=True)
@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node.js")
def test_program_in_typescript_is_valid(printed: Printed, tmp_path: Path) -> None:
    program = tmp_path / "wallets.mjs"
    program.write_text(printed.section("TypeScript, official SDK"))

    assert printed.run("node", "--check", str(program)) == ""
