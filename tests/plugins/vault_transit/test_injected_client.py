"""Code that brings its own hvac client."""

from __future__ import annotations

import logging
import traceback

import hvac  # type: ignore[import-untyped]
import pytest
import requests

from dfns_signers.errors import (
    ConfigurationError,
    KeyAccessError,
    KeyStoreThrottledError,
    SigningKeyError,
)
from dfns_signers.plugin import RequestLimits
from dfns_signers_vault_transit import VaultTransitKey
from dfns_signers_vault_transit.options import BatchOptions
from dfns_signers_vault_transit.vault import Vault
from tests.core.client.scripted import Reply, ScriptedApi
from tests.core.keys import is_signature
from tests.plugins.vault_transit.fake_paths import FAKE_READ
from tests.plugins.vault_transit.operator import Operator


def test_client_of_ones_own_signs(operator: Operator) -> None:
    name = operator.key("ecdsa-p256", versions=2)
    client = hvac.Client(url=operator.server.address, token=operator.server.token)

    with VaultTransitKey(
        client, name, mount=operator.mount, key_version=1, batch=BatchOptions()
    ) as key:
        signature = key.sign(b"message")

    assert is_signature(operator.public_key(name, 1), b"message", signature)


def test_token_that_its_owner_replaces_is_used_from_then_on(operator: Operator) -> None:
    name = operator.key()
    policy = operator.signing_policy(name)
    client = hvac.Client(url=operator.server.address, token=operator.token(policy))
    key = VaultTransitKey(client, name, mount=operator.mount)
    operator.revoke(client.token)

    with pytest.raises(KeyAccessError):
        key.sign(b"message")
    client.token = operator.token(policy)

    assert is_signature(operator.public_key(name), b"message", key.sign(b"message"))


@pytest.mark.parametrize("token", ["line\n4711", "caf\u00e9-4711", "euro-\u20ac-4711"])
def test_token_that_does_not_fit_a_header_is_refused_without_repeating_it(
    token: str, fake: ScriptedApi
) -> None:
    with pytest.raises(ConfigurationError, match="not allowed in a token") as refused:
        VaultTransitKey(hvac.Client(url=fake.url, token=token), "k")

    assert "4711" not in "".join(traceback.format_exception(refused.value))
    assert fake.seen == []


def test_header_of_the_session_that_is_malformed_is_not_repeated(fake: ScriptedApi) -> None:
    session = requests.Session()
    session.headers["X-Secret"] = "line\n4711"
    client = hvac.Client(url=fake.url, token="token", session=session)

    with pytest.raises(SigningKeyError, match="a header is malformed") as refused:
        VaultTransitKey(client, "k")

    assert "4711" not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize("version", [0, -1])
def test_version_below_one_is_refused(version: int, fake: ScriptedApi) -> None:
    with pytest.raises(ConfigurationError, match="start at 1"):
        VaultTransitKey(hvac.Client(url=fake.url, token="token"), "k", key_version=version)


def test_latest_version_is_pinned_with_a_warning(
    operator: Operator, caplog: pytest.LogCaptureFixture
) -> None:
    client = hvac.Client(url=operator.server.address, token=operator.server.token)
    name = operator.key(versions=2)

    VaultTransitKey(client, name, mount=operator.mount, key_version=2)
    VaultTransitKey(client, name, mount=operator.mount)

    (warning,) = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert "Set key_version = 2" in warning


def test_closing_the_key_leaves_the_client_open(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = requests.Session()
    closed: list[bool] = []
    monkeypatch.setattr(session, "close", lambda: closed.append(True))
    client = hvac.Client(url=operator.server.address, token=operator.server.token, session=session)

    VaultTransitKey(client, operator.key(), mount=operator.mount).close()

    assert closed == []
    client.adapter.close()
    assert closed == [True]


@pytest.mark.parametrize(("seconds", "waits"), [("2", [2.0]), ("3600", [])], ids=["few", "many"])
def test_vault_is_asked_again_after_the_seconds_it_names_unless_those_are_many(
    seconds: str, waits: list[float], fake: ScriptedApi
) -> None:
    waited: list[float] = []
    client = hvac.Client(url=fake.url, token="token")
    fake.on(FAKE_READ, always=Reply(status=429, headers={"Retry-After": seconds}))
    vault = Vault(client, limits=RequestLimits(max_attempts=2), sleep=waited.append)

    with pytest.raises(KeyStoreThrottledError):
        VaultTransitKey(vault, "k")

    assert waited == waits
    assert len(fake.sent(FAKE_READ)) == 1 + len(waits)


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "0"}, {"Retry-After": "Fri, 1 Jan 2027"}])
def test_wait_between_attempts_is_short_where_vault_names_no_seconds(
    headers: dict[str, str], fake: ScriptedApi
) -> None:
    waited: list[float] = []
    client = hvac.Client(url=fake.url, token="token")
    fake.on(FAKE_READ, always=Reply(status=429, headers=headers))

    with pytest.raises(KeyStoreThrottledError, match="attempt 3 of 3"):
        VaultTransitKey(Vault(client, sleep=waited.append), "k")

    assert len(waited) == 2
    assert all(0 < seconds < 1 for seconds in waited)
