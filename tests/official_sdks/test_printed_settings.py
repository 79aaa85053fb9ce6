"""What ``gateway caller add`` prints for TypeScript and Java works as printed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.cli.support import Command, command
from tests.gateway.setup.printed_settings import Printed, printed_settings
from tests.interop.official_requests import Request
from tests.interop.official_world import Who
from tests.official_sdks.test_jdk_client import PROGRAM
from tests.official_sdks.typescript import MODULES, Place, typescript_sdk

__all__ = ["command"]


@pytest.fixture(params=["http", "https"])
def printed(tmp_path: Path, command: Command, request: pytest.FixtureRequest) -> Iterator[Printed]:
    with printed_settings(tmp_path, command, tls=request.param == "https") as printed:
        yield printed


def test_program_with_the_official_typescript_sdk_lists_wallets(printed: Printed) -> None:
    (printed.folder / "node_modules").symlink_to(MODULES)
    program = printed.folder / "wallets.mjs"
    program.write_text(printed.section("TypeScript, official SDK"))
    trusted = printed.trusting("NODE_EXTRA_CA_CERTS") if printed.is_tls else {}

    assert printed.run("node", str(program), **trusted) == "{ items: [] }\n"


@pytest.mark.parametrize("client", ["direct", "delegated"])
def test_official_typescript_sdk_signs_over_https(
    client: str, tmp_path: Path, command: Command
) -> None:
    with (
        printed_settings(tmp_path, command, tls=True) as printed,
        typescript_sdk(**printed.trusting("NODE_EXTRA_CA_CERTS")) as sdk,
    ):
        (method,) = [one for one in sdk.methods() if str(one) == f"{client}-wallets.createWallet"]
        place = Place(printed.url, "or-1", printed.private_key.read_text())
        who = Who(printed.token, "local-web")
        request = Request(method.operation, who, {}, {}, {"network": "EthereumSepolia"})

        assert sdk.call_at(place, method, request)["network"] == "EthereumSepolia"


def test_jdk_signs_over_https_with_the_trust_store(tmp_path: Path, command: Command) -> None:
    with printed_settings(tmp_path, command, tls=True) as printed:
        keytool, options = printed.trusting_in_java()
        printed.run(*shlex.split(keytool))
        caller = (printed.url, printed.token, "local-web", str(printed.private_key))
        call = ("POST", "/wallets", '{"network":"EthereumSepolia"}')

        answer = printed.run("java", *options, str(PROGRAM), *caller, *call)

    assert answer.startswith("200\n")
