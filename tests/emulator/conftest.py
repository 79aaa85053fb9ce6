from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.emulator.webhooks.events import Events
from tests.emulator.broadcasts import BODIES, Requests, requests_of
from tests.emulator.caller import Caller
from tests.emulator.end_users import Application
from tests.emulator.holdings import Holdings
from tests.emulator.keys import PrivateKey, pem, private_key


@pytest.fixture(scope="module", autouse=True)
def _http_client_is_not_logged() -> Iterator[None]:
    """The caller is not what is tested, and it logs its every step."""
    loggers = [logging.getLogger(name) for name in ("httpcore", "httpx")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


class Clock:
    """A clock that stands still until it is put forward."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def calling(**options: Any) -> Iterator[Caller]:
    """A caller of an emulator with these arguments, for tests that share one."""
    key = private_key("ed25519")
    with (
        Emulator(credentials={"cr-first": pem(key)}, **options) as emulator,
        Caller(emulator.url, emulator.auth_token, "cr-first", key) as caller,
    ):
        yield caller


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def key() -> PrivateKey:
    return private_key("ed25519")


@pytest.fixture
def emulator(clock: Clock, key: PrivateKey) -> Iterator[Emulator]:
    with Emulator(credentials={"cr-first": pem(key)}, clock=clock) as running:
        yield running


@pytest.fixture
def caller(emulator: Emulator, key: PrivateKey) -> Iterator[Caller]:
    with Caller(emulator.url, emulator.auth_token, "cr-first", key) as first:
        yield first


@pytest.fixture
def stranger(emulator: Emulator) -> Iterator[Caller]:
    """Another user of the same emulator, with a credential of its own."""
    other = private_key("p256", 99)
    identity = emulator.add_identity("stranger", credentials={"cr-stranger": pem(other)})
    with Caller(emulator.url, identity.token, "cr-stranger", other) as second:
        yield second


@pytest.fixture(params=BODIES)
def noun(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def moving(emulator: Emulator, caller: Caller, noun: str) -> Requests:
    """In an emulator that moves statuses at reads."""
    return requests_of(emulator, caller, noun)


@pytest.fixture
def manual(key: PrivateKey, noun: str) -> Iterator[Requests]:
    """In an emulator that moves statuses when the test says so."""
    with (
        Emulator(credentials={"cr-1": pem(key)}, progress="manual") as emulator,
        Caller(emulator.url, emulator.auth_token, "cr-1", key) as caller,
    ):
        yield requests_of(emulator, caller, noun)


@pytest.fixture
def application(emulator: Emulator) -> Iterator[Application]:
    """An application whose end users have passkeys in a browser."""
    key = private_key("ed25519", 98)
    identity = emulator.add_identity(
        "application", service_account=True, credentials={"cr-application": pem(key)}
    )
    with Caller(emulator.url, identity.token, "cr-application", key) as account:
        yield Application(emulator, account)


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """Every event, with the data as it was then."""
    seen: list[tuple[str, dict[str, Any]]] = []

    def publish(_: Events, kind: str, data: dict[str, Any]) -> None:
        seen.append((kind, {name: dict(value) for name, value in data.items()}))

    monkeypatch.setattr(Events, "publish", publish)
    return seen


@pytest.fixture(scope="module")
def holdings() -> Iterator[Holdings]:
    """What the wallets of an emulator hold that the tests of a module share."""
    key = private_key("ed25519")
    with (
        Emulator(credentials={"cr-1": pem(key)}) as emulator,
        Caller(emulator.url, emulator.auth_token, "cr-1", key) as caller,
    ):
        yield Holdings(emulator, caller)
