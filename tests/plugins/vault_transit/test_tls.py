"""TLS on a real server that asks for client certificates."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hvac  # type: ignore[import-untyped]
import pytest

from dfns_signers.errors import SigningKeyError
from dfns_signers_testkit.servers import ServerProcess, free_port
from dfns_signers_testkit.vault import VaultServer, find_program
from dfns_signers_vault_transit.client import build_client
from dfns_signers_vault_transit.options import VaultTransitConnection
from tests.core.keys import is_signature
from tests.plugins.vault_transit.conftest import OpenKey, without_choice
from tests.plugins.vault_transit.operator import Operator
from tests.support.certificates import Authority

NAME = "vault.internal"


@dataclass(frozen=True)
class TlsVault:
    """A server whose certificate bears ``vault.internal``, and asks clients for theirs."""

    address: str
    folder: Path
    operator: Operator

    def settings(self, **changes: Any) -> dict[str, Any]:
        complete = {
            "address": self.address,
            "ca_cert": str(self.folder / "ca.pem"),
            "client_cert": str(self.folder / "client.pem"),
            "client_key": str(self.folder / "client.key"),
            "tls_server_name": NAME,
            **changes,
        }
        return {name: value for name, value in complete.items() if value is not None}


def configuration(folder: Path, tls_port: int, plain_port: int) -> str:
    return json.dumps({
        "storage": {"inmem": {}},
        "disable_mlock": True,
        "listener": [
            {"tcp": {
                "address": f"127.0.0.1:{tls_port}",
                "tls_cert_file": str(folder / "server.pem"),
                "tls_key_file": str(folder / "server.key"),
                "tls_client_ca_file": str(folder / "ca.pem"),
                "tls_require_and_verify_client_cert": True,
            }},
            {"tcp": {"address": f"127.0.0.1:{plain_port}", "tls_disable": True}},
        ],
        "api_addr": f"http://127.0.0.1:{plain_port}",
    })  # fmt: skip


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsVault]:
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority(folder)
    authority.issue("server", NAME)
    authority.issue("client", "signer")
    tls_port, plain_port = free_port(), free_port()
    plain = f"http://127.0.0.1:{plain_port}"
    config = folder / "config.json"
    config.write_text(configuration(folder, tls_port, plain_port))

    def answers() -> bool:
        url = f"{plain}/v1/sys/seal-status"
        with urllib.request.urlopen(url, timeout=1) as answer:
            return bool(answer.status == 200)

    command = [find_program(without_choice()), "server", f"-config={config}"]
    with ServerProcess(command, environment={"HOME": str(folder)}, is_ready=answers):
        client = hvac.Client(url=plain, token="")
        made = client.sys.initialize(secret_shares=1, secret_threshold=1)
        client.sys.submit_unseal_key(made["keys_base64"][0])
        operator = Operator(VaultServer(plain, made["root_token"]))
        yield TlsVault(f"https://127.0.0.1:{tls_port}", folder, operator)


def test_key_signs_over_mutual_tls(vault: TlsVault, open_key: OpenKey) -> None:
    name = vault.operator.key()

    key = open_key(name, at=vault.operator, **vault.settings())

    assert is_signature(vault.operator.public_key(name), b"message", key.sign(b"message"))


def test_tls_settings_come_from_vaults_environment(
    vault: TlsVault, open_key: OpenKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = vault.operator.key()
    monkeypatch.setenv("VAULT_CACERT", str(vault.folder / "ca.pem"))
    monkeypatch.setenv("VAULT_CLIENT_CERT", str(vault.folder / "client.pem"))
    monkeypatch.setenv("VAULT_CLIENT_KEY", str(vault.folder / "client.key"))
    monkeypatch.setenv("VAULT_TLS_SERVER_NAME", NAME)

    key = open_key(name, at=vault.operator, address=vault.address)

    assert is_signature(vault.operator.public_key(name), b"message", key.sign(b"message"))


def test_expected_name_holds_through_a_proxy() -> None:
    options = VaultTransitConnection.model_validate(
        {
            "address": "https://127.0.0.1:1",
            "tls_server_name": NAME,
            "auth": {"method": "token", "token": "t"},
        }
    )
    transport = build_client(options).adapter.session.get_adapter("https://x")

    through = transport.proxy_manager_for("http://127.0.0.1:9")

    assert through.connection_pool_kw["server_hostname"] == NAME


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ca_cert": None}, "certificate verify failed"),
        ({"tls_server_name": None}, "127.0.0.1"),
        ({"tls_server_name": "other.internal"}, "other.internal"),
    ],
)
def test_server_that_is_not_verified_gets_no_token(
    changes: dict[str, Any], reason: str, vault: TlsVault, open_key: OpenKey
) -> None:
    with pytest.raises(SigningKeyError, match=f"(?i){reason}.*TLS failed.*'ca_cert'") as raised:
        open_key("k", at=vault.operator, **vault.settings(**changes))

    assert type(raised.value) is SigningKeyError


def test_client_without_its_certificate_is_refused(vault: TlsVault, open_key: OpenKey) -> None:
    without = vault.settings(client_cert=None, client_key=None)

    with pytest.raises(SigningKeyError, match=r"cannot look up the token .*certificate"):
        open_key("k", at=vault.operator, **without)


@pytest.mark.parametrize("option", ["ca_cert", "client_cert"])
def test_file_that_does_not_exist_is_named(
    option: str, vault: TlsVault, open_key: OpenKey, tmp_path: Path
) -> None:
    absent = str(tmp_path / "absent.pem")

    with pytest.raises(SigningKeyError, match=rf"{absent}.*cannot be sent"):
        open_key("k", at=vault.operator, **vault.settings(**{option: absent}))
