"""Guards and observers are chosen by name, and only those that are named are imported."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

from dfns_signers import AsyncDfnsClient, DfnsClient, load_signer
from dfns_signers.emulator import Emulator
from dfns_signers.errors import PluginError, SigningRefusedError
from tests.core.config.support import write_client_config, write_distribution

GUARD = """
    from dfns_signers import hookimpl
    from dfns_signers.errors import SigningRefusedError

    seen = []

    @hookimpl
    def before_sign(request):
        seen.append(request.call)
        if request.call and request.call.method == "DELETE":
            raise SigningRefusedError("nothing is deleted on a Friday")
"""

OBSERVER = """
    from dfns_signers import hookimpl

    seen = []

    @hookimpl
    def after_sign(request, evidence):
        seen.append((request.call, evidence.fingerprint))
"""


@pytest.fixture
def config(folder: Path, key_file: Path, site: Path, emulator: Emulator) -> Path:
    write_distribution(
        site,
        "acme-guards",
        {"no-deletion": GUARD, "audit": OBSERVER, "unselected": "raise SystemExit(1)"},
    )
    return write_client_config(
        folder, emulator.url, emulator.auth_token, 'plugins = ["no-deletion", "audit"]'
    )


def seen_by(module: str) -> Any:
    return importlib.import_module(module).seen


def test_guard_and_observer_see_the_call_of_the_client(config: Path) -> None:
    with DfnsClient.from_config(config=config) as dfns:
        wallet = dfns.wallets.create(network="EthereumSepolia")
        dfns.put("/wallets/{walletId}", path_params={"walletId": wallet["id"]}, json={"name": "a"})

    calls = seen_by("no_deletion")
    assert [(call.method, call.path, call.payload) for call in calls] == [
        ("POST", "/wallets", '{"network":"EthereumSepolia"}'),
        ("PUT", f"/wallets/{wallet['id']}", '{"name":"a"}'),
    ]
    assert [call for call, _ in seen_by("audit")] == calls


def test_guard_sees_the_call_of_an_asynchronous_client(config: Path) -> None:
    async def create() -> None:
        async with AsyncDfnsClient.from_config(config=config) as dfns:
            await dfns.wallets.create(network="EthereumSepolia")

    anyio.run(create)

    assert [(call.method, call.path) for call in seen_by("no_deletion")] == [("POST", "/wallets")]
    assert len(seen_by("audit")) == 1


def test_guard_that_refuses_keeps_the_call_from_being_sent(
    config: Path, emulator: Emulator
) -> None:
    with (
        DfnsClient.from_config(config=config) as dfns,
        pytest.raises(SigningRefusedError, match="nothing is deleted on a Friday"),
    ):
        dfns.request("DELETE", "/wallets/wa-1/tags", json={"tags": ["a"]})

    assert {request.raw_path for request in emulator.requests} == {"/auth/action/init"}
    assert seen_by("audit") == []


def test_only_the_plugins_that_are_named_are_imported(config: Path) -> None:
    with load_signer(config=config):
        assert {"no_deletion", "audit"} <= sys.modules.keys()
        assert "unselected" not in sys.modules


def test_no_plugin_is_imported_unless_it_is_named(config: Path) -> None:
    with load_signer(config=config, plugins=[]):
        assert not {"no_deletion", "audit", "unselected"} & sys.modules.keys()


def test_installed_plugin_that_fails_to_import_refused_with_its_distribution(config: Path) -> None:
    with pytest.raises(PluginError, match=r"acme-guards 1\.0 is installed") as caught:
        load_signer(config=config, plugins=["unselected"])

    assert str(caught.value).startswith("argument, key 'plugins': ")


def test_plugin_of_two_distributions_refused_naming_both(config: Path, site: Path) -> None:
    write_distribution(site, "umbrella-audit", {"audit": OBSERVER})

    with pytest.raises(PluginError, match="acme-guards and umbrella-audit both offer"):
        load_signer(config=config)


def test_backend_named_as_a_guard_refused_with_where_it_was_named(config: Path) -> None:
    with pytest.raises(PluginError, match="'pem' has no hook in the signing path") as caught:
        load_signer(config=config, plugins=["pem"])

    assert str(caught.value).startswith("argument, key 'plugins': ")


def test_plugins_of_the_environment_take_part_instead_of_those_of_the_file(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DFNS_PLUGINS", "audit")

    with load_signer(config=config) as signer:
        signer.sign({"challenge": "Y2g"})

    assert len(seen_by("audit")) == 1
    assert "no_deletion" not in sys.modules


def test_guard_named_as_a_backend_refused_with_where_it_belongs(config: Path) -> None:
    with pytest.raises(PluginError, match="belongs under 'plugins'"):
        load_signer(config=config, signer={"backend": "audit"})
