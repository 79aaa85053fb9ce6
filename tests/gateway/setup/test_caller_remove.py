"""``gateway caller remove``: the tables of a caller go, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from dfns_signers.gateway.loading import load_gateway
from tests.core.cli.support import Command, command
from tests.core.config.support import write_config, write_key
from tests.gateway.configuration.test_settings import PROFILE
from tests.gateway.running import LISTEN, PAYMENTS

__all__ = ["command"]

SHOP = f"""
[gateway.callers.shop]  # in Berlin
token_sha256 = ["{"ab" * 32}"]

[[gateway.callers.shop.allow]]
name = "wallets"
call = "POST /wallets"

[[gateway.callers.shop.allow]]
name = "list"
call = "GET /wallets"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    write_key(tmp_path)
    return write_config(tmp_path, PROFILE + LISTEN + PAYMENTS)


def test_file_is_as_it_was_before_the_caller(command: Command, config: Path) -> None:
    before = config.read_text()
    config.write_text(before + SHOP)

    done = command("gateway", "caller", "remove", "shop", "--config", config)

    assert (done.code, done.out) == (0, "")
    assert "SIGHUP" in done.err
    assert config.read_text().strip() == before.strip()
    assert list(load_gateway(config=config).callers.by_name) == ["payments"]


def test_last_caller_goes_with_a_warning_that_the_gateway_must_be_stopped(
    command: Command, config: Path
) -> None:
    done = command("gateway", "caller", "remove", "payments", "--config", config)

    assert done.code == 0
    assert "callers" not in config.read_text()
    assert "warning: a gateway that runs does not take this file" in done.err
    assert "no caller can be identified there" in done.err


def test_caller_that_is_not_there_is_refused_with_the_one_that_was_meant(
    command: Command, config: Path
) -> None:
    before = config.read_bytes()

    done = command("gateway", "caller", "remove", "paymnts", "--config", config)

    assert done.code == 3
    assert "no caller 'paymnts' (did you mean 'payments'?); callers are: payments" in done.err
    assert config.read_bytes() == before
