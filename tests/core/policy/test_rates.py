"""A rule with a rate allows so many calls, in one process or in all that share a store."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from dfns_signers import DfnsClient
from dfns_signers.config.profile import Settings
from dfns_signers.emulator import Emulator
from dfns_signers.errors import ConfigurationError, PolicyRefusedError
from tests.core.keys import private_key, private_pem, public_pem
from tests.support.redis_servers import RedisServer, redis_server

NOWHERE = "redis://:hidden-password@127.0.0.1:1/0"


@pytest.fixture(scope="module")
def store() -> Iterator[RedisServer]:
    with redis_server("valkey") as server:
        yield server


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Path]:
    """A profile whose rule allows two wallets an hour."""
    key = private_key("Ed25519")
    (tmp_path / "key.pem").write_bytes(private_pem(key))
    (tmp_path / "key.pem").chmod(0o600)
    with Emulator(credentials={"cr-1": public_pem(key.public_key())}) as emulator:
        file = tmp_path / "config.toml"
        file.write_text(
            f"""
[profiles.{tmp_path.name}]
base_url = "{emulator.url}"
auth_token = "{emulator.auth_token}"
credential_id = "cr-1"
signer = {{ backend = "pem", path = "key.pem" }}

[[profiles.{tmp_path.name}.allow]]
name = "wallets"
call = "POST /wallets"
rate = "2/hour"
"""
        )
        file.chmod(0o600)
        yield file


def client(config: Path, store: str | None = None) -> DfnsClient:
    settings: Settings = {} if store is None else {"rate_limit_store": store}
    return DfnsClient.from_config(config.parent.name, config=config, **settings)


def create(dfns: DfnsClient) -> None:
    dfns.post("/wallets", json={"network": "EthereumSepolia"})


def test_call_above_the_rate_of_its_rule_is_not_signed(config: Path) -> None:
    with client(config) as dfns:
        create(dfns)
        create(dfns)
        with pytest.raises(PolicyRefusedError, match="'wallets'") as refused:
            create(dfns)

    error = pickle.loads(pickle.dumps(refused.value))
    assert (error.check, error.rule) == ("rate", "wallets")
    assert 3500 < error.retry_after <= 3600


def test_signers_of_a_process_that_load_the_same_profile_count_together(config: Path) -> None:
    with client(config) as one, client(config) as other:
        create(one)
        create(other)
        with pytest.raises(PolicyRefusedError, match="'wallets'"):
            create(one)


def test_signers_that_share_a_store_count_together(config: Path, store: RedisServer) -> None:
    with client(config, store.url) as shared:
        create(shared)
        create(shared)
        with pytest.raises(PolicyRefusedError, match="'wallets'"):
            create(shared)
    with client(config) as alone:
        create(alone)


def test_store_that_fails_refuses_the_call_and_keeps_its_url_to_itself(
    config: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level(logging.DEBUG),
        client(config, NOWHERE) as dfns,
        pytest.raises(PolicyRefusedError, match="'rate_limit_store'") as refused,
    ):
        create(dfns)

    assert (refused.value.check, refused.value.rule) == ("rate-store", "wallets")
    assert "hidden-password" not in repr(refused.getrepr(showlocals=True))
    assert "hidden-password" not in caplog.text


def test_store_that_is_not_redis_or_valkey_is_refused_as_the_profile_is_loaded(
    config: Path,
) -> None:
    with pytest.raises(ConfigurationError, match="key 'rate_limit_store': the store of a rate"):
        client(config, "memory://")
