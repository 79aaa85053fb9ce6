"""The local Vault that the suite and the demonstration start."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import hvac  # type: ignore[import-untyped]
import pytest

from dfns_signers.algorithms import Algorithm
from dfns_signers.config.assembly import open_key
from dfns_signers.config.loading import load_profile
from dfns_signers.errors import ConfigurationError
from dfns_signers_testkit.servers import ServerStartError
from dfns_signers_testkit.vault import OPENBAO, VaultServer, dev_server, find_program, local_vault
from dfns_signers_testkit.vault_keys import local_signers
from tests.core.cli.support import Command
from tests.core.keys import is_signature
from tests.plugins.testkit.served import Served
from tests.support import ROOT


def test_server_that_is_not_installed_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ServerStartError, match="OpenBao is not installed") as caught:
        find_program({})

    assert OPENBAO.command() in str(caught.value)
    assert "DFNS_OPENBAO" in str(caught.value)


def test_program_that_is_asked_for_and_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServerStartError, match="names 'no-such-vault'"):
        find_program({"DFNS_TEST_VAULT": "no-such-vault"})
    with pytest.raises(ServerStartError, match=f"DFNS_OPENBAO names {tmp_path}/bao"):
        find_program({"DFNS_OPENBAO": str(tmp_path / "bao")})


def test_program_on_path_is_used_when_asked_for() -> None:
    assert find_program({"DFNS_TEST_VAULT": "python3"}).endswith("python3")


def test_address_that_is_given_is_used_as_it_is() -> None:
    asked = {"DFNS_TEST_VAULT_ADDR": "http://v.example.com", "DFNS_TEST_VAULT_TOKEN": "t"}

    with local_vault(asked) as server:
        assert (server.address, server.token) == ("http://v.example.com", "t")
        assert "'t'" not in repr(server)
    with (
        pytest.raises(ConfigurationError, match="DFNS_TEST_VAULT_TOKEN"),
        local_vault({"DFNS_TEST_VAULT_ADDR": "http://v.example.com"}),
    ):
        pass


def test_port_that_is_taken_is_an_error_and_not_somebody_elses_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with (
            pytest.raises(ServerStartError, match=f"listens on 127.0.0.1:{port} already"),
            dev_server("no-such-program", port=port),
        ):
            pass


def test_printed_profiles_work_as_they_are(tmp_path: Path) -> None:
    with Served(tmp_path, "openbao") as served:
        for algorithm in (Algorithm.ED25519, Algorithm.ES256, Algorithm.RS256):
            name = f"local-openbao-{algorithm.lower()}"
            with open_key(load_profile(name, config=served.printed)) as key:
                assert key.algorithm is algorithm
                assert is_signature(key.public_key, b"message", key.sign(b"message"))


def test_serve_script_that_cannot_do_it_says_why_in_one_line(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != OPENBAO.variable}

    done = subprocess.run(
        [sys.executable, ROOT / "localstack" / "serve_openbao.py"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "OpenBao is not installed" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.fixture
def _asked_server(monkeypatch: pytest.MonkeyPatch, openbao: VaultServer) -> None:
    """The demonstration on the server of the session."""
    monkeypatch.setenv("DFNS_TEST_VAULT_ADDR", openbao.address)
    monkeypatch.setenv("DFNS_TEST_VAULT_TOKEN", openbao.token)


@pytest.mark.usefixtures("_asked_server")
def test_demonstration_removes_what_it_made(openbao: VaultServer) -> None:
    client = hvac.Client(url=openbao.address, token=openbao.token)

    def mounts() -> set[str]:
        return set(client.sys.list_mounted_secrets_engines()["data"])

    before = mounts()
    with local_signers() as signers:
        during = mounts()

    assert [signer.name.split()[-1] for signer in signers] == ["ed25519", "ecdsa-p256", "rsa-2048"]
    assert during - before == {f"{signer.signer['mount']}/" for signer in signers}
    assert mounts() == before


def test_demonstration_on_a_server_of_its_own_signs_with_each_key(command: Command) -> None:
    shown = command("demo", "--with", "vault-transit", "--json")

    assert shown.code == 0
    rows = [row for row in shown.json if row["backend"] == "vault-transit"]
    assert [row["algorithm"] for row in rows] == ["Ed25519", "ES256", "RS256"]
    assert all(row["sync"] and row["async"] and row["delegated"] for row in rows)
