"""The server that the suite and the demonstration start, and the plugin behind its name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import dfns_signers_vault_transit
from dfns_signers.cli.app import app
from dfns_signers.discovery import load_backend
from dfns_signers.errors import ConfigurationError
from dfns_signers.testing.servers import ServerStartError
from dfns_signers_vault_transit.backend import VaultTransitBackend
from dfns_signers_vault_transit.local import find_program, local_signers, local_vault
from tests.plugins.vault_transit.conftest import ASKED, without_choice
from tests.plugins.vault_transit.operator import Operator


def test_entry_point_provides_the_backend() -> None:
    assert isinstance(load_backend("vault-transit"), VaultTransitBackend)


def test_package_has_no_other_names() -> None:
    with pytest.raises(AttributeError, match="no attribute 'VaultKey'"):
        _ = dfns_signers_vault_transit.VaultKey


def test_hvac_is_imported_with_the_first_key_and_not_before() -> None:
    script = (
        "import sys; from dfns_signers.discovery import load_backend; "
        "b = load_backend('vault-transit'); b.options; import dfns_signers_vault_transit as p; "
        "early = 'hvac' in sys.modules; p.VaultTransitKey; "
        "print(early, 'hvac' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)

    assert done.stdout.split() == [b"False", b"True"]


def test_server_that_is_not_installed_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ServerStartError, match=r"make \.venv-openbao/\.done"):
        find_program({})


def test_program_that_is_asked_for_and_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServerStartError, match="asks for 'no-such-vault'"):
        find_program({"DFNS_TEST_VAULT": "no-such-vault"})
    with pytest.raises(ServerStartError, match=str(tmp_path / "bao")):
        find_program({"DFNS_OPENBAO": str(tmp_path / "bao")})


def test_program_on_path_is_used_when_asked_for() -> None:
    assert find_program({"DFNS_TEST_VAULT": "python3"}).endswith("python3")


def test_address_that_is_given_is_used_as_it_is(operator: Operator) -> None:
    asked = {"DFNS_TEST_VAULT_ADDR": "http://v.example.com", "DFNS_TEST_VAULT_TOKEN": "t"}

    with local_vault(asked) as server:
        assert (server.address, server.token) == ("http://v.example.com", "t")
        assert "'t'" not in repr(server)
    with (
        pytest.raises(ConfigurationError, match="DFNS_TEST_VAULT_TOKEN"),
        local_vault({"DFNS_TEST_VAULT_ADDR": "http://v.example.com"}),
    ):
        pass


@pytest.fixture
def _asked_server(monkeypatch: pytest.MonkeyPatch, operator: Operator) -> None:
    """The demonstration on the server of the session."""
    monkeypatch.setenv("DFNS_TEST_VAULT_ADDR", operator.server.address)
    monkeypatch.setenv("DFNS_TEST_VAULT_TOKEN", operator.server.token)


@pytest.mark.usefixtures("_asked_server")
def test_demonstration_removes_what_it_made(operator: Operator) -> None:
    def mounts() -> set[str]:
        return set(operator.client.sys.list_mounted_secrets_engines()["data"])

    before = mounts()
    with local_signers() as signers:
        during = mounts()

    assert [signer.name.split()[-1] for signer in signers] == ["ed25519", "ecdsa-p256", "rsa-2048"]
    assert during - before == {f"{signer.signer['mount']}/" for signer in signers}
    assert mounts() == before


def test_demonstration_on_a_server_of_its_own_signs_with_each_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program = find_program(without_choice())
    monkeypatch.setenv("DFNS_OPENBAO", program)
    monkeypatch.setenv("PATH", ASKED.get("PATH", os.defpath))

    shown = CliRunner().invoke(app, ["demo", "--with", "vault-transit", "--json"])

    assert shown.exit_code == 0
    rows = [row for row in json.loads(shown.stdout) if row["backend"] == "vault-transit"]
    assert [row["algorithm"] for row in rows] == ["Ed25519", "ES256", "RS256"]
    assert all(row["sync"] and row["async"] and row["delegated"] for row in rows)
