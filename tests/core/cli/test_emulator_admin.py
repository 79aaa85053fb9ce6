"""``emulator --admin``: a profile for its first user, with which ``setup`` registers keys."""

from __future__ import annotations

import json
import signal
import stat
from pathlib import Path
from typing import Any

import pytest

from dfns_signers.emulator import FULL_ACCESS
from dfns_signers.lifecycle import ProfileSetup
from tests.core.cli.support import PROGRAM, Command, Started
from tests.core.config.support import write_config

WALLET = ("POST", "/wallets", "--json", '{"network": "EthereumSepolia"}')


@pytest.fixture
def config(folder: Path) -> Path:
    return folder / "new" / "config.toml"


def emulator(config: Path, *options: str) -> Started:
    return Started("emulator", "--config", config, "--admin", "admin", *options)


def announced(process: Started) -> Any:
    return json.loads(process.line())


def test_profile_of_the_emulator_makes_signed_calls(config: Path, command: Command) -> None:
    with emulator(config) as process:
        announced(process)
        done = command("request", "--config", config, "--profile", "admin", *WALLET)

    assert done.json["network"] == "EthereumSepolia"
    for name in ("config.toml", "admin.pem", "admin.token"):
        assert stat.S_IMODE(config.with_name(name).stat().st_mode) == 0o600


def test_two_commands_lead_to_a_key_of_ones_own(config: Path, command: Command) -> None:
    with emulator(config) as process:
        announced(process)
        done = command(
            "setup", "--config", config, "--name", "laptop", "--backend", "pem", "--create",
            "--register-by", "admin", "--permission", FULL_ACCESS, "--yes",
        )  # fmt: skip
        called = command("request", "--config", config, *WALLET)

    assert done.code == 0, done.err
    assert called.json["network"] == "EthereumSepolia"


def test_emulator_says_how_a_key_is_registered_with_it(config: Path) -> None:
    with emulator(config, "--quiet") as process:
        announced(process)
        _, _, said = process.stop(signal.SIGTERM)

    assert f"the profile 'admin' in {config} calls it" in said.decode()
    assert (
        f"{PROGRAM} setup --config {config} --register-by admin --permission {FULL_ACCESS}\n"
        in said.decode()
    )


def test_profile_works_again_at_the_next_start_on_another_port(
    config: Path, command: Command
) -> None:
    calls, keys = [], []
    for _ in range(2):
        with emulator(config) as process:
            announced(process)
            calls.append(command("request", "--config", config, "--profile", "admin", *WALLET))
            keys.append(config.with_name("admin.pem").read_bytes())

    assert [call.code for call in calls] == [0, 0]
    assert keys[0] == keys[1]
    assert not config.with_name("config.toml.bak").exists()


def test_profile_that_was_set_up_before_is_known_again_where_it_is_named(
    config: Path, command: Command
) -> None:
    port = "127.0.0.1:0"
    with emulator(config) as process:
        port = announced(process)["url"].removeprefix("http://")
        command(
            "setup", "--config", config, "--name", "laptop", "--backend", "pem", "--create",
            "--register-by", "admin", "--permission", FULL_ACCESS, "--yes",
        )  # fmt: skip

    with emulator(config, "--profile", "laptop", "--listen", port) as process:
        announced(process)
        calls = [
            command("request", "--config", config, "--profile", name, *WALLET).code
            for name in ("laptop", "admin")
        ]

    assert calls == [0, 0]


def test_profile_that_calls_another_api_is_left_as_it_is(folder: Path, command: Command) -> None:
    config = write_config(folder, '[profiles.admin]\nbase_url = "https://api.dfns.io"\n')
    before = config.read_bytes()

    done = command("emulator", "--config", config, "--admin", "admin")

    assert done.code == 3
    assert "calls https://api.dfns.io, and was left as it is" in done.err
    assert config.read_bytes() == before
    assert ProfileSetup("admin", config=config).missing == (
        "signer",
        "credential_id",
        "auth_token",
    )
