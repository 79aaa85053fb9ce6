"""``setup``, interrupted before and after each thing it does, and run again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from dfns_signers import DfnsClient
from dfns_signers.backends.pem.plugin import PemBackend
from dfns_signers.config.writing import ConfigEdit
from dfns_signers.emulator import Emulator
from dfns_signers.lifecycle import ProfileSetup
from tests.core.cli.interrupting import Power, interrupted_anywhere
from tests.core.cli.support import Command
from tests.core.config.support import write_client_config


@pytest.fixture
def power(monkeypatch: pytest.MonkeyPatch) -> Power:
    return Power(
        monkeypatch,
        (PemBackend, "create"),
        (ConfigEdit, "write"),
        (ProfileSetup, "keep_token"),
        (httpx.Client, "send"),
    )


@pytest.fixture
def config(folder: Path, key_file: Path, emulator: Emulator) -> Path:
    return write_client_config(folder, emulator.url, emulator.auth_token)


def of_name(entries: Any, name: str) -> list[Any]:
    return [entry for entry in entries if entry["name"] == name]


@pytest.mark.parametrize("kind", ["service-account", "token", "credential"])
def test_setup_that_is_interrupted_anywhere_goes_on_and_makes_nothing_twice(
    command: Command, power: Power, config: Path, kind: str
) -> None:
    options = ("--backend", "pem", "--create", "--register-by", "p", "--as", kind, "--yes")

    names = list(interrupted_anywhere(command, power, config, lambda _: options))

    assert len(names) >= 10
    with DfnsClient.from_config("p", config=config) as dfns:
        registered = {
            "service-account": [one["userInfo"] for one in dfns.auth.service_accounts.list()],
            "token": list(dfns.auth.personal_access_tokens.list()),
            "credential": list(dfns.auth.credentials.list()),
        }[kind]
    for name in names:
        assert len(of_name(registered, name)) == 1
        assert config.with_name(f"{name}.pem").exists()
    assert not list(config.parent.glob("*-2.*"))


def test_setup_by_hand_that_is_interrupted_anywhere_goes_on(
    command: Command, power: Power, config: Path, emulator: Emulator, key_file: Path
) -> None:
    options = (
        "--backend", "pem", "--existing", "-o", f"path={key_file}", "--base-url", emulator.url,
        "--credential-id", "Y2kt", "--token-stdin",
    )  # fmt: skip
    token = emulator.auth_token

    names = list(interrupted_anywhere(command, power, config, lambda _: options, stdin=token))

    assert len(names) > 5
    for name in names:
        assert ProfileSetup(name, config=config).missing == ()
        assert not config.with_name("config.toml.bak").exists()
