"""The HTTP client and keys of the JDK, as the official SDK for Java uses them, and a gateway."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.core.keys import private_key, private_pem
from tests.gateway.interop.permissive_rules import every_operation
from tests.gateway.running import LISTEN, TOKEN, RunningGateway, running_gateway
from tests.gateway.user_actions.signing_callers import CREDENTIAL, signing_caller

PROGRAM = Path(__file__).with_name("JdkClient.java")
KEY = private_key("Ed25519")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    folder = tmp_path_factory.mktemp("gateway")
    caller = signing_caller(folder, every_operation("payments"), key=KEY)
    with running_gateway(folder, LISTEN + caller) as running:
        yield running


@pytest.fixture
def jdk(gateway: RunningGateway, tmp_path: Path) -> Callable[..., tuple[int, Any]]:
    """Makes a call; returns status and answer."""
    java = shutil.which("java")
    assert java, "java not found: apt-get install default-jdk-headless"
    key = tmp_path / "caller.pem"
    key.write_bytes(private_pem(KEY))

    def call(*what: str) -> tuple[int, Any]:
        done = subprocess.run(
            [java, PROGRAM, gateway.urls[0], TOKEN, CREDENTIAL, key, *what],
            capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        status, _, answer = done.stdout.partition("\n")
        return int(status), json.loads(answer)

    return call


def test_call_with_a_body_is_signed_for_the_jdk(jdk: Callable[..., tuple[int, Any]]) -> None:
    status, wallet = jdk("POST", "/wallets", '{"network":"EthereumSepolia","name":"é"}')

    assert (status, wallet["name"]) == (200, "é")
    assert [one["id"] for one in jdk("GET", "/wallets")[1]["items"]] == [wallet["id"]]


def test_call_without_a_body_that_is_announced_as_an_empty_one_is_signed(
    jdk: Callable[..., tuple[int, Any]], gateway: RunningGateway
) -> None:
    account = gateway.emulator.add_identity("account", service_account=True)

    status, answer = jdk("PUT", f"/auth/service-accounts/{account.user_id}/deactivate")

    assert (status, answer["userInfo"]["isActive"]) == (200, False)


def test_query_that_is_not_announced_goes_on(
    jdk: Callable[..., tuple[int, Any]], gateway: RunningGateway
) -> None:
    account = gateway.emulator.add_identity("other", service_account=True)

    status, _ = jdk("DELETE", f"/auth/service-accounts/{account.user_id}?force=true")

    assert status == 200
    assert gateway.emulator.requests[-1].query == "force=true"
