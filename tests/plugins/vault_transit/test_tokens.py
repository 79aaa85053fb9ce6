"""When a token is renewed or replaced, by a clock that the test turns."""

from __future__ import annotations

import logging
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from dfns_signers.errors import (
    ConfigurationError,
    KeyAccessError,
    KeyStoreUnavailableError,
    SigningKeyError,
)
from dfns_signers.plugin import Attempt
from dfns_signers_vault_transit.answers import VaultRefusalError
from dfns_signers_vault_transit.errors import Purpose
from dfns_signers_vault_transit.logins import AppRoleAuth, TokenAuth
from dfns_signers_vault_transit.tokens import TokenManager

HOUR = 3600.0
ONCE = Attempt()


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class TokenServer:
    """Stands for hvac: gives out tokens, renews them, and fails as the test wants."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.failure: Exception | None = None
        self.is_dead = False
        self.lease: dict[str, Any] = {"lease_duration": HOUR, "renewable": True}
        self.renewed: Any = {"auth": {**self.lease, "client_token": "as before"}}
        self.tokens = iter([f"token-{number}" for number in range(1, 99)])
        # hvac's client.adapter sends logins, and client.auth.token renews.
        self.client = SimpleNamespace(auth=SimpleNamespace(token=self), adapter=self, token="")

    def post(self, path: str, **_: object) -> dict[str, Any]:
        assert path == "/v1/auth/approle/login"
        self._happen("login")
        return {"auth": {**self.lease, "client_token": next(self.tokens)}}

    def renew_self(self) -> Any:
        self._happen("renewal")
        if isinstance(self.renewed, Exception):
            raise self.renewed
        return self.renewed

    def lookup_self(self) -> dict[str, Any]:
        self.events.append("lookup")
        if self.is_dead:
            raise refusal(403)
        return {"data": {**self.lease, "ttl": HOUR}}

    def _happen(self, event: str) -> None:
        self.events.append(event)
        if self.failure:
            raise self.failure


class WatchedLock:
    """Reports each thread that comes for the lock."""

    def __init__(self) -> None:
        self.inner = threading.Lock()
        self.arrived = threading.Semaphore(0)

    def acquire(self, *, timeout: float) -> bool:
        self.arrived.release()
        return self.inner.acquire(timeout=timeout)

    def release(self) -> None:
        self.inner.release()


@pytest.fixture
def server() -> TokenServer:
    return TokenServer()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def manager(server: TokenServer, clock: Clock) -> TokenManager:
    return manager_of(server, clock)


APPROLE = AppRoleAuth.model_validate({"method": "approle", "role_id": "role"})
SOMEBODY_ELSES = TokenAuth.model_validate({"method": "token", "token": "token-1"})


def manager_of(
    server: TokenServer, clock: Clock, *, login: Any = APPROLE, lock: Any = None
) -> TokenManager:
    purpose = Purpose("log in", "Vault at test", "check it", "auth/test", is_login=True)
    return TokenManager(server.client, login, purpose, clock, lock=lock)


def refusal(status: int) -> VaultRefusalError:
    return VaultRefusalError(status, ["permission denied"])


# What the lease says, hours until the next signature, which token it has, and what that took.
LIVES = {
    "alive before two thirds of its lease": ({}, 0.6, "token-1", ["login"]),
    "renewed after two thirds": ({}, 0.7, "token-1", ["login", "renewal"]),
    "never renewed without an end": ({"lease_duration": 0}, 1000, "token-1", ["login"]),
    "replaced if not renewable": ({"renewable": False}, 0.7, "token-2", ["login", "login"]),
    "replaced once it has ended": ({}, 2, "token-2", ["login", "login"]),
}


@pytest.mark.parametrize(("lease", "hours", "token", "events"), LIVES.values(), ids=LIVES)
def test_token_is_kept_renewed_or_replaced_as_its_lease_says(
    lease: dict[str, Any],
    hours: float,
    token: str,
    events: list[str],
    server: TokenServer,
    clock: Clock,
    manager: TokenManager,
) -> None:
    server.lease |= lease
    manager.ready(ONCE)
    assert manager.ready(ONCE).open() == "token-1"
    clock.now += hours * HOUR

    assert manager.ready(ONCE).open() == token
    assert server.events == events


def test_renewal_starts_a_new_lease(
    server: TokenServer, clock: Clock, manager: TokenManager
) -> None:
    manager.ready(ONCE)
    for _ in range(5):
        clock.now += 0.7 * HOUR
        assert manager.ready(ONCE).open() == "token-1"

    assert server.events == ["login"] + ["renewal"] * 5


def test_token_whose_lease_was_cut_short_is_replaced_next(
    server: TokenServer, clock: Clock, manager: TokenManager
) -> None:
    server.renewed["auth"]["lease_duration"] = HOUR / 2
    manager.ready(ONCE)
    clock.now += 0.7 * HOUR
    manager.ready(ONCE)
    clock.now += 0.4 * HOUR

    assert manager.ready(ONCE).open() == "token-2"
    assert server.events == ["login", "renewal", "login"]


def test_token_that_still_lives_is_used_on_while_the_server_is_away(
    server: TokenServer, clock: Clock, manager: TokenManager, caplog: pytest.LogCaptureFixture
) -> None:
    manager.ready(ONCE)
    clock.now += 0.7 * HOUR
    server.failure = requests.exceptions.ConnectionError("away")

    assert manager.ready(ONCE).open() == manager.ready(ONCE).open() == "token-1"
    assert server.events == ["login", "renewal"]
    assert "was not renewed" in caplog.text


def test_token_that_ended_while_the_server_is_away_is_an_error(
    server: TokenServer, clock: Clock, manager: TokenManager
) -> None:
    manager.ready(ONCE)
    clock.now += 2 * HOUR
    server.failure = requests.exceptions.ConnectionError("away")

    with pytest.raises(
        KeyStoreUnavailableError,
        match=r"cannot log in: Vault at test: away; the server cannot be reached",
    ):
        manager.ready(ONCE)


def test_refused_login_is_an_error_that_is_not_retried(
    server: TokenServer, manager: TokenManager
) -> None:
    server.failure = refusal(400)

    with pytest.raises(KeyAccessError, match="HTTP 400: permission denied; check it") as raised:
        manager.ready(ONCE)

    assert not raised.value.retriable


@pytest.mark.parametrize("answer", [refusal(403), None, {}, {"auth": None}, {"auth": {}}], ids=str)
def test_renewal_that_is_refused_or_brings_no_token_leads_to_a_login(
    answer: Any,
    server: TokenServer,
    clock: Clock,
    manager: TokenManager,
) -> None:
    manager.ready(ONCE)
    clock.now += 0.7 * HOUR
    server.renewed = answer

    assert manager.ready(ONCE).open() == "token-2"


def test_refused_token_is_replaced_once_for_all_threads(
    server: TokenServer, manager: TokenManager
) -> None:
    refused = manager.ready(ONCE)
    server.is_dead = True
    together = threading.Barrier(8)

    def replace(_: int) -> bool:
        together.wait(20)
        return manager.replace(refused, ONCE)

    with ThreadPoolExecutor(8) as threads:
        replaced = list(threads.map(replace, range(8)))

    assert all(replaced)
    assert server.events == ["login", "lookup", "login"]


def test_refused_token_that_lives_is_not_replaced(
    server: TokenServer, manager: TokenManager
) -> None:
    assert manager.replace(manager.ready(ONCE), ONCE) is False
    assert server.events == ["login", "lookup"]


def test_login_that_fails_is_tried_once_for_all_threads_that_wait(
    server: TokenServer, clock: Clock
) -> None:
    server.failure = requests.exceptions.ConnectionError("away")
    lock = WatchedLock()
    manager = manager_of(server, clock, lock=lock)

    with ThreadPoolExecutor(60) as threads:
        with lock.inner:
            futures = [threads.submit(manager.ready, ONCE) for _ in range(60)]
            for _ in futures:
                assert lock.arrived.acquire(timeout=20)
        errors = [future.exception() for future in futures]

    assert server.events == ["login"]
    assert {type(error) for error in errors} == {KeyStoreUnavailableError}
    assert len({id(error) for error in errors}) == 60
    with pytest.raises(KeyStoreUnavailableError):
        manager.ready(ONCE)
    assert server.events == ["login", "login"]


def test_thread_waits_for_the_login_of_another_until_its_own_time_is_over(
    server: TokenServer, clock: Clock
) -> None:
    lock = threading.Lock()
    manager = manager_of(server, clock, lock=lock)

    with lock, pytest.raises(KeyStoreUnavailableError, match=r"cannot log in: another thread"):
        manager.ready(Attempt(remaining=0.01))

    assert server.events == []
    assert manager.ready(ONCE).open() == "token-1"


@pytest.mark.parametrize("token", ["line\n4711", "caf\u00e9-4711", "euro-\u20ac-4711"])
def test_token_of_an_answer_that_does_not_fit_a_header_is_refused_without_repeating_it(
    token: str, server: TokenServer, manager: TokenManager
) -> None:
    server.tokens = iter([token])

    with pytest.raises(ConfigurationError, match="not allowed in a token") as refused:
        manager.ready(ONCE)

    assert "4711" not in "".join(traceback.format_exception(refused.value))


DURATIONS = ["60", None, True, [1], -1, float("inf"), float("nan")]


@pytest.mark.parametrize("lease", [{}, *({"lease_duration": one} for one in DURATIONS)], ids=str)
def test_lease_that_is_not_a_number_of_seconds_is_refused_without_repeating_the_token(
    lease: dict[str, object], server: TokenServer, manager: TokenManager
) -> None:
    server.lease = {"renewable": True, **lease}

    with pytest.raises(SigningKeyError, match="not what Vault's API documents") as refused:
        manager.ready(ONCE)

    assert "token-1" not in "".join(traceback.format_exception(refused.value))


def test_somebody_elses_token_that_is_the_same_is_not_replaced(
    server: TokenServer, clock: Clock
) -> None:
    manager = manager_of(server, clock, login=SOMEBODY_ELSES)

    assert manager.replace(manager.ready(ONCE), ONCE) is False


def test_somebody_elses_token_that_ends_warns(
    server: TokenServer, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    server.lease["renewable"] = False

    manager_of(server, clock, login=SOMEBODY_ELSES).ready(ONCE)

    assert "ends in 3600 s and cannot be renewed" in caplog.text
