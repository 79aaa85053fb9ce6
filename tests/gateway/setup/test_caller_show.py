"""``gateway caller show``: what a caller may do, and what its program sets, once more."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dfns_signers.emulator import Emulator
from tests.core.cli.support import Command, command
from tests.core.config.support import write_client_config, write_key

__all__ = ["command"]

RULE = """
[[gateway.callers.payments.allow]]
name = "wallets"
call = "GET /wallets"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A file whose profile has a token of an organisation."""
    write_key(tmp_path)
    with Emulator() as emulator:
        return write_client_config(tmp_path, emulator.url, emulator.auth_token)


@pytest.mark.parametrize("options", [[], ["--no-key"]], ids=["with a key", "without"])
def test_program_sets_what_it_set_when_the_caller_was_added(
    command: Command, config: Path, options: list[str]
) -> None:
    added = command("gateway", "caller", "add", "payments", *options, "--config", config)
    config.write_text(config.read_text() + RULE)

    shown = command("gateway", "caller", "show", "payments", "--config", config)

    assert shown.code == 0, shown.err
    token, programs = added.out.split("\n", 1)
    assert token.startswith("export ")
    assert shown.out == programs
    assert "identified by: token" in shown.err
    assert "rules: wallets" in shown.err
    assert "gateway caller add payments --rotate-token" in shown.err


def test_caller_without_a_token_is_offered_none(command: Command, config: Path) -> None:
    command(
        *("gateway", "caller", "add", "batch", "--no-token", "--no-key", "--uid", 1001),
        *("--listen", f"unix:{config.parent / 'gateway.sock'}", "--config", config),
    )

    shown = command("gateway", "caller", "show", "batch", "--config", config)

    assert "identified by: uid 1001" in shown.err
    assert "TOKEN" not in shown.out
    assert "--rotate-token" not in shown.err
    assert "curl -sS --unix-socket" in shown.out


def test_nothing_of_it_is_written(command: Command, config: Path) -> None:
    command("gateway", "caller", "add", "payments", "--config", config)
    before = {path: path.read_bytes() for path in config.parent.iterdir() if path.is_file()}

    command("gateway", "caller", "show", "payments", "--config", config)

    assert {p: p.read_bytes() for p in config.parent.iterdir() if p.is_file()} == before


def test_it_is_shown_as_json(command: Command, config: Path) -> None:
    command("gateway", "caller", "add", "payments", "--config", config)

    shown = command("gateway", "caller", "show", "payments", "--json", "--config", config)

    (listed,) = json.loads(command("gateway", "caller", "list", "--json", "--config", config).out)
    assert json.loads(shown.out) == listed


def test_caller_that_is_not_there_is_refused_with_the_one_that_was_meant(
    command: Command, config: Path
) -> None:
    command("gateway", "caller", "add", "payments", "--config", config)

    shown = command("gateway", "caller", "show", "payment", "--config", config)

    assert shown.code == 3
    assert "did you mean 'payments'" in shown.err
