"""One real server for the session, another for what cannot be undone, and keys to open on them.

``DFNS_TEST_VAULT_ADDR`` and ``DFNS_TEST_VAULT_TOKEN`` run the suite against a server that runs
already, ``DFNS_TEST_VAULT=vault`` against a dev server of the ``vault`` on PATH.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import hvac  # type: ignore[import-untyped]
import pytest

from dfns_signers.plugin import KeyResponse, RequestLimits
from dfns_signers_testkit.vault import VaultServer, dev_server, find_program, local_vault
from dfns_signers_vault_transit.key import VaultTransitKey
from dfns_signers_vault_transit.plugin import VaultTransitBackend
from dfns_signers_vault_transit.signing import SigningRequests
from dfns_signers_vault_transit.vault import Vault
from tests.core.client.scripted import Reply, ScriptedApi
from tests.plugins.vault_transit.fake_paths import FAKE_READ
from tests.plugins.vault_transit.holding import HoldingVault
from tests.plugins.vault_transit.kubernetes import Issuer
from tests.plugins.vault_transit.operator import Operator
from tests.secrecy import CANARY

# Before the environment is cleaned for each test.
ASKED = dict(os.environ)

OpenKey = Callable[..., VaultTransitKey]


@pytest.fixture(autouse=True)
def _no_token_of_this_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def server() -> Iterator[VaultServer]:
    with local_vault(ASKED, token=f"{CANARY}-root") as running:
        yield running


@pytest.fixture(scope="session")
def operator(server: VaultServer) -> Iterator[Operator]:
    somebody = Operator(server)
    yield somebody
    somebody.clean_up()


@pytest.fixture(scope="session")
def own_server() -> Iterator[Operator]:
    """A server of this suite alone: it calls back, has namespaces, and may be changed for good."""
    with dev_server(find_program(without_choice()), token=f"{CANARY}-own") as running:
        yield Operator(running)


def without_choice() -> dict[str, str]:
    return {name: value for name, value in ASKED.items() if name != "DFNS_TEST_VAULT"}


@pytest.fixture(scope="session")
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def fake() -> Iterator[ScriptedApi]:
    """Answers what no healthy server would."""
    with ScriptedApi() as api:
        api.on("/v1/auth/token/lookup-self", always=Reply(body={"data": {"ttl": 0}}))
        yield api


@pytest.fixture
def holding(fake: ScriptedApi) -> HoldingVault:
    holding = HoldingVault(fake)
    holding.may_answer.set()
    return holding


@pytest.fixture
def open_fake(fake: ScriptedApi, operator: Operator, open_key: OpenKey) -> OpenKey:
    """Opens a key of a real server as the fake one shows it, in two versions."""
    described = operator.described(operator.key(versions=2))
    fake.on(FAKE_READ, always=Reply(body={"data": described}))

    def open_it(**options: Any) -> VaultTransitKey:
        return open_key("k", address=fake.url, mount="transit", **{"key_version": 2, **options})

    return open_it


@pytest.fixture
def open_key(operator: Operator) -> Iterator[OpenKey]:
    """Opens keys as the framework does; closes them in the end."""
    opened: list[VaultTransitKey] = []

    def open_it(key: str, *, at: Operator = operator, **options: Any) -> VaultTransitKey:
        key_ = open_with({**settings_for(at), "key": key, **options})
        opened.append(key_)
        return key_

    yield open_it
    for key in opened:
        key.close()


def settings_for(operator: Operator) -> dict[str, Any]:
    """The ``[signer]`` table of an operator's server, with the root token."""
    return {
        "address": operator.server.address,
        "mount": operator.mount,
        "auth": {"method": "token", "token": operator.server.token},
        "max_attempts": 1,
    }


def open_with(settings: dict[str, Any]) -> VaultTransitKey:
    backend = VaultTransitBackend()
    key = backend.open(backend.options.model_validate(settings))
    assert isinstance(key, VaultTransitKey)
    return key


def sign_together(
    messages: Sequence[bytes],
    *,
    at: str,
    key: str = "k",
    mount: str = "transit",
    version: int = 1,
    token: str = "token",
    **limits: Any,
) -> Sequence[KeyResponse | Exception]:
    """What becomes of messages that leave in one request to the server at an address."""
    client = hvac.Client(url=at, token=token)
    vault = Vault(client, limits=RequestLimits(**{"max_attempts": 1, **limits}))
    return SigningRequests(vault, mount, key, version, {}).together(messages)


def raised(outcomes: Sequence[KeyResponse | Exception]) -> None:
    """Raise the error of the first message, if it has one."""
    if isinstance(outcomes[0], Exception):
        raise outcomes[0]
