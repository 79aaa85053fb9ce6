"""The rate limit of a client, from its profile."""

from __future__ import annotations

from pathlib import Path

import pytest

from dfns_signers import DfnsClient
from dfns_signers.config.assembly import client_arguments
from dfns_signers.config.loading import load_profile
from dfns_signers.emulator import Emulator
from dfns_signers.errors import ConfigurationError, NoPermitError
from dfns_signers.rate_limits import limiter
from tests.core.config.support import write_client_config

STORE = "redis://:hidden@127.0.0.1:1/0"


def written(folder: Path, *lines: str) -> Path:
    return write_client_config(folder, "http://127.0.0.1:1", "token", *lines)


def test_client_keeps_to_the_limit_of_its_profile(
    folder: Path, key_file: Path, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A server of another test may have had the port.
    monkeypatch.setattr(limiter, "_limiters", limiter._Limiters())
    url, token = emulator.url, emulator.auth_token
    config = write_client_config(folder, url, token, "rate_limit = 3", "call_timeout = 20")

    with DfnsClient.from_config(config=config) as dfns:
        dfns.post("/wallets", json={"network": "Solana"})
        with pytest.raises(NoPermitError):
            dfns.get("/wallets")


def test_clients_are_not_limited_by_default(folder: Path, key_file: Path) -> None:
    assert client_arguments(load_profile(config=written(folder)))["rate_limit"] is None


@pytest.mark.parametrize("by_variable", [False, True])
def test_limit_has_all_that_is_set(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, by_variable: bool
) -> None:
    settings = {"": 600, "_store": STORE, "_name": "acme", "_fallback": 0.25}
    lines: list[str] = []
    for name, value in settings.items():
        if by_variable:
            monkeypatch.setenv(f"DFNS_RATE_LIMIT{name.upper()}", str(value))
        else:
            lines.append(f"rate_limit{name} = {value!r}")

    limit = client_arguments(load_profile(config=written(folder, *lines)))["rate_limit"]

    found = (limit.requests, limit.store.open(), limit.name, limit.fallback)
    assert found == (600, STORE, "acme", 0.25)


def test_store_may_be_in_a_variable_or_a_file(folder: Path) -> None:
    (folder / "store").write_text(f"{STORE}\n", encoding="utf-8")
    config = written(folder, "rate_limit = 600", 'rate_limit_store = { file = "store" }')

    limit = client_arguments(load_profile(config=config))["rate_limit"]

    assert limit.store.open() == STORE


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["rate_limit = 2"], "key 'rate_limit': expected a number greater than or equal to 3"),
        (["rate_limit = 9.5"], "key 'rate_limit': expected an integer, found a number"),
        (
            ["rate_limit = 9", 'rate_limit_store = "http://:hidden@h/"'],
            "key 'rate_limit_store': the store of a rate limit must be a URL of Redis or Valkey",
        ),
        (
            ['rate_limit_store = "redis://:hidden@h/"'],
            "key 'rate_limit_store': it has no effect without 'rate_limit'",
        ),
        (
            ["rate_limit = 9", "rate_limit_fallback = 0.5"],
            "key 'rate_limit': the fallback of a rate limit has no meaning without a store",
        ),
    ],
)
def test_limit_that_cannot_work_is_refused_and_placed(
    folder: Path, lines: list[str], said: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        client_arguments(load_profile(config=written(folder, *lines)))

    assert said in str(caught.value)
    assert str(folder / "config.toml") in str(caught.value)
    assert "hidden" not in str(caught.value)
