"""What is printed for the program of a caller works as printed, over http and https."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.cli.support import Command, command
from tests.gateway.setup.printed_settings import Printed, printed_settings

__all__ = ["command"]

FROM_A_PROFILE = """
from dfns_signers import DfnsClient
with DfnsClient.from_config("web", config="client.toml") as dfns:
    print(dfns.get("/wallets"))
"""


@pytest.fixture(params=["http", "https"])
def printed(tmp_path: Path, command: Command, request: pytest.FixtureRequest) -> Iterator[Printed]:
    """For a caller with a key."""
    with printed_settings(tmp_path, command, tls=request.param == "https") as printed:
        yield printed


@pytest.fixture(params=["http", "https"])
def without_key(
    tmp_path: Path, command: Command, request: pytest.FixtureRequest
) -> Iterator[Printed]:
    tls = request.param == "https"
    with printed_settings(tmp_path, command, "--no-key", tls=tls) as printed:
        yield printed


def run_python(printed: Printed, program: str) -> str:
    trusted = printed.trusting("SSL_CERT_FILE") if printed.is_tls else {}
    return printed.run(sys.executable, "-c", program, **trusted)


def run_curl(printed: Printed) -> str:
    (export,) = [line for line in printed.text.splitlines() if line.startswith("export ")]
    return printed.run("sh", "-c", f"{export}\n{printed.section('curl')}")


def test_line_for_curl_lists_wallets(without_key: Printed) -> None:
    assert run_curl(without_key) == '{"items":[]}'


def test_line_for_curl_lists_wallets_for_a_caller_with_a_key(printed: Printed) -> None:
    assert run_curl(printed) == '{"items":[]}'


def test_program_with_httpx_lists_wallets(without_key: Printed) -> None:
    answer = run_python(without_key, without_key.section("Python, with httpx"))

    assert answer == "{'items': []}\n"


def test_program_with_the_official_python_sdk_lists_wallets(printed: Printed) -> None:
    answer = run_python(printed, printed.section("Python, official SDK"))

    assert answer == "{'items': []}\n"


def test_profile_lists_wallets(printed: Printed) -> None:
    config = printed.folder / "client.toml"
    config.write_text(printed.section("dfns-signers, a profile"))
    config.chmod(0o600)

    assert run_python(printed, FROM_A_PROFILE) == "{'items': []}\n"


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node.js")
def test_program_in_typescript_is_valid(printed: Printed, tmp_path: Path) -> None:
    program = tmp_path / "wallets.mjs"
    program.write_text(printed.section("TypeScript, official SDK"))

    assert printed.run("node", "--check", str(program)) == ""
