"""``docs/vault-transit.md`` says what the code does; its walk-throughs run as they stand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from dfns_signers.config.assembly import open_key
from dfns_signers.config.loading import load_profile
from dfns_signers_testkit.vault import VaultServer, dev_server, find_program
from dfns_signers_vault_transit.algorithms import KEY_TYPES
from dfns_signers_vault_transit.errors import (
    BY_CLASS,
    BY_EXCEPTION,
    BY_STATUS,
    BY_TEXT,
)
from dfns_signers_vault_transit.logins import METHODS, SERVICE_ACCOUNT_TOKEN
from dfns_signers_vault_transit.options import BatchOptions, VaultTransitOptions
from dfns_signers_vault_transit.plugin import VaultTransitBackend
from tests.core.client.scripted import ScriptedApi
from tests.core.keys import is_signature
from tests.plugins.vault_transit.conftest import without_choice
from tests.plugins.vault_transit.kubernetes import Issuer, review
from tests.secrecy import CANARY
from tests.support.certificates import Authority
from tests.support.pages import DOCS, blocks, option_rows, section, tables

PAGE = "vault-transit.md"
KEY = "dfns-production"


@pytest.mark.parametrize("model", [VaultTransitOptions, BatchOptions, *METHODS])
def test_every_option_of_the_model_is_in_a_table_of_its_own(model: type[BaseModel]) -> None:
    text = (DOCS / PAGE).read_text(encoding="utf-8")

    assert sorted(option_rows(model)) in map(sorted, tables(text))


def test_every_type_of_key_and_every_error_is_in_the_page() -> None:
    types, errors = section(PAGE, "Which keys"), section(PAGE, "Errors")

    assert [name for name in KEY_TYPES if f"`{name}`" not in types] == []
    tables = (BY_TEXT, BY_STATUS, BY_CLASS, BY_EXCEPTION)
    raised = {meaning.error.__name__ for table in tables for meaning in table.values()}
    assert {name for name in raised if f"`{name}`" not in errors} == set()


def test_policy_of_the_page_is_the_one_that_the_backend_makes() -> None:
    settings = {
        "address": "https://vault.example.com:8200",
        "key": KEY,
        "auth": {"method": "token", "token": "t"},
    }
    policy = VaultTransitBackend().policy(VaultTransitOptions.model_validate(settings))

    assert blocks(section(PAGE, "Examining a key"), "") == [policy.text]


class Reader:
    """Somebody who does what the page says, in a folder of their own."""

    def __init__(self, server: VaultServer, folder: Path) -> None:
        self.server = server
        self.folder = folder
        programs = folder / "bin"
        programs.mkdir(exist_ok=True)
        (programs / "vault").symlink_to(find_program(without_choice()))
        self._environment = {
            "PATH": f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(folder),
            "VAULT_ADDR": server.address,
            "VAULT_TOKEN": server.token,
        }

    def run(self, script: str, **environment: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env={**self._environment, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def sign(self, profile: str) -> bool:
        """Sign with a profile of the page, and verify it with the key that Vault shows."""
        config = self.folder / "config.toml"
        config.write_text(profile.replace("https://vault.example.com:8200", self.server.address))
        with open_key(load_profile("production", config=config)) as key:
            return is_signature(key.public_key, b"message", key.sign(b"message"))


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    with dev_server(find_program(without_choice()), token=f"{CANARY}-page") as server:
        yield Reader(server, tmp_path)


def test_approle_walkthrough_leads_to_a_signature(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DFNS_PRODUCTION_TOKEN", "token")
    page = (DOCS / PAGE).read_text(encoding="utf-8")
    (script,) = blocks(section(PAGE, "AppRole, step by step"), "sh")

    printed = reader.run(script)

    assert f'key = "{KEY}"' in printed
    assert reader.sign(blocks(page, "toml")[0])


def test_kubernetes_walkthrough_leads_to_a_signature(
    reader: Reader,
    fake: ScriptedApi,
    issuer: Issuer,
    tmp_path: Path,
) -> None:
    fake.on("/apis/authentication.k8s.io/v1/tokenreviews", always=review)
    Authority(tmp_path)
    (tmp_path / "ca.pem").rename(tmp_path / "cluster-ca.pem")
    (tmp_path / "reviewer.jwt").write_text(f"{CANARY}-reviewer")
    mounted = tmp_path / "token"
    mounted.write_text(issuer.pod_token())
    (earlier,) = blocks(section(PAGE, "AppRole, step by step"), "sh")
    reader.run(earlier.partition("vault auth enable")[0])
    kubernetes = section(PAGE, "Kubernetes, step by step")
    (script,) = blocks(kubernetes, "sh")

    reader.run(script, KUBERNETES_HOST=fake.url)

    assert SERVICE_ACCOUNT_TOKEN in kubernetes
    (profile,) = blocks(kubernetes, "toml")
    assert profile.count("role = ") == 1
    assert reader.sign(profile.replace("role = ", f'jwt = {{ file = "{mounted}" }}, role = '))


def test_creating_by_command_line_makes_the_key_that_terraform_would(reader: Reader) -> None:
    creating = section(PAGE, "Creating a key")
    reader.run("vault secrets enable transit")
    (script,) = blocks(creating, "sh")

    reader.run(script)

    described = json.loads(reader.run(f"vault read -format=json transit/keys/{KEY}"))["data"]
    (terraform,) = blocks(creating, "hcl")
    assert f'name    = "{described["name"]}"' in terraform
    assert f'type    = "{described["type"]}"' in terraform
    for switch in ("exportable", "allow_plaintext_backup", "deletion_allowed"):
        assert described[switch] is False
        assert f"`{switch}`" in creating
